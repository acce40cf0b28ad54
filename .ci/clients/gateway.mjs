// Stands between a generated client and the service, and adds what no generator can: signatures of calls, the proofs of
// a phone and of a browser in the console, and what an authenticator answers. It passes everything else on as it is, and notes which operations were
// called and how they were answered.

import { createHash, createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';

const base64url = (data) => Buffer.from(data).toString('base64url');
const sha256 = (data) => createHash('sha256').update(data).digest();

/** A P-256 key, which signs. */
function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const sign = (data, dsaEncoding) => createSign('sha256').update(data).sign({ key: privateKey, dsaEncoding });
  return { x, y, sign };
}

/** A compact JWS (RFC 7515) of a phone, as of now. */
function jws(key, header, claims) {
  const parts = [{ alg: 'ES256', ...header }, { iat: Math.floor(Date.now() / 1000), ...claims }];
  const message = parts.map((part) => base64url(JSON.stringify(part))).join('.');
  return `${message}.${base64url(key.sign(message, 'ieee-p1363'))}`;
}

/** The proof of a phone (RFC 9449 §4.2). */
function proof(key, claims) {
  const jwk = { kty: 'EC', crv: 'P-256', x: key.x, y: key.y };
  return jws(key, { typ: 'dpop+jwt', jwk }, { jti: randomUUID(), ...claims });
}

/** CBOR (RFC 8949) of what an authenticator has: small numbers, texts, bytes and maps. */
function cbor(value) {
  const head = (major, size) => {
    if (size < 24) return Buffer.from([(major << 5) | size]);
    return Buffer.from([(major << 5) | 25, size >> 8, size & 255]);
  };
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
}

/** An authenticator with one passkey (Web Authentication Level 3 §6). */
export class Authenticator {
  id = randomUUID();
  key = newKey();
  count = 0;

  answer(type, options, origin, response) {
    const clientDataJSON = JSON.stringify({ type, challenge: options.challenge, origin, crossOrigin: false });
    const rest = response(sha256(clientDataJSON));
    const id = base64url(this.id);
    const told = { clientDataJSON: base64url(clientDataJSON), ...rest };
    return { id, rawId: id, type: 'public-key', response: told, clientExtensionResults: {} };
  }

  data(flags, more = []) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE((this.count += 1));
    return Buffer.concat([sha256('example.com'), Buffer.from([flags]), count, ...more]);
  }

  register(options, origin) {
    this.user = options.user.id;
    const point = [this.key.x, this.key.y].map((text) => Buffer.from(text, 'base64url'));
    const publicKey = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, point[0]], [-3, point[1]]]));
    const length = Buffer.from([0, this.id.length]);
    const authData = this.data(0x45, [Buffer.alloc(16), length, Buffer.from(this.id), publicKey]);
    const attestation = cbor(new Map([['fmt', 'none'], ['attStmt', new Map()], ['authData', authData]]));
    const response = { attestationObject: base64url(attestation), transports: ['internal'] };
    return this.answer('webauthn.create', options, origin, () => response);
  }

  logIn(options, origin) {
    const authenticatorData = this.data(0x05);
    return this.answer('webauthn.get', options, origin, (hash) => {
      const signature = this.key.sign(Buffer.concat([authenticatorData, hash]), 'der');
      const parts = { authenticatorData, signature };
      const texts = Object.entries(parts).map(([name, part]) => [name, base64url(part)]);
      return { ...Object.fromEntries(texts), userHandle: this.user };
    });
  }
}

/** A gateway to a service, for one client. */
export class Gateway {
  /** What was answered: `METHOD /path`, and the status. */
  seen = [];
  #authenticator = new Authenticator();
  #phone = newKey();

  constructor(service) {
    this.service = service;
  }

  async listen() {
    const answer = (request, response) =>
      this.#pass(request, response).catch((error) => response.writeHead(500).end(String(error?.stack)));
    this.server = createServer(answer).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #pass(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    const path = await this.#path(request.url);
    const body = this.#body(path, Buffer.concat(chunks));
    Object.assign(headers, this.#credentials(request.method, path, body, headers));
    const send = { method: request.method, headers, body: body.length > 0 ? body : undefined, redirect: 'manual' };
    const answer = await fetch(this.service + path, send);
    const text = await answer.text();
    this.nonce = answer.headers.get('dpop-nonce') ?? this.nonce;
    this.#learn(path, text);
    this.seen.push([`${request.method} ${path.split('?')[0]}`, answer.status, text]);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') }).end(text);
  }

  /** The file's version stands in the page. */
  async #path(path) {
    if (!path.startsWith('/pages/current/')) return path;
    const page = await (await fetch(`${this.service}/p`)).text();
    return path.replace('/current/', `/${/\/pages\/([^/]+)\//.exec(page)[1]}/`);
  }

  /** What a person's phone or browser would put into the body. */
  #body(path, body) {
    const known = { '/register/verify': 'register', '/authenticate/verify': 'logIn' };
    const ceremony = Object.keys(known).find((end) => path.endsWith(`/webauthn${end}`));
    const takesHandle = ['/device/pairing', '/device/register-token'].some((end) => path.endsWith(end));
    const decides = path.endsWith('/device/qr-login/decide');
    if (!ceremony && !takesHandle && !decides) return body;
    const fields = JSON.parse(body);
    if (takesHandle) fields.handle = this.handle;
    if (decides) fields.statement = this.#approval(fields.session_id);
    if (ceremony) fields.credential = this.#authenticator[known[ceremony]](this.options, fields.browser_origin);
    return Buffer.from(JSON.stringify(fields));
  }

  /** The statement of a person who approves what the scan has shown, where no number is asked for. */
  #approval(sessionId) {
    const { tenant_id: tenant, scan_id: scan, origin, display } = this.scanned;
    const claims = { aud: `${this.service}/t/${tenant}`, session_id: sessionId, scan_id: scan, device_id: this.device };
    const shown = { origin, match_number: null, decision: 'approve', display_sha256: display };
    return jws(this.#phone, { typ: 'qr-decision+jwt' }, { ...claims, ...shown });
  }

  #credentials(method, path, body, headers) {
    if (path.startsWith('/api/v1/relay/')) {
      const timestamp = String(Date.now());
      const signed = `${timestamp}.${sha256(body).toString('hex')}`;
      const signature = createHmac('sha256', this.secret).update(signed).digest('hex');
      return { 'x-latchkey-timestamp': timestamp, 'x-latchkey-signature': signature };
    }
    const [place] = path.split('?');
    const isConsole = place.startsWith('/api/v1/console/');
    if (!isConsole && (!place.startsWith('/api/v1/device/') || place.endsWith('/device/pairing'))) return {};
    const claims = { htm: method, htu: this.service + place, nonce: this.nonce };
    const opens = isConsole && !this.consoleSession;
    if (opens || place.endsWith('/register-token')) return { dpop: proof(this.#phone, { ...claims, nonce: undefined }) };
    const session = isConsole ? this.consoleSession : this.session;
    const ath = base64url(sha256(session));
    return { authorization: `DPoP ${session}`, dpop: proof(this.#phone, { ...claims, ath }) };
  }

  #learn(path, text) {
    const data = text.startsWith('{') ? JSON.parse(text).data : undefined;
    this.secret = data?.tenant_secret ?? this.secret;
    this.session = data?.device_session_token ?? this.session;
    this.consoleSession = data?.session_token ?? this.consoleSession;
    this.handle = data?.pairing_url?.split('#')[1] ?? this.handle;
    if (data?.challenge) this.options = data;
    if (data?.device_session_token) this.device = data.device_id ?? this.device;
    if (data?.scan_id) this.scanned = { ...data, display: base64url(sha256(text)) };
  }
}
