// Runs each receiver of examples/receive, and sends it callbacks that are signed here, and much that is none; and has a
// running service ping it. EXAMPLES says where the examples are with their packages, PYTHON has those of Python, RUST is
// the one that had to be compiled. LATCHKEY_URL and ADMIN_KEY say where the service is.

import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { end, freePort, start, until } from './running.mjs';
import { adminKey, call, expect, operator } from './foreign/service.mjs';

const { EXAMPLES, PYTHON, RUST } = process.env;
const { vectors } = JSON.parse(readFileSync('tests/vectors/callbacks.json', 'utf8'));
const PATH = '/relay-callbacks/tenant';

// --- what Latchkey sends, once more ----------------------------------------------------------------------------------

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key, text, encoding) => createHmac('sha256', key).update(text).digest(encoding);
const webhookKey = (secret) => Buffer.from(hkdfSync('sha256', secret, '', 'latchkey webhook v1', 32));
const webhookSecret = (secret) => `whsec_${webhookKey(secret).toString('base64')}`;

/** The headers of a callback. */
function headers({ secret, previous, version, tenantId, id, path, body, at }) {
  const seconds = Math.floor(at / 1000);
  const v1 = hmac(secret, `${at}.${sha256(body)}`, 'hex');
  const v2 = `v2=${hmac(secret, `${at}.POST.${path}.${id}.${sha256(body)}`, 'hex')}`;
  const signed = Buffer.concat([Buffer.from(`${id}.${seconds}.`), Buffer.from(body)]);
  const entries = [secret, previous].filter(Boolean).map((key) => `v1,${hmac(webhookKey(key), signed, 'base64')}`);
  return {
    'X-Latchkey-Tenant-Id': tenantId,
    'X-Latchkey-Timestamp': `${at}`,
    'X-Latchkey-Signature': version === 'v1' ? v1 : v2,
    'X-Bloonio-Tenant-Id': tenantId,
    'X-Bloonio-Timestamp': `${at}`,
    'X-Bloonio-Signature': v1,
    'webhook-id': id,
    'webhook-timestamp': `${seconds}`,
    'webhook-signature': entries.join(' '),
  };
}

for (const vector of vectors) {
  const made = headers({
    ...vector,
    previous: vector.previous_secret,
    version: vector.signing_version,
    tenantId: vector.headers['X-Latchkey-Tenant-Id'],
    id: vector.event_id,
    at: vector.timestamp_ms,
  });
  expect(webhookSecret(vector.secret) === vector.webhook_secret, `vector ${vector.name}: another webhook secret`);
  expect(Object.keys(vector.headers).length === Object.keys(made).length, `vector ${vector.name}: more headers`);
  for (const [name, value] of Object.entries(vector.headers)) {
    expect(made[name] === value, `vector ${vector.name}: another ${name}`);
  }
}

const TENANT = vectors[0].headers['X-Latchkey-Tenant-Id'];
const { secret: NEW, previous_secret: OLD } = vectors.find(({ name }) => name === 'overlap');
// As developers read them.
const page = readFileSync('docs/api/callbacks.md', 'utf8');
const documented = [...page.matchAll(/^```json\n(.+?)\n```$/gms)].map(([, text]) => JSON.parse(text));
const { webhooks } = JSON.parse(readFileSync('shared/openapi.json', 'utf8'));
expect(documented.every(({ type }) => type in webhooks), 'the page has an example of a type that is none');
const flows = (types) => [...new Set(types.map((type) => type.replace(/[.].*/, '')))].sort().join();
expect(
  flows(documented.map(({ type }) => type)) === flows(Object.keys(webhooks)),
  'the page has not an example of each flow',
);
const newId = () => `evt_${randomBytes(16).toString('hex')}`;

/** The body of an event, of which parts can be others. */
function event(parts) {
  const body = { event_id: newId(), type: 'ping', flow: 'test', tenant_id: TENANT };
  return JSON.stringify({ ...body, created_at: new Date().toISOString(), sequence: 1, data: {}, ...parts });
}

/** A callback as it is sent now, in the overlap of a rotation unless secrets are named. */
function callback(parts = {}, changes = {}) {
  const body = changes.body ?? event(parts);
  const id = changes.id ?? JSON.parse(body).event_id;
  const signed = { secret: NEW, previous: OLD, version: 'v2', tenantId: TENANT, path: PATH, at: Date.now() };
  const { path } = { ...signed, ...changes };
  return { path, body, headers: headers({ ...signed, ...changes, body, id }) };
}

// --- the receivers ---------------------------------------------------------------------------------------------------

const LIBRARY = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
const OWN = ['webhook-id', 'X-Latchkey-Timestamp', 'X-Latchkey-Signature'];
const RECEIVERS = {
  Express: { command: [process.execPath, 'node_express.mjs'], reads: LIBRARY },
  Hono: { command: [process.execPath, 'node_hono.mjs'], reads: LIBRARY },
  FastAPI: { command: [PYTHON, 'python_fastapi.py'], reads: LIBRARY },
  Flask: { command: [PYTHON, 'python_flask.py'], reads: LIBRARY },
  Django: { command: [PYTHON, 'python_django.py'], reads: LIBRARY },
  axum: { command: [RUST], reads: LIBRARY },
  // Standard library only: Python runs without any other.
  'by hand': { command: ['python3', '-I', '-S', 'python_by_hand.py'], reads: OWN },
};
// What a server may print beside the events that it handled: what those of Python's standard library say of a request.
const REQUEST = String.raw`"(GET|POST) /relay-callbacks/\S+ HTTP/1\.1" [245]\d\d \S+`;
const UNKNOWN = String.raw`code 501, message Unsupported method \('GET'\)`;
const PRINTED = new RegExp(String.raw`^127\.0\.0\.1 - - \[[^\]]+\] (${REQUEST}|${UNKNOWN})$`);

class Receiver {
  handled = [];

  constructor(name, { command, reads }, environment, port) {
    Object.assign(this, { name, reads, address: `http://127.0.0.1:${port}` });
    const [program, ...args] = command;
    this.printed = start(`${EXAMPLES}/receive`, program, args, { ...environment, PORT: `${port}` });
  }

  /** What it printed, but for the requests. */
  notes() {
    return this.printed.filter((line) => !PRINTED.test(line)).join('\n');
  }

  async send({ path, body, headers }, method = 'POST') {
    const answer = await fetch(`${this.address}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: method === 'POST' ? Buffer.from(body) : undefined,
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Sends what is to be accepted, and to be handled if it is not said otherwise. */
  async takes(what, request, isHandled = true) {
    const status = await this.send(request);
    expect(status >= 200 && status < 300, `${this.name}, ${what}: ${status}\n${this.notes()}`);
    const { type, event_id: id } = JSON.parse(request.body);
    if (isHandled) this.handled.push(`handled ${type} ${id}`);
  }

  /** 410 would end the callbacks of the flow. */
  async refuses(what, request, method) {
    const status = await this.send(request, method);
    // Python's server knows no 405.
    const isRefused = (status >= 400 && status < 500 && status !== 410) || (method === 'GET' && status === 501);
    expect(isRefused, `${this.name}, ${what}: ${status}\n${this.notes()}`);
  }

  /** What it has handled is what it was to handle, once each, and it printed nothing else. */
  async ends() {
    await this.takes('a ping in the end', callback());
    const last = this.handled.at(-1);
    await until(10, () => expect(this.printed.includes(last), `${this.name} has not handled the last event`));
    const expected = this.handled.join('\n');
    expect(this.notes() === expected, `${this.name} printed\n${this.notes()}\nand was to print\n${expected}`);
  }
}

/** Callbacks that are right. */
async function right(receiver) {
  for (const parts of documented) {
    const { path, body, headers } = callback(parts, { path: `/relay-callbacks/${parts.flow}` });
    expect(Object.keys(JSON.parse(body)).join() === Object.keys(parts).join(), `members of ${parts.type}`);
    // The receivers know no other types; they acknowledge those, too.
    const isKnown = /^(tenant[.]|ping$)/.test(parts.type);
    await receiver.takes(`the documented ${parts.type}`, { path, body, headers }, isKnown);
  }
  // Each attempt is signed anew, and has the same body.
  const { body } = callback({ type: 'tenant.suspended' });
  await receiver.takes('an event', callback({}, { body, at: Date.now() - 280_000 }));
  await receiver.takes('the same again', callback({}, { body }), false);
  const both = callback({ type: 'tenant.reactivated' });
  await Promise.all([receiver.takes('one of two', both), receiver.takes('the other', both, false)]);
  await receiver.takes('a type that it does not know', callback({ type: 'tenant.renamed' }), false);
  const path = '/relay-callbacks/another-flow';
  await receiver.takes('a flow that it does not know', callback({ type: 'another.type' }, { path }), false);
  await receiver.takes('text', callback({ data: { text: 'Zoë\u0301 \u{1F511}\u2028\n"/<b>', list: [[], {}, null] } }));
  await receiver.takes('as much as there can be', callback({ data: { text: 'é'.repeat(32_000) } }));
}

/** What was changed, is too old, or is nobody's. */
async function wrong(receiver) {
  const stranger = { secret: `sk_${randomBytes(32).toString('hex')}`, previous: null };
  await receiver.refuses('a signature of somebody else', callback({}, stranger));
  const { path, body, headers: signed } = callback();
  const changed = (parts, text = body) => ({ path, body: text, headers: { ...signed, ...parts } });
  await receiver.refuses('a changed body', changed({}, body.replace('"sequence":1', '"sequence":2')));
  await receiver.refuses('a body with a line end', changed({}, `${body}\n`));
  await receiver.refuses('no body', changed({}, ''));
  await receiver.refuses('another id', changed({ 'webhook-id': newId() }));
  for (const seconds of [-310, -86_400, 310]) {
    await receiver.refuses(`${seconds} s`, callback({}, { at: Date.now() + seconds * 1000 }));
  }
  const old = callback({}, { at: Date.now() - 310_000 });
  const now = Date.now();
  const moved = { 'webhook-timestamp': `${Math.floor(now / 1000)}`, 'X-Latchkey-Timestamp': `${now}` };
  await receiver.refuses('a new timestamp', { ...old, headers: { ...old.headers, ...moved } });
  for (const timestamp of ['', 'x', 'nan', '-1', '1e400', '9'.repeat(30)]) {
    await receiver.refuses(
      `the timestamp '${timestamp}'`,
      changed({ 'webhook-timestamp': timestamp, 'X-Latchkey-Timestamp': timestamp }),
    );
  }
  const malformed = ['', 'v1', 'v1,', 'v1,AAAA', 'v1,A', 'v1,A,A', 'v1,A  v1,B', 'v1,\u00e9', 'v2=', 'v2=\u00e9'];
  for (const signature of malformed) {
    await receiver.refuses(
      `the signature '${signature}'`,
      changed({ 'webhook-signature': signature, 'X-Latchkey-Signature': signature }),
    );
  }
  for (const missing of receiver.reads) {
    const rest = Object.fromEntries(Object.entries(signed).filter(([name]) => name !== missing));
    await receiver.refuses(`without ${missing}`, { path, body, headers: rest });
  }
  await receiver.refuses('no signature at all', { path, body, headers: {} });
  await receiver.refuses('another method', { path, body, headers: signed }, 'GET');
  await receiver.takes('the same, unchanged', { path, body, headers: signed });
}

/** What Latchkey's secrets have signed, and is no event: a call, for example, that somebody sends to the receiver. */
async function noEvent(receiver) {
  const call = '{"browser_origin":"https://app.example.com","backend_user_id":"ada"}';
  const untyped = JSON.stringify({ event_id: 'evt_1' });
  const json = ['{}', '[]', 'null', '"ping"', '7'];
  const bodies = [call, untyped, event({ type: 7 }), event(), ...json, 'ping', '', Buffer.from([0x7b, 0xff, 0x7d])];
  for (const body of bodies) {
    const id = body === untyped ? 'evt_1' : newId();
    await receiver.refuses(`the signed body ${body}`, callback({}, { body, id }));
  }
  // As a client signs it: v1 for any path, v2 with a nonce of its own.
  const at = Date.now();
  for (const [version, to, secret] of [
    ['v1', PATH, OLD],
    ['v1', PATH, NEW],
    ['v2', '/api/v1/relay/qr-login/initiate', NEW],
    ['v2', PATH, NEW],
  ]) {
    const all = headers({ secret, version, tenantId: TENANT, id: newId(), path: to, body: call, at });
    for (const name of ['webhook-timestamp', 'webhook-signature']) delete all[name];
    await receiver.refuses(`a call by ${version} to ${to}`, { path: PATH, body: call, headers: all });
    await receiver.refuses(`the same without an id`, { path: PATH, body: call, headers: { ...all, 'webhook-id': '' } });
  }
}

/** The requests of the vectors: refused, since they are old, and accepted when they are signed now. */
async function asInVectors(receiver, secrets) {
  for (const vector of vectors) {
    const { secret, previous_secret: previous, event_id: id, body } = vector;
    const path = new URL(vector.path, 'http://127.0.0.1').pathname.replace(/^\/hooks/, '');
    await receiver.refuses(`vector ${vector.name}, old`, { path, body, headers: vector.headers });
    const request = callback({}, { secret, previous, id, body, path });
    // What the own signature is made with is the newest secret alone.
    const [inForce, what] = [receiver.reads === OWN ? [secret] : [secret, previous], `vector ${vector.name}`];
    const isKnown = JSON.parse(body).type === 'tenant.secret_rotated';
    if (secrets.some((known) => inForce.includes(known))) await receiver.takes(what, request, isKnown);
    else await receiver.refuses(what, request);
  }
}

/** A ping of the service, from its endpoint to the receiver, and what the service then says of it. */
async function isPinged(name, receiver) {
  const port = await freePort();
  const base = { callback_url_base: `http://127.0.0.1:${port}`, signing_version: 'v2' };
  const { tenant_id: id, tenant_secret: secret } = await operator('provision/tenant', { tenant_name: name, ...base });
  const environment =
    receiver.reads === OWN
      ? { LATCHKEY_TENANT_SECRETS: secret }
      : { LATCHKEY_WEBHOOK_SECRET: webhookSecret(secret) };
  const running = new Receiver(name, receiver, environment, port);
  await until(30, () => running.send({ path: '/relay-callbacks/ready', headers: {} }, 'GET'));
  const { event_id: event } = await operator(`test/callback?tenant_id=${id}`, {});
  await until(30, async () => {
    expect(running.printed.includes(`handled ping ${event}`), `${name} has not handled the ping\n${running.notes()}`);
    const query = `tenant_id=${id}&event_id=${event}`;
    const { body } = await call(`/api/v1/fetch/callback?${query}`, undefined, { 'x-admin-key': adminKey });
    expect(body.data.state === 'delivered', `${name}: the ping is ${body.data.state}`);
  });
}

try {
  for (const [name, receiver] of Object.entries(RECEIVERS)) {
    const isOwn = receiver.reads === OWN;
    // One that has not moved to the new secret, and one that has. Where the header has one signature, of the newest
    // secret, both secrets are the receiver's to know.
    const started = [];
    for (const secrets of isOwn ? [[OLD], [NEW, OLD]] : [[OLD], [NEW]]) {
      const environment = isOwn
        ? { LATCHKEY_TENANT_SECRETS: secrets.join(' ') }
        : { LATCHKEY_WEBHOOK_SECRET: webhookSecret(secrets[0]) };
      started.push([new Receiver(name, receiver, environment, await freePort()), secrets]);
    }
    for (const [running, secrets] of started) {
      await until(30, () => running.send({ path: '/relay-callbacks/ready', headers: {} }, 'GET'));
      await asInVectors(running, secrets);
      if (isOwn && secrets.length === 1) continue;
      await right(running);
      await wrong(running);
      await noEvent(running);
      if (isOwn) {
        await running.takes('signed with the secret before', callback({}, { secret: OLD, previous: null }));
        await running.refuses('v1', callback({}, { version: 'v1' }));
        await running.refuses('another path', { ...callback(), path: '/relay-callbacks/test' });
      }
      await running.ends();
    }
    await isPinged(name, receiver);
    console.log(`receive: ${name} takes what is signed, once, and nothing else`);
  }
} finally {
  await end();
}
