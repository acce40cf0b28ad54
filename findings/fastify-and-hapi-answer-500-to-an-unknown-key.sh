#!/usr/bin/env bash
# What Fastify with @fastify/jwt and get-jwks, and hapi with hapi-auth-jwt2 and jwks-rsa, answer to a token whose key is not
# in the key set, as after a rotation that drops the old key.
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

fastify=(fastify@5.12.8 @fastify/jwt@10.2.8 get-jwks@11.0.3)
hapi=(@hapi/hapi@21.4.10 hapi-auth-jwt2@11.0.0 jwks-rsa@4.1.0)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "${fastify[@]}" "${hapi[@]}" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >answers.js <<'JS'
import fastifyJwt from '@fastify/jwt';
import Hapi from '@hapi/hapi';
import fastify from 'fastify';
import buildGetJwks from 'get-jwks';
import plugin from 'hapi-auth-jwt2';
import jwksRsa from 'jwks-rsa';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'known', alg: 'ES256', use: 'sig' };
const issuer = createServer((request, response) => response.end(JSON.stringify({ keys: [key] }))).listen(0, '127.0.0.1');
await once(issuer, 'listening');
const domain = `http://127.0.0.1:${issuer.address().port}`;
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const token = (kid) => {
  const claims = { iss: domain, sub: 'ada', iat: now, exp: now + 60 };
  const text = `${encoded({ alg: 'ES256', typ: 'JWT', kid })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return { authorization: `Bearer ${text}.${signature.toString('base64url')}` };
};

const [app, sets] = [fastify(), buildGetJwks()];
await app.register(fastifyJwt, {
  decode: { complete: true },
  secret: (request, { header: { kid, alg } }) => sets.getPublicKey({ domain, kid, alg }),
});
app.get('/', { onRequest: (request) => request.jwtVerify() }, () => 'ok');
const server = Hapi.server({ host: '127.0.0.1', debug: false });
await server.register(plugin);
server.auth.strategy('jwt', 'jwt', {
  complete: true,
  key: jwksRsa.hapiJwt2KeyAsync({ jwksUri: `${domain}/.well-known/jwks.json` }),
  validate: () => ({ isValid: true }),
  verifyOptions: { algorithms: ['ES256'] },
});
server.auth.default('jwt');
server.route({ method: 'GET', path: '/', handler: () => 'ok' });
for (const [name, asked] of Object.entries({ Fastify: app, hapi: server })) {
  for (const kid of ['known', 'unknown']) {
    const { statusCode } = await asked.inject({ url: '/', headers: token(kid) });
    console.log(`${name}, a ${kid === 'known' ? 'known' : 'dropped'} key: ${statusCode}`);
  }
}
issuer.close();
JS
node answers.js >seen.txt
cat >expected.txt <<'TXT'
Fastify, a known key: 200
Fastify, a dropped key: 500
hapi, a known key: 200
hapi, a dropped key: 500
TXT

echo "version: ${fastify[*]}, ${hapi[*]} of npm, Node $(node --version)"
echo "behaviour: both refuse the token, as an error of the server. A client that gets a new token at a 401 does not do so."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
