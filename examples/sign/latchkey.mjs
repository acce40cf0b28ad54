// A signed call, with nothing but Node. How to run it: README.md.

import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { LATCHKEY_URL, LATCHKEY_TENANT_ID, LATCHKEY_TENANT_SECRET } = process.env;

/** A signed call. The target is path and query, the body a string or bytes. `fetch` sends no body with GET and HEAD. */
function latchkey(method, target, body = '') {
  const address = new URL(LATCHKEY_URL + target);
  const [timestamp, nonce] = [`${Date.now()}`, randomUUID()];
  const digest = createHash('sha256').update(body).digest('hex');
  // Not `target`: `URL` escapes what may not stand in an address, and what is sent is what has to be signed.
  const signed = [timestamp, method, address.pathname + address.search, nonce, digest].join('.');
  const signature = createHmac('sha256', LATCHKEY_TENANT_SECRET).update(signed).digest('hex');
  return fetch(address, {
    method,
    headers: {
      'Content-Type': 'application/json',
      'X-Latchkey-Tenant-Id': LATCHKEY_TENANT_ID,
      'X-Latchkey-Timestamp': timestamp,
      'X-Latchkey-Nonce': nonce,
      'X-Latchkey-Signature': `v2=${signature}`,
    },
    body: body.length > 0 ? body : undefined,
    redirect: 'manual', // the signature is for this address alone
    signal: AbortSignal.timeout(10_000),
  });
}

const [method = 'GET', target = '/api/v1/relay/whoami', file] = process.argv.slice(2);
const answer = await latchkey(method, target, file && readFileSync(file));
console.log(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
