// The rules of docs/api/registry.md, as far as a page can know them: each function gives what is wrong with a text, or
// nothing.

import { t } from './console-texts.js';

const REFUSED = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const INVISIBLE = /^[\s\p{DI}]*$/u;
const HOST = /^(?!-)[a-z\d-]{1,63}(?<!-)(\.(?!-)[a-z\d-]{1,63}(?<!-))*$/;
const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const APP = 'android:apk-key-hash:';

const bytes = (text) => new TextEncoder().encode(text).length;

/** A text of 1 to 120 characters that people read. */
export function name(text) {
  if ([...text].length > 120) return t.rules.tooLong(120);
  if (REFUSED.test(text)) return t.rules.reorders;
  return INVISIBLE.test(text) ? t.rules.invisible : undefined;
}

export function externalId(text) {
  return [...text].length > 256 ? t.rules.tooLong(256) : undefined;
}

export const whole = (least, most) => (text) =>
  /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? undefined : t.rules.whole(least, most);

const parsed = (text) => (URL.canParse(text) ? new URL(text) : undefined);

/** A web origin, as browsers write it: whatever the parser of URLs would repair is refused. */
export function origin(text) {
  const lower = text.toLowerCase();
  const url = parsed(lower);
  if (!url || !['https:', 'http:'].includes(url.protocol)) return t.rules.origin(text);
  const isHttp = url.protocol === 'http:';
  if (isHttp && !LOCAL.includes(url.hostname)) return t.rules.https(text);
  const canonical = lower.replace(isHttp ? /:80$/ : /:443$/, '') === url.origin;
  const isPlain = HOST.test(url.hostname) || url.hostname.startsWith('[');
  return canonical && isPlain && url.port !== '0' && bytes(text) <= 255 ? undefined : t.rules.origin(text);
}

export function passkeyOrigin(text) {
  if (text.startsWith(APP)) return /^[\w-]{43}$/.test(text.slice(APP.length)) ? undefined : t.rules.app;
  return origin(text) ?? (text.toLowerCase().startsWith('https:') ? undefined : t.rules.https(text));
}

function publicUrl(text) {
  const [, authority] = /^https:\/\/([^/?]*)/i.exec(text) ?? [];
  if (bytes(text) > 2048 || !/^[!-~]+$/.test(text) || /[\\@#]/.test(text)) return t.rules.url;
  if (!authority || origin(`https://${authority}`)) return t.rules.url;
  const { hostname } = new URL(text);
  const isName = hostname.includes('.') && !hostname.startsWith('[') && !/^[\d.]+$/.test(hostname);
  return isName ? undefined : t.rules.publicHost;
}

export const logo = publicUrl;

export function callbackBase(text) {
  // What `cargo dev` runs takes a receiver on the developer's own machine, too.
  if (LOCAL.includes(location.hostname) && /^http:\/\/127\.0\.0\.1(:\d+)?(\/[^@?#%\\]*)?$/.test(text)) return undefined;
  if (publicUrl(text)) return publicUrl(text);
  const url = new URL(text);
  return url.search || url.port ? t.rules.base : undefined;
}

export function rpId(text) {
  return HOST.test(text) && text.includes('.') ? undefined : t.rules.rpId;
}

export const TYPES = [
  ['qr_login', ['approved', 'denied', 'expired']],
  ['pairing', ['created', 'removed']],
  ['passkey', ['registered', 'used', 'renamed', 'revoked', 'clone_suspected']],
  ['tenant', ['suspended', 'reactivated', 'secret_rotated']],
].flatMap(([flow, types]) => types.map((type) => `${flow}.${type}`));
TYPES.push('ping');

export function callbackType(text) {
  const isBeginning = text.endsWith('.*') && TYPES.some((type) => type.startsWith(text.slice(0, -1)));
  return isBeginning || TYPES.includes(text) ? undefined : t.rules.type(text);
}

/** Of a text with one value a line. */
export const lines = (most, rule) => (values) => {
  if (values.length > most) return t.rules.tooMany(most);
  return values.map(rule).find(Boolean);
};

export const uuid = (text) => (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? undefined : t.rules.uuid);

export const keyId = (text) => (/^key_[\da-f]{16}$/.test(text) ? undefined : t.rules.keyId);
