// Gives the tokens on standard input, JSON by name, to each library of libraries/, as its row says. ISSUER and AUDIENCE
// say whose tokens are to be accepted, KEY_SET where its keys are over HTTPS. Prints a line of JSON for each library.

import { createPublicKey } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { headerOf } from './header.mjs';
import { installed } from './installed.mjs';
import { broken } from './rules.mjs';

const { ISSUER: issuer, AUDIENCE: audience, KEY_SET: secureKeySet } = process.env;
const tokens = JSON.parse(await text(process.stdin));
const keySet = `${issuer}/.well-known/jwks.json`;
const { keys } = await (await fetch(keySet)).json();
const keyOf = (kid) => {
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) throw new Error(`no key ${kid}`);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return { jwk, key, pem: key.export({ type: 'spki', format: 'pem' }) };
};
const expected = { issuer, audience };
const setting = { ...expected, keySet, secureKeySet, keys, keyOf, headerOf };

/** Null if the token is accepted, else why not. */
async function refusal(verify, { byHand = [] }, token) {
  try {
    const claims = await verify(token);
    // No library has the scopes of Latchkey: that check is the caller's with each of them.
    const rule = broken([...byHand, 'scope'], headerOf(token), claims, expected);
    return rule ? `by hand: ${rule}` : null;
  } catch (error) {
    return String(error?.message ?? error);
  }
}

for (const file of readdirSync(new URL('libraries/', import.meta.url)).sort()) {
  const { default: setUp, packages, ...row } = await import(`./libraries/${file}`);
  const refusals = {};
  // A set-up that fails is a refusal of each token.
  const verify = await setUp(setting).catch((error) => () => Promise.reject(error));
  for (const [name, token] of Object.entries(tokens)) refusals[name] = await refusal(verify, row, token);
  console.log(JSON.stringify({ verifier: packages.map(installed).join(', '), ...row, refusals }));
}
process.exit();
