// Verifies the tokens on standard input, one a line, with the library that the first argument names, as its
// documentation shows it and without a setting of when it fetches the keys. Further arguments: issuer, audience. Prints
// the id of the key, or "refused" and why, for each.

import { createInterface } from 'node:readline';
import { auth } from 'express-oauth2-jwt-bearer';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import * as oauth from 'oauth4webapi';

const [library, issuer, audience] = process.argv.slice(2);
const jwksUri = `${issuer}/.well-known/jwks.json`;

/** Each makes a function that throws if a token is not valid. */
const verifiers = {
  jose() {
    const keys = createRemoteJWKSet(new URL(jwksUri));
    return (token) => jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] });
  },
  async oauth4webapi() {
    const http = { [oauth.allowInsecureRequests]: true };
    const found = await oauth.discoveryRequest(new URL(issuer), { ...http, algorithm: 'oauth2' });
    const server = await oauth.processDiscoveryResponse(new URL(issuer), found);
    return (token) => {
      const request = new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${token}` } });
      return oauth.validateJwtAccessToken(server, request, audience, http);
    };
  },
  'express-oauth2-jwt-bearer'() {
    const handle = auth({ issuerBaseURL: issuer, audience, tokenSigningAlg: 'ES256', strict: true });
    return (token) =>
      new Promise((accept, refuse) => {
        // As much of a request of Express as it looks at.
        const headers = { host: '127.0.0.1', authorization: `Bearer ${token}` };
        const request = { method: 'GET', protocol: 'http', originalUrl: '/', headers, query: {}, is: () => false };
        const get = (name) => headers[name.toLowerCase()];
        handle({ ...request, get }, {}, (error) => (error ? refuse(error) : accept()));
      });
  },
  'jwks-rsa'() {
    const client = jwksRsa({ jwksUri });
    const keyOf = ({ kid }, done) => client.getSigningKey(kid, (error, key) => done(error, key?.getPublicKey()));
    const options = { issuer, audience, algorithms: ['ES256'] };
    return (token) =>
      new Promise((accept, refuse) => {
        jwt.verify(token, keyOf, options, (error) => (error ? refuse(error) : accept()));
      });
  },
};

const verify = await verifiers[library]();
for await (const token of createInterface({ input: process.stdin })) {
  try {
    await verify(token);
    console.log(decodeProtectedHeader(token).kid);
  } catch (error) {
    console.log(`refused: ${error.message.split('\n')[0]}`);
  }
}
