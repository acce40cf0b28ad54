// Introspects and revokes a token as OAuth clients do it unless they are told otherwise, with openid-client and
// oauth4webapi: in the form, and by HTTP Basic with id and secret percent-encoded (RFC 6749 §2.3.1). Arguments: the issuer
// and a client id, which is that of an API key; the key is in API_KEY. Standard input has a token a line, one for each
// way. Prints the ways.

import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

const [issuer, clientId] = [new URL(process.argv[2]), process.argv[3]];
const secret = process.env.API_KEY;

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

/** With openid-client, which finds the endpoints in the metadata. */
async function withOpenid(token, authentication) {
  const options = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] };
  const client = await openid.discovery(issuer, clientId, secret, authentication, options);
  const { active, sub } = await openid.tokenIntrospection(client, token);
  expect(active && sub, 'openid-client: the token is not active');
  await openid.tokenRevocation(client, token);
  expect(!(await openid.tokenIntrospection(client, token)).active, 'openid-client: active after its revocation');
}

/** With oauth4webapi. */
async function withOauth(token, authenticate) {
  const http = { [oauth.allowInsecureRequests]: true, signal: () => AbortSignal.timeout(10_000) };
  const found = await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const client = { client_id: clientId };
  const isActive = async () => {
    const answer = await oauth.introspectionRequest(server, client, authenticate, token, http);
    return (await oauth.processIntrospectionResponse(server, client, answer)).active;
  };
  expect(await isActive(), 'oauth4webapi: the token is not active');
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authenticate, token, http));
  expect(!(await isActive()), 'oauth4webapi: active after its revocation');
}

const ways = {
  'openid-client by default': (token) => withOpenid(token),
  'openid-client by HTTP Basic': (token) => withOpenid(token, openid.ClientSecretBasic(secret)),
  'oauth4webapi by HTTP Basic': (token) => withOauth(token, oauth.ClientSecretBasic(secret)),
  'oauth4webapi in the form': (token) => withOauth(token, oauth.ClientSecretPost(secret)),
};
const tokens = [];
for await (const token of createInterface({ input: process.stdin })) tokens.push(token);
expect(tokens.length === Object.keys(ways).length, `${tokens.length} tokens`);
for (const [name, way] of Object.entries(ways)) {
  await way(tokens.pop());
  console.log(name);
}
