import { dpopProof, now, sha256, sign } from './proof.js';

export class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

let nonce;

async function once(method, path, { keys, token, body }) {
  const url = location.origin + path;
  const headers = { Accept: 'application/json' };
  if (body) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `DPoP ${token}`;
  if (keys) headers.DPoP = await dpopProof(keys, { method, url, nonce, token });
  const response = await fetch(url, {
    method,
    headers,
    body: body && JSON.stringify(body),
    mode: 'cors',
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(15_000),
  });
  nonce = response.headers.get('DPoP-Nonce') ?? nonce;
  return { status: response.status, bytes: await response.arrayBuffer() };
}

async function send(method, path, options = {}) {
  for (const isLast of [false, true]) {
    let answer;
    try {
      answer = await once(method, path, options);
    } catch {
      throw new Refusal(0, 'unreachable');
    }
    const { status, bytes } = answer;
    let body;
    try {
      body = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new Refusal(status, 'unreadable');
    }
    if (status < 300) return { data: body.data, bytes };
    const code = body.error?.code ?? 'unknown';
    if (isLast || status !== 401 || code !== 'use_dpop_nonce') throw new Refusal(status, code);
  }
}

function tenantOf({ tenant_id, tenant_name, branding_display_name, branding_logo_url }) {
  return { id: tenant_id, name: branding_display_name ?? tenant_name, logo: branding_logo_url };
}

function sessionOf({ device_session_token, expires_in }) {
  return { token: device_session_token, expiresAt: Date.now() + expires_in * 1000 };
}

export async function lookUp(handle) {
  const { data } = await send('POST', '/api/v1/device/pairing', { body: { handle } });
  const { display_name, user_email, user_phone } = data;
  return { tenant: tenantOf(data), person: display_name, email: user_email, phone: user_phone };
}

export async function register(keys, { handle, name, platform }) {
  const options = { keys, body: { handle, name, platform } };
  const { data } = await send('POST', '/api/v1/device/register-token', options);
  return { deviceId: data.device_id, tenant: tenantOf(data), ...sessionOf(data) };
}

export async function refresh({ keys, token }) {
  const { data } = await send('POST', '/api/v1/device/refresh-token', { keys, token });
  return sessionOf(data);
}

export async function unpair({ keys, token }) {
  await send('POST', '/api/v1/device/unpair', { keys, token });
}

export async function rename({ keys, token }, name) {
  const { data } = await send('POST', '/api/v1/device/rename', { keys, token, body: { name } });
  return data.name;
}

export async function pairings({ keys, token }) {
  const { data } = await send('GET', '/api/v1/device/pairings', { keys, token });
  return data.pairings.map(({ device_id, name, platform, created_at, last_used_at }) => ({
    deviceId: device_id,
    name,
    platform,
    createdAt: created_at,
    lastUsedAt: last_used_at,
  }));
}

export function tenantIdOf(sessionId) {
  const encoded = sessionId.slice(0, 22);
  if (!/^[\w-]{22}$/.test(encoded)) return undefined;
  const bytes = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  return `tnt_${[...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')}`;
}

export function frameOf(fragment) {
  const [, frame, mac] = /^(\d{1,4})\.([\w-]{22})$/.exec(fragment) ?? [];
  return mac && { frame: Number(frame), mac };
}

export async function scan({ keys, token }, sessionId, { frame, mac }) {
  const body = { session_id: sessionId, frame, mac };
  const { data, bytes } = await send('POST', '/api/v1/device/qr-login/scan', { keys, token, body });
  const { scan_id, origin, browser, system, initiated_at, number_matching, confirm_distant } = data;
  return {
    scanId: scan_id,
    tenant: tenantOf(data),
    origin,
    browser,
    system,
    initiatedAt: initiated_at,
    asksNumber: number_matching,
    asksTwice: confirm_distant,
    displaySha256: await sha256(bytes),
  };
}

export function statement({ keys, deviceId }, sessionId, scanned, decision, number) {
  const claims = {
    aud: `${location.origin}/t/${scanned.tenant.id}`,
    iat: now(),
    session_id: sessionId,
    scan_id: scanned.scanId,
    device_id: deviceId,
    origin: scanned.origin,
    match_number: number,
    decision,
    display_sha256: scanned.displaySha256,
  };
  return sign(keys, { typ: 'qr-decision+jwt' }, claims);
}

export async function decide({ keys, token }, sessionId, statement) {
  const body = { session_id: sessionId, statement };
  const { data } = await send('POST', '/api/v1/device/qr-login/decide', { keys, token, body });
  return data.phase;
}
