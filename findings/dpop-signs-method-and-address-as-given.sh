#!/usr/bin/env bash
# What two Node libraries put into `htm` and `htu` of a DPoP proof (RFC 9449, section 4.2: the method of the request, and
# its address without query and fragment).
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

dpop=2.1.2
oauth4webapi=3.8.8
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "dpop@$dpop" "oauth4webapi@$oauth4webapi" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >proofs.js <<'JS'
import * as dpop from 'dpop';
import * as oauth from 'oauth4webapi';

const keys = await dpop.generateKeyPair('ES256');
const address = 'https://Api.example.com:443/devices?limit=5#end';
const show = (library, proof) => {
  const { htm, htu } = JSON.parse(Buffer.from(proof.split('.')[1], 'base64url'));
  console.log(`${library}: htm ${htm}, htu ${htu}`);
};
show('dpop', await dpop.generateProof(keys, address, 'get'));
const catching = async (_, request) => {
  show('oauth4webapi', new Headers(request.headers).get('dpop'));
  return new Response('{}');
};
const options = { DPoP: oauth.DPoP({ client_id: 'app' }, keys), [oauth.customFetch]: catching };
await oauth.protectedResourceRequest('token', 'get', new URL(address), new Headers(), null, options);
JS
node proofs.js >seen.txt
cat >expected.txt <<'TXT'
dpop: htm get, htu https://Api.example.com:443/devices?limit=5#end
oauth4webapi: htm GET, htu https://api.example.com/devices
TXT

echo "version: dpop $dpop and oauth4webapi $oauth4webapi of npm, Node $(node --version)"
echo "behaviour: dpop signs method and address exactly as they are given, with query, fragment and small letters, and"
echo "  leaves it to its caller to take them off; oauth4webapi, of the same author, takes them off by itself."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
