// What the console asks of the service. Each call has a proof of this browser's key (see proof.js).

import { dpopProof } from './proof.js';

/** Why a call was refused. `status` is 0 if there was no answer. */
export class Refusal extends Error {
  constructor(status, code, message, field) {
    super(message ?? code);
    Object.assign(this, { status, code, field });
  }
}

// What a tenant may do for itself. Its paths begin with `console/`.
const FETCHED = /^fetch\/(tenant|api-keys|organizations|users|registered-tenants|callbacks?|setup)$/;
const CHANGED = /^(provision|rotate|revoke|test|replay)\/(api-key|callbacks?|tenant-secret)$/;
const ownPath = (path) =>
  `console/${path === 'provision/api-key' ? 'api-keys' : path.replace('fetch/', '').replace('/', '-')}`;

let session;
let nonce;
let ended;
let pending = 0;

/** What calls are made with from now on, and what is done when it has ended. */
export function use(newSession, whenEnded) {
  session = newSession;
  ended = whenEnded;
}

/** Whether the session has an operation at all, by its path on the registry. */
export const has = (path) => session.party === 'operator' || FETCHED.test(path) || CHANGED.test(path);

async function once(method, path, { query, body, keys, token, key }) {
  const at = `/api/v1/${path}`;
  // A proof names the API, which is elsewhere if a proxy on this machine signs for it.
  const url = (document.documentElement.dataset.base ?? location.origin) + at;
  const headers = { DPoP: await dpopProof(keys, { method, url, nonce, token }) };
  if (body) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `DPoP ${token}`;
  if (key) headers['Idempotency-Key'] = key;
  const response = await fetch(query ? `${at}?${query}` : at, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  });
  nonce = response.headers.get('DPoP-Nonce') ?? nonce;
  return { status: response.status, answer: await response.json() };
}

async function send(method, path, options) {
  document.documentElement.toggleAttribute('data-busy', ++pending > 0);
  try {
    for (const isLast of [false, true]) {
      const { status, answer } = await once(method, path, options).catch(() => {
        throw new Refusal(0, 'unreachable');
      });
      if (status < 300) return answer.data;
      const { code = 'unknown', field } = answer.error ?? {};
      if (isLast || code !== 'use_dpop_nonce') throw new Refusal(status, code, answer.message, field);
    }
  } finally {
    document.documentElement.toggleAttribute('data-busy', --pending > 0);
  }
}

/**
 * Calls an operation; parameters without a value are left out. `attempt` is an object that stays the same while one
 * thing is tried: sent again after an answer was lost, a body has the same `Idempotency-Key`, and so it is done once.
 */
export async function call(path, { body, attempt = {}, ...parameters } = {}) {
  const method = path.startsWith('fetch/') ? 'GET' : 'POST';
  const isTenant = session.party === 'tenant';
  // A tenant's own operations name no tenant: it is that of the session.
  if (isTenant) delete parameters.tenant_id;
  const given = Object.entries(parameters).filter(([, value]) => value);
  const query = new URLSearchParams(given).toString();
  const options = { ...session, query, body };
  if (method === 'POST') {
    const what = JSON.stringify([path, query, body]);
    if (attempt.what !== what) Object.assign(attempt, { what, key: crypto.randomUUID() });
    options.key = attempt.key;
  }
  const mine = session;
  try {
    const data = await send(method, isTenant ? ownPath(path) : path, options);
    // What is done again from now on is meant to be.
    delete attempt.what;
    return data;
  } catch (error) {
    // A proof that is refused says that something is wrong here, a clock for instance, and not that it has ended.
    const isOfProof = ['invalid_dpop_proof', 'use_dpop_nonce'].includes(error.code);
    if (error.status === 401 && !isOfProof && mine === session) ended();
    throw error;
  }
}

/** Where tenants call: an operator's console is elsewhere. */
export function apiUrl() {
  return session.api_url ?? (session.party === 'tenant' ? location.origin : 'https://API_URL_OF_THE_STACK');
}

export const pages = (path, member, parameters) => async (cursor) => {
  const page = await call(path, { ...parameters, cursor });
  return { rows: page[member], next: page.next_cursor };
};

export async function open(keys, code) {
  const answer = await send('POST', 'console/session', { keys, body: { code } });
  const { session_token: token, expires_in: seconds, ...session } = answer;
  return { ...session, keys, token, expiresAt: Date.now() + seconds * 1000 };
}

export const end = (of) => send('DELETE', 'console/session', of);
