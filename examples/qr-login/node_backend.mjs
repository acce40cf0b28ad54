// A backend whose people sign in with their paired phones. How to run it: README.md.

import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import express from 'express';
import { Webhook } from 'standardwebhooks';

const { LATCHKEY_URL, LATCHKEY_TENANT_ID, LATCHKEY_TENANT_SECRET, LATCHKEY_WEBHOOK_SECRET } = process.env;
const { DEMO_USER_ID, DEMO_USER_NAME, PORT = '8080' } = process.env;
const webhook = new Webhook(LATCHKEY_WEBHOOK_SECRET);
// Stand in for your database: the people, the logins that browsers have begun, by a cookie each, those that Latchkey may
// tell of, and the sessions.
const people = new Map([[DEMO_USER_ID, { id: DEMO_USER_ID, name: DEMO_USER_NAME }]]);
const logins = new Map();
const begun = new Set();
const sessions = new Map();

/** A signed call: see ../sign. Status and JSON. */
async function latchkey(method, target, { fields, headers } = {}) {
  const body = fields && JSON.stringify(fields);
  const [timestamp, nonce] = [`${Date.now()}`, randomUUID()];
  const digest = createHash('sha256')
    .update(body ?? '')
    .digest('hex');
  const signed = [timestamp, method, target, nonce, digest].join('.');
  const answer = await fetch(LATCHKEY_URL + target, {
    method,
    headers: {
      'Content-Type': 'application/json',
      'X-Latchkey-Tenant-Id': LATCHKEY_TENANT_ID,
      'X-Latchkey-Timestamp': timestamp,
      'X-Latchkey-Nonce': nonce,
      'X-Latchkey-Signature': `v2=${createHmac('sha256', LATCHKEY_TENANT_SECRET).update(signed).digest('hex')}`,
      ...headers,
    },
    body,
    redirect: 'manual', // the signature is for this address alone
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, ...(await answer.json()) };
}

/** Begins a login. Everything that is known of the browser is told, so that the phone can show it. */
async function begin(request) {
  const { status, data, error } = await latchkey('POST', '/api/v1/relay/qr-login/initiate', {
    fields: {
      browser_origin: request.headers.origin,
      browser_ip: request.socket.remoteAddress, // behind a proxy: as your proxy says
      browser_user_agent: request.headers['user-agent'],
      rotate: true,
    },
  });
  if (status !== 200) throw new Error(`initiate: ${status} ${error.code}`);
  begun.add(data.session_id);
  // The poll token stays here: whoever has it takes the login.
  return { sessionId: data.session_id, pollToken: data.poll_token, shown: code(data) };
}

const code = ({ qr_svg: svg, qr_code_str: address }) => ({ phase: 'waiting', svg, address });

/** How a login stands, as the page may know it. */
async function state(login) {
  if (login.outcome) return login.outcome;
  const { status, data, error } = await latchkey('GET', `/api/v1/relay/qr-login/poll?session_id=${login.sessionId}`, {
    headers: { 'X-QR-Poll-Token': login.pollToken },
  });
  if (status === 410) end(login, 'expired');
  else if (status !== 200) console.error(`poll: ${status} ${error.code}`);
  else if (data.status === 'approved') end(login, 'approved', people.get(data.backend_user_id));
  else if (data.phase === 'denied') end(login, 'denied');
  else login.shown = data.phase === 'scanned' ? { phase: 'scanned', number: data.match_number } : code(data);
  // A poll that was refused changes nothing: there will be another one.
  return login.outcome ?? { ...login.shown, wait: data?.retry_after_ms ?? 2000 };
}

function end(login, phase, person) {
  login.outcome = phase === 'approved' && !person ? { phase: 'denied' } : { phase, name: person?.name };
  login.person = person;
}

/** The event in a body, if Latchkey has signed it within five minutes of now, and nothing if not. */
function verified(body, headers) {
  try {
    webhook.verify(body, headers);
    const event = JSON.parse(body);
    // What is signed and has no event in it is somebody's call.
    return event.event_id === headers['webhook-id'] && typeof event.type === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}

/** A callback is evidence, and logs nobody in: it may come late, and it was made before a phone was revoked. */
function handle({ type, data }) {
  if (begun.has(data.session_id)) console.log(`${type} ${data.session_id} ${data.device_id ?? 'no device'}`);
}

const app = express();

// Raw, whatever the type: the bytes are signed, and `express.json()` on the way here would leave none of them.
app.post('/relay-callbacks/:flow', express.raw({ type: () => true }), (request, response) => {
  const event = verified(request.body ?? Buffer.alloc(0), request.headers);
  if (!event) return response.sendStatus(400);
  handle(event);
  // Also for a type that is not known: any other status is a failure, and the event would come again for three days.
  return response.sendStatus(204);
});

const COOKIE = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

app.use((request, response, next) => {
  response.set({ 'Cache-Control': 'no-store', 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' });
  // Other sites' pages can ask too, with the person's cookie in older browsers.
  const isOwn = request.headers.origin?.split('://')[1] === request.headers.host;
  if (request.method === 'POST' && !isOwn) return response.status(403).json({ error: 'another_site' });
  request.cookie = Object.fromEntries((request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=')));
  return next();
});

app.use(express.static(`${import.meta.dirname}/page`, { cacheControl: false }));

// Before anybody is known, the browser gets a cookie. Only with that can it see how its login ends.
app.post('/login/begin', async (request, response) => {
  const [cookie, login] = [randomBytes(32).toString('base64url'), await begin(request)];
  logins.delete(request.cookie.login);
  logins.set(cookie, login);
  response.cookie('login', cookie, COOKIE).json(login.shown);
});

app.post('/login/state', async (request, response) => {
  const login = logins.get(request.cookie.login);
  response.json(login ? await state(login) : { phase: 'expired' });
});

// The person has seen who it is, and begins a session of their own. Here, and not before, a basket or the settings of a
// guest may be linked to the account.
app.post('/login/finish', (request, response) => {
  const person = logins.get(request.cookie.login)?.person;
  logins.delete(request.cookie.login);
  response.clearCookie('login', COOKIE);
  if (!person) return response.status(401).json({ error: 'no_login' });
  const session = randomBytes(32).toString('base64url');
  sessions.set(session, person);
  return response.cookie('session', session, COOKIE).json({ name: person.name });
});

app.post('/logout', (request, response) => {
  logins.delete(request.cookie.login);
  sessions.delete(request.cookie.session);
  response.clearCookie('login', COOKIE).clearCookie('session', COOKIE).json({});
});

app.post('/me', (request, response) => {
  const person = sessions.get(request.cookie.session);
  return person ? response.json({ name: person.name }) : response.status(401).json({ error: 'logged_out' });
});

app.use((error, request, response, next) => {
  console.error(`${request.url}: ${error.message}`);
  return response.headersSent ? next(error) : response.status(502).json({ error: 'unavailable' });
});

app.listen(Number(PORT), '127.0.0.1');
