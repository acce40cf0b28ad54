// What the console asks of the service. Each call has a proof of this browser's key (see proof.js).

import { dpopProof } from './proof.js';

/** Why a call was refused. `status` is 0 if there was no answer. */
export class Refusal extends Error {
  constructor(status, code, message, field) {
    super(message ?? code);
    Object.assign(this, { status, code, field });
  }
}

// Method, the operator's path, the tenant's own.
const OPERATIONS = {
  fetchTenants: ['GET', 'fetch/tenants'],
  provisionTenant: ['POST', 'provision/tenant'],
  updateTenant: ['POST', 'update/tenant'],
  fetchTenant: ['GET', 'fetch/tenant', 'console/tenant'],
  suspendTenant: ['POST', 'suspend/tenant'],
  reactivateTenant: ['POST', 'reactivate/tenant'],
  rotateTenantSecret: ['POST', 'rotate/tenant-secret', 'console/rotate-tenant-secret'],
  rotateSigningKey: ['POST', 'rotate/signing-key'],
  provisionConsoleLink: ['POST', 'provision/console-link'],
  fetchApiKeys: ['GET', 'fetch/api-keys', 'console/api-keys'],
  provisionApiKey: ['POST', 'provision/api-key', 'console/api-keys'],
  rotateApiKey: ['POST', 'rotate/api-key', 'console/rotate-api-key'],
  revokeApiKey: ['POST', 'revoke/api-key', 'console/revoke-api-key'],
  revokeTokens: ['POST', 'revoke/tokens'],
  fetchOrganizations: ['GET', 'fetch/organizations', 'console/organizations'],
  fetchUsers: ['GET', 'fetch/users', 'console/users'],
  fetchRegisteredTenants: ['GET', 'fetch/registered-tenants', 'console/registered-tenants'],
  fetchPerson: ['GET', 'fetch/person'],
  fetchCallbacks: ['GET', 'fetch/callbacks', 'console/callbacks'],
  fetchCallback: ['GET', 'fetch/callback', 'console/callback'],
  testCallback: ['POST', 'test/callback', 'console/test-callback'],
  replayCallbacks: ['POST', 'replay/callbacks', 'console/replay-callbacks'],
  reactivateCallbacks: ['POST', 'reactivate/callbacks'],
  fetchAuditEvents: ['GET', 'fetch/audit-events'],
  fetchSetup: ['GET', 'fetch/setup', 'console/setup'],
};

let session;
let nonce;
let ended;
let pending = 0;

/** Calls are made with this session from now on; what is to be done when the service knows it no more. */
export function use(newSession, whenEnded) {
  session = newSession;
  ended = whenEnded;
}

/** Whether the session has an operation at all. */
export const has = (name) => session.party === 'operator' || OPERATIONS[name].length > 2;

async function once(method, path, { query, body, keys, token, key }) {
  const url = `${location.origin}/api/v1/${path}`;
  const headers = { Accept: 'application/json', DPoP: await dpopProof(keys, { method, url, nonce, token }) };
  if (body) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `DPoP ${token}`;
  if (key) headers['Idempotency-Key'] = key;
  const response = await fetch(query ? `${url}?${query}` : url, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(30_000),
  });
  nonce = response.headers.get('DPoP-Nonce') ?? nonce;
  return { status: response.status, text: await response.text() };
}

async function send(method, path, options) {
  document.documentElement.toggleAttribute('data-busy', ++pending > 0);
  try {
    for (const isLast of [false, true]) {
      const { status, text } = await once(method, path, options).catch(() => {
        throw new Refusal(0, 'unreachable');
      });
      let answer;
      try {
        answer = JSON.parse(text);
      } catch {
        throw new Refusal(status, 'unreadable');
      }
      if (status < 300) return answer.data;
      const { code = 'unknown', field } = answer.error ?? {};
      if (isLast || code !== 'use_dpop_nonce') throw new Refusal(status, code, answer.message, field);
    }
  } finally {
    document.documentElement.toggleAttribute('data-busy', --pending > 0);
  }
}

/**
 * Calls an operation: with a body it has, and parameters of which those that are undefined, null or empty are left out.
 * `attempt` is an object that stays the same while one thing is tried: sent again after an answer was lost, a body has
 * the same `Idempotency-Key`, and so it is done once.
 */
export async function call(name, { body, attempt = {}, ...parameters } = {}) {
  const [method, ofOperator, ofTenant] = OPERATIONS[name];
  const isTenant = session.party === 'tenant';
  // A tenant's own operations name no tenant: it is that of the session.
  if (isTenant) delete parameters.tenant_id;
  const given = Object.entries(parameters).filter(([, value]) => value || value === 0);
  const query = new URLSearchParams(given).toString();
  const options = { ...session, query, body };
  if (method === 'POST') {
    const what = JSON.stringify([name, query, body]);
    if (attempt.what !== what) Object.assign(attempt, { what, key: crypto.randomUUID() });
    options.key = attempt.key;
  }
  const mine = session;
  try {
    return await send(method, isTenant ? ofTenant : ofOperator, options);
  } catch (error) {
    // A proof that is refused says that something is wrong here, a clock for instance, and not that it has ended.
    if (error.status === 401 && error.code !== 'invalid_dpop_proof' && mine === session) ended();
    throw error;
  }
}

/** Opens a session with the code of a link. */
export async function open(keys, code) {
  const answer = await send('POST', 'console/session', { keys, body: { code } });
  const { session_token: token, expires_in, label, party, tenant_id, tenant_name } = answer;
  return { keys, token, expiresAt: Date.now() + expires_in * 1000, label, party, tenant_id, tenant_name };
}

export const end = (of) => send('DELETE', 'console/session', of);
