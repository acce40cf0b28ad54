// Finds everything about a tenant's tokens with oauth4webapi, from the issuer alone, by RFC 8414. Then verifies the
// tokens on standard input, one a line, as RFC 9068 says, asks about each (RFC 7662), and revokes those that were
// active (RFC 7009). Arguments: issuer, audience; the API key is in API_KEY. Prints the id of the key or "refused"
// for each, then "revoked".

import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';
import { decodeProtectedHeader } from 'jose';

const [issuer, audience] = process.argv.slice(2);
const http = {
  [oauth.allowInsecureRequests]: true,
  [oauth.clockTolerance]: 0,
  signal: () => AbortSignal.timeout(10_000),
};
const client = { client_id: 'latchkey' };
const authenticate = (server, client, body, headers) => headers.set('authorization', `Bearer ${process.env.API_KEY}`);

const found = await oauth.discoveryRequest(new URL(issuer), { ...http, algorithm: 'oauth2' });
const server = await oauth.processDiscoveryResponse(new URL(issuer), found);

async function isActive(token) {
  const answer = await oauth.introspectionRequest(server, client, authenticate, token, http);
  return (await oauth.processIntrospectionResponse(server, client, answer)).active;
}

for await (const token of createInterface({ input: process.stdin })) {
  const request = new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${token}` } });
  const valid = oauth.validateJwtAccessToken(server, request, audience, http);
  // It leaves the time of issue to its caller.
  const verified = await valid.then(
    ({ iat }) => iat <= Date.now() / 1000,
    () => false,
  );
  const active = await isActive(token);
  if (active !== verified) throw new Error(`verified: ${verified}, active: ${active}`);
  console.log(verified ? decodeProtectedHeader(token).kid : 'refused');
  if (active) {
    const answer = await oauth.revocationRequest(server, client, authenticate, token, http);
    await oauth.processRevocationResponse(answer);
    if (await isActive(token)) throw new Error('revoked, and active');
    console.log('revoked');
  }
}
