// A tenant's backend whose people log in with passkeys, with nothing but Node. How to run it: README.md.

import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { LATCHKEY_URL, LATCHKEY_TENANT_ID, LATCHKEY_TENANT_SECRET, DEMO_CODE, PORT = '8080' } = process.env;

// Stand in for your own: the people, and who is logged in, by the value of a cookie.
const PEOPLE = [
  { id: 'user_1', email: 'ada@example.com', name: 'Ada Lovelace' },
  { id: 'user_2', email: 'bob@example.com', name: 'Bob Kahn' },
];
const sessions = new Map();

const sha256 = (text) => createHash('sha256').update(text).digest();

/** A signed call: see ../sign. Status and JSON, of what the page may know. */
async function latchkey([call, fields]) {
  const [target, body] = [`/api/v1/relay/webauthn/${call}`, JSON.stringify(fields)];
  const [timestamp, nonce] = [`${Date.now()}`, randomUUID()];
  const signed = [timestamp, 'POST', target, nonce, sha256(body).toString('hex')].join('.');
  const answer = await fetch(LATCHKEY_URL + target, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Latchkey-Tenant-Id': LATCHKEY_TENANT_ID,
      'X-Latchkey-Timestamp': timestamp,
      'X-Latchkey-Nonce': nonce,
      'X-Latchkey-Signature': `v2=${createHmac('sha256', LATCHKEY_TENANT_SECRET).update(signed).digest('hex')}`,
    },
    body,
    redirect: 'manual', // the signature is for this address alone
    signal: AbortSignal.timeout(10_000),
  });
  const { data, error, message } = await answer.json();
  if (answer.ok) return { status: 200, body: data };
  // The message is for whoever set this up. The page gets the code, and what its browser is to be told.
  const request = answer.headers.get('x-request-id');
  console.error(`${call}: ${answer.status} ${error.code}: ${message} (request ${request})`);
  return { status: answer.status, body: { error: error.code, signals: error.signals } };
}

// What the page may ask for. Whose passkeys they are says the session, and nothing that the page sends.
const ANYBODY = {
  '/login/options': (origin) => ['authenticate/options', { browser_origin: origin }],
  '/login/verify': (origin, { credential }) => ['authenticate/verify', { browser_origin: origin, credential }],
};
const LOGGED_IN = {
  '/passkeys': (origin, body, { id }) => ['fetch/passkeys', { backend_user_id: id }],
  '/register/options': (origin, body, { id, email, name }) => [
    'register/options',
    { backend_user_id: id, browser_origin: origin, username: email, display_name: name },
  ],
  '/register/verify': (origin, { credential }, { id }) => [
    'register/verify',
    { backend_user_id: id, browser_origin: origin, credential },
  ],
  '/rename': (origin, { credential_id, name }, { id }) => [
    'rename/passkey',
    { backend_user_id: id, credential_id, name },
  ],
  '/revoke': (origin, { credential_id }, { id }) => ['revoke/passkey', { backend_user_id: id, credential_id }],
};

/** Whoever proves to be one of the people without a passkey. Stands in for a code by e-mail, which is good once. */
function byCode({ email, code }) {
  const isRight = timingSafeEqual(sha256(`${code}`), sha256(DEMO_CODE));
  return isRight ? PEOPLE.find((person) => person.email === email) : undefined;
}

function cookie(value, seconds) {
  return { 'Set-Cookie': `session=${value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}` };
}

/** A session of its own for each login, so that nobody else knows it. */
function begin(person) {
  const session = randomBytes(32).toString('base64url');
  sessions.set(session, person);
  return { status: 200, body: { email: person.email, name: person.name }, headers: cookie(session, 86_400) };
}

async function answer(path, origin, body, session) {
  const person = sessions.get(session);
  if (path === '/login/code') {
    const known = byCode(body);
    return known ? begin(known) : { status: 401, body: { error: 'wrong_code' } };
  }
  if (path === '/logout') {
    sessions.delete(session);
    return { status: 200, body: {}, headers: cookie('', 0) };
  }
  if (Object.hasOwn(ANYBODY, path)) {
    const answered = await latchkey(ANYBODY[path](origin, body));
    if (path !== '/login/verify' || answered.status !== 200) return answered;
    return begin(PEOPLE.find(({ id }) => id === answered.body.backend_user_id));
  }
  if (!person) return { status: 401, body: { error: 'logged_out' } };
  if (path === '/me') return { status: 200, body: { email: person.email, name: person.name } };
  if (!Object.hasOwn(LOGGED_IN, path)) return { status: 404, body: { error: 'not_found' } };
  const answered = await latchkey(LOGGED_IN[path](origin, body, person));
  if (path === '/revoke' && answered.status === 200) {
    // Whoever has the device may be logged in with it.
    for (const [other, of] of sessions) if (of === person && other !== session) sessions.delete(other);
  }
  return answered;
}

const file = (name, type) => ({ type, content: readFileSync(new URL(`page/${name}`, import.meta.url)) });
const FILES = {
  '/': file('index.html', 'text/html; charset=utf-8'),
  '/page.js': file('page.js', 'text/javascript; charset=utf-8'),
  '/page.css': file('page.css', 'text/css; charset=utf-8'),
};
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};

async function read(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 65_536) throw new RangeError('too long');
  }
  return Object(JSON.parse(text));
}

createServer(async (request, response) => {
  const send = (status, type, content, headers) =>
    response.writeHead(status, { ...HEADERS, ...headers, 'Content-Type': type }).end(content);
  const { origin = '', host, cookie: cookies = '', 'content-type': type } = request.headers;
  if (request.method !== 'POST') {
    const found = Object.hasOwn(FILES, request.url) ? FILES[request.url] : undefined;
    return found ? send(200, found.type, found.content) : send(404, 'text/plain', 'Not found');
  }
  try {
    // Other sites' pages can ask too: in older browsers with the person's cookie, and without reading the answer.
    const isOwn = origin.split('://')[1] === host && type === 'application/json';
    const session = /(?:^|; )session=([\w-]{43})/.exec(cookies)?.[1];
    const refused = { status: 403, body: { error: 'another_site' } };
    const { status, body, headers } = isOwn
      ? await answer(request.url, origin, await read(request), session)
      : refused;
    return send(status, 'application/json', JSON.stringify(body), headers);
  } catch (error) {
    console.error(`${request.url}: ${error.message}`);
    return send(502, 'application/json', JSON.stringify({ error: 'unavailable' }));
  }
}).listen(Number(PORT), '127.0.0.1');
