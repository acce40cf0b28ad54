// Stands in for the operations of phones, `/api/v1/device/…`, in a browser: it verifies every proof and statement, by a
// library that is not ours, and keeps its state here. The pages do not know that it is not the service. Pairings with the
// service itself are in pairing.mjs.

import { createHash, randomBytes } from 'node:crypto';
import { EmbeddedJWK, calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { expect } from '../foreign/service.mjs';

const DAY = 24 * 60 * 60;
const random = (bytes) => randomBytes(bytes).toString('base64url');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('base64url');
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

class Refused extends Error {
  constructor(status, code, headers = {}) {
    super(code);
    Object.assign(this, { status, code, headers });
  }
}

/** A tenant as the operations of phones show it. */
export function tenant(name, { logo = null, brand = null } = {}) {
  const id = randomBytes(16);
  return {
    bytes: id,
    shown: {
      tenant_id: `tnt_${id.toString('hex')}`,
      tenant_name: name,
      branding_display_name: brand,
      branding_logo_url: logo,
    },
  };
}

export class DeviceService {
  constructor(origin) {
    Object.assign(this, { origin, handles: new Map(), sessions: new Map(), logins: new Map(), keys: new Map() });
    Object.assign(this, { proofs: new Set(), calls: [], failures: [], expiresIn: 30 * DAY, nonce: random(16) });
  }

  /** Answers for a browser's pages. */
  async install(context) {
    await context.route('**/api/v1/device/**', (route) => this.#answer(route));
  }

  /** A pairing that a tenant has prepared: its handle. */
  handle(of, person, contact = { user_email: 'a••@e•••••.com', user_phone: null }) {
    const handle = random(16);
    this.handles.set(handle, { tenant: of, person, contact });
    return handle;
  }

  /** A QR login: the path that its code leads to. */
  login(of, facts = {}) {
    const id = of.bytes.toString('base64url') + random(16);
    const mac = random(16);
    const shown = {
      origin: 'https://app.example.com',
      browser: 'Firefox',
      system: 'Windows',
      initiated_at: '2026-11-29T12:00:00Z',
      number_matching: true,
      confirm_distant: false,
      ...facts,
    };
    this.logins.set(id, { tenant: of, mac, shown, number: '42', phase: 'waiting' });
    return { id, path: `/q/${id}#0.${mac}` };
  }

  /** The next request is refused so; without a status there is no answer at all. */
  fail(path, status, code) {
    this.failures.push({ path, status, code });
  }

  /** How often a path was asked for since the last time, nonces aside. */
  asked(path) {
    const count = this.calls.filter((call) => call === path).length;
    this.calls = [];
    return count;
  }

  async #answer(route) {
    const request = route.request();
    const path = new URL(request.url()).pathname.replace('/api/v1/device/', '');
    try {
      const headers = await request.allHeaders();
      expect(!headers.cookie && !headers.referer, `${path}: a cookie or a referrer`);
      expect(request.method() === 'GET' || headers.origin === this.origin, `${path} of origin ${headers.origin}`);
      const known = [
        'pairing',
        'register-token',
        'refresh-token',
        'rename',
        'unpair',
        'pairings',
        'qr-login/scan',
        'qr-login/decide',
      ];
      expect(known.includes(path), `there is no ${path}`);
      expect(request.method() === (path === 'pairings' ? 'GET' : 'POST'), `${path}: ${request.method()}`);
      const index = this.failures.findIndex((failure) => failure.path === path);
      if (index >= 0) {
        const [{ status, code }] = this.failures.splice(index, 1);
        if (!status) return await route.abort('connectionfailed');
        throw new Refused(status, code);
      }
      const jkt = path === 'pairing' ? undefined : await this.#proven(request, headers);
      const data = await this.#perform(path, jkt, headers, request.postDataJSON());
      this.calls.push(path);
      const { status = 200, body } = data;
      await route.fulfill({ status, contentType: 'application/json', headers: this.#nonce(), body });
    } catch (error) {
      if (!(error instanceof Refused)) this.broken ??= error;
      const { status = 500, code = 'internal', headers } = error;
      const body = { success: false, status_code: status, message: code, data: null, error: { code } };
      await route.fulfill({ status, contentType: 'application/json', headers, body: JSON.stringify(body) });
    }
  }

  #nonce() {
    return { 'DPoP-Nonce': this.nonce };
  }

  /** The thumbprint of the key of a request's proof (RFC 9449 §4.3). */
  async #proven(request, headers) {
    const proof = headers.dpop;
    expect(proof, 'no proof');
    const { jwk, ...header } = decodeProtectedHeader(proof);
    expect(same(header, { alg: 'ES256', typ: 'dpop+jwt' }), `header of a proof: ${JSON.stringify(header)}`);
    expect(same(Object.keys(jwk), ['kty', 'crv', 'x', 'y']), `key of a proof: ${JSON.stringify(jwk)}`);
    const options = { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: '60 s', requiredClaims: ['jti'] };
    const { payload } = await jwtVerify(proof, EmbeddedJWK, options);
    expect(payload.htm === request.method() && payload.htu === request.url(), `proof of ${payload.htm} ${payload.htu}`);
    if (payload.nonce !== this.nonce) throw new Refused(401, 'use_dpop_nonce', this.#nonce());
    expect(!this.proofs.has(payload.jti), 'a proof is sent twice');
    this.proofs.add(payload.jti);
    const jkt = await calculateJwkThumbprint(jwk);
    const token = headers.authorization?.replace(/^DPoP /, '');
    expect(payload.ath === (token && sha256(token)), 'a proof of another token');
    this.keys.set(jkt, jwk);
    return jkt;
  }

  #session(jkt, headers) {
    const token = headers.authorization?.replace(/^DPoP /, '');
    const session = this.sessions.get(token);
    if (!session || session.jkt !== jkt) throw new Refused(401, 'unauthenticated');
    return { token, session };
  }

  async #perform(path, jkt, headers, body) {
    const answer = (data, status = 200) => ({
      status,
      body: JSON.stringify({ success: true, status_code: status, message: 'OK', data }),
    });
    if (path === 'pairing' || path === 'register-token') {
      const offered = this.handles.get(body.handle);
      if (!offered) throw new Refused(404, 'pairing_not_found');
      const { tenant: of, person, contact } = offered;
      if (path === 'pairing') return answer({ ...of.shown, display_name: person, ...contact });
      this.handles.delete(body.handle);
      expect(body.name && ['android', 'ios', 'other'].includes(body.platform), 'no name, or no platform');
      const device = { device_id: `dev_${random(8)}`, name: body.name, platform: body.platform ?? null };
      const session = { jkt, tenant: of, person, device: { ...device, created_at: '2026-11-29T12:00:00Z' } };
      return answer({ ...of.shown, device_id: device.device_id, ...this.#open(session) }, 201);
    }
    const { token, session } = this.#session(jkt, headers);
    if (path === 'refresh-token') {
      this.sessions.delete(token);
      return answer(this.#open(session));
    }
    if (path === 'rename') {
      session.device.name = body.name;
      return answer({ device_id: session.device.device_id, name: body.name });
    }
    if (path === 'unpair') {
      this.sessions.delete(token);
      return answer({ device_id: session.device.device_id });
    }
    if (path === 'pairings') {
      const ours = [...this.sessions.values()].filter((other) => other.tenant === session.tenant);
      return answer({ pairings: ours.map(({ device }) => ({ last_used_at: device.created_at, ...device })) });
    }
    return path === 'qr-login/scan' ? this.#scan(session, body, answer) : this.#decide(session, body, answer);
  }

  #open(session) {
    const token = `ds_${random(32)}`;
    this.sessions.set(token, session);
    return { device_session_token: token, expires_in: this.expiresIn };
  }

  #scan(session, { session_id, frame, mac }, answer) {
    const login = this.logins.get(session_id);
    if (!login || login.tenant !== session.tenant || frame !== 0 || mac !== login.mac) throw new Refused(410, 'qr_login_gone');
    if (login.device && login.device !== session.device) throw new Refused(409, 'qr_login_taken');
    Object.assign(login, { device: session.device, phase: 'scanned', scanId: random(16) });
    const scanned = answer({ scan_id: login.scanId, ...login.tenant.shown, ...login.shown });
    login.display = sha256(scanned.body);
    return scanned;
  }

  async #decide(session, { session_id, statement }, answer) {
    const login = this.logins.get(session_id);
    if (login?.phase !== 'scanned') throw new Refused(410, 'qr_login_gone');
    const { payload, protectedHeader } = await compactVerify(
      statement,
      await importJWK(this.keys.get(session.jkt), 'ES256'),
    );
    expect(same(protectedHeader, { alg: 'ES256', typ: 'qr-decision+jwt' }), 'header of a statement');
    const { iat, match_number: number, decision, ...claims } = JSON.parse(new TextDecoder().decode(payload));
    expect(Math.abs(iat - Date.now() / 1000) < 60, 'time of a statement');
    const expected = {
      aud: `${this.origin}/t/${login.tenant.shown.tenant_id}`,
      session_id,
      scan_id: login.scanId,
      device_id: session.device.device_id,
      origin: login.shown.origin,
      display_sha256: login.display,
    };
    expect(same(claims, expected), `claims of a statement: ${JSON.stringify(claims)}`);
    expect(number === null || /^\d\d$/.test(number), `number of a statement: ${number}`);
    const isRight = number === (login.shown.number_matching ? login.number : null);
    login.phase = decision === 'approve' && isRight ? 'approved' : 'denied';
    login.statement = { number, decision };
    return answer({ phase: login.phase });
  }
}
