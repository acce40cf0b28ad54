// What the key of this browser signs. Its `typ` tells a proof of possession (RFC 9449), one for each request, from a
// statement of a phone, one for each decision, so neither is ever taken for the other.

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const utf8 = new TextEncoder();

export function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export async function sha256(bytes) {
  return base64url(await crypto.subtle.digest('SHA-256', bytes));
}

/** A pair of keys whose private one never leaves the browser, not even for this page. */
export function newKeys() {
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
}

/** A compact JWS (RFC 7515). */
export async function sign(keys, header, claims) {
  const part = (value) => base64url(utf8.encode(JSON.stringify(value)));
  const text = `${part({ alg: 'ES256', ...header })}.${part(claims)}`;
  return `${text}.${base64url(await crypto.subtle.sign(ALGORITHM, keys.privateKey, utf8.encode(text)))}`;
}

/** A proof for one request. */
export async function dpopProof(keys, { method, url, nonce, token }) {
  // Only what RFC 7638 names: an exported key also has `key_ops` and `ext`, which some verifiers refuse.
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
  return sign(
    keys,
    { typ: 'dpop+jwt', jwk: { kty, crv, x, y } },
    {
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
      htm: method,
      htu: url,
      iat: now(),
      nonce,
      ath: token && (await sha256(utf8.encode(token))),
    },
  );
}

export function now() {
  return Math.floor(Date.now() / 1000);
}
