#!/usr/bin/env bash
# How often Hono's middleware for keys of a JWKS address fetches them, and what it says of an access token of RFC 9068.
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

version=4.13.19
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "hono@$version" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >fetches.js <<'JS'
import { Hono } from 'hono';
import { jwk } from 'hono/jwk';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let fetched = 0;
const server = createServer((request, response) => {
  fetched += 1;
  response.setHeader('cache-control', 'public, max-age=300');
  response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'ES256' }] }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const text = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid: '1' })}.${encoded({ sub: 'ada', iat: now, exp: now + 60 })}`;
const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
const authorization = `Bearer ${text}.${signature.toString('base64url')}`;

const status = async (verification) => {
  const app = new Hono();
  app.use(jwk({ jwks_uri: `http://127.0.0.1:${server.address().port}/`, alg: ['ES256'], verification }));
  app.get('/', (context) => context.text(''));
  const statuses = [];
  for (let time = 0; time < 3; time += 1) statuses.push((await app.request('/', { headers: { authorization } })).status);
  return statuses.join(' ');
};
console.log(`at+jwt, by default: ${await status(undefined)}`);
fetched = 0;
console.log(`at+jwt, with typ: ${await status({ typ: 'at+jwt' })}`);
console.log(`key set fetched for three requests: ${fetched}`);
server.close();
JS
node fetches.js >seen.txt
cat >expected.txt <<'TXT'
at+jwt, by default: 401 401 401
at+jwt, with typ: 200 200 200
key set fetched for three requests: 3
TXT

echo "version: hono $version of npm, Node $(node --version)"
echo "behaviour: jwk() takes only the type JWT unless verification.typ names another, and fetches jwks_uri for each request,"
echo "  whatever its Cache-Control says."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
