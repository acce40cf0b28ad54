#!/usr/bin/env bash
# What @simplewebauthn/server asks of authenticators and what it then requires, by its defaults.
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

version=14.0.3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@simplewebauthn/server@$version" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >answers.js <<'JS'
import * as server from '@simplewebauthn/server';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const [RP_ID, ORIGIN] = ['example.com', 'https://example.com'];
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { x, y } = privateKey.export({ format: 'jwk' });
const id = randomBytes(32);
const encoded = (data) => Buffer.from(data).toString('base64url');
const sha256 = (data) => createHash('sha256').update(data).digest();

/** Authenticator data: the flags, a counter of 0, and what else is given. */
const data = (flags, ...rest) => Buffer.concat([sha256(RP_ID), Buffer.from([flags, 0, 0, 0, 0]), ...rest]);

/** What a browser and an authenticator answer, as Web Authentication Level 3 says, without an attestation. */
function answer(type, { challenge }, flags, members = {}) {
  const client = Buffer.from(JSON.stringify({ type, challenge, origin: ORIGIN, crossOrigin: false, ...members }));
  const clientDataJSON = encoded(client);
  const outer = { id: encoded(id), rawId: encoded(id), type: 'public-key', clientExtensionResults: {} };
  if (type === 'webauthn.get') {
    const authenticatorData = data(flags);
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(client)]), privateKey);
    const response = { clientDataJSON, authenticatorData: encoded(authenticatorData) };
    return { ...outer, response: { ...response, signature: encoded(signature) } };
  }
  const [first, second] = [x, y].map((coordinate) => Buffer.from(coordinate, 'base64url').toString('hex'));
  const key = Buffer.from(`a5010203262001215820${first}225820${second}`, 'hex');
  const attested = data(flags | 0x40, Buffer.alloc(16), Buffer.from([0, id.length]), id, key);
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex');
  const attestationObject = encoded(Buffer.concat([head, Buffer.from([attested.length]), attested]));
  return { ...outer, response: { clientDataJSON, attestationObject, transports: ['internal'] } };
}

/** What becomes of it: verified, or the library's words. */
async function outcome(verification) {
  try {
    return (await verification).verified ? 'verified' : 'not verified';
  } catch (error) {
    return error.message;
  }
}

const expected = ({ challenge }) => ({ expectedChallenge: challenge, expectedOrigin: ORIGIN, expectedRPID: RP_ID });
const creation = await server.generateRegistrationOptions({ rpName: 'Example', rpID: RP_ID, userName: 'ada' });
console.log(`asked for at the registration: ${creation.authenticatorSelection.userVerification}`);
// The person was there (UP), and was not verified (no UV): a security key without a PIN.
const response = answer('webauthn.create', creation, 0x01);
const made = (rest) => server.verifyRegistrationResponse({ response, ...expected(creation), ...rest });
console.log(`registered without verification: ${await outcome(made())}`);
const second = made({ requireUserVerification: false });
console.log(`registered without verification, with requireUserVerification false: ${await outcome(second)}`);
const { registrationInfo } = await second;
const request = await server.generateAuthenticationOptions({ rpID: RP_ID });
console.log(`asked for at the login: ${request.userVerification}`);
const login = { response: answer('webauthn.get', request, 0x01), credential: registrationInfo.credential };
const used = (rest) => server.verifyAuthenticationResponse({ ...login, ...expected(request), ...rest });
console.log(`used without verification: ${await outcome(used())}`);
const lenient = await outcome(used({ requireUserVerification: false }));
console.log(`used without verification, with requireUserVerification false: ${lenient}`);
JS
node answers.js >seen.txt
cat >expected.txt <<'TXT'
asked for at the registration: preferred
registered without verification: User verification was required, but user could not be verified
registered without verification, with requireUserVerification false: verified
asked for at the login: preferred
used without verification: User verification required, but user could not be verified
used without verification, with requireUserVerification false: verified
TXT

echo "version: @simplewebauthn/server $version of npm, Node $(node --version)"
echo "behaviour: by default the options ask for user verification as preferred, and the functions that verify the answers"
echo "  require it. A security key without a PIN answers as it was asked to, and is refused."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
