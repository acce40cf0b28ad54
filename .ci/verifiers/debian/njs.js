// njs. Arguments: issuer, audience, the key set, the key in use as PEM, its id, it as JWK, and the tokens, because njs reads
// no standard input. Prints the claims of each, or why it is refused. Only the signature is not of this script.
import fs from 'fs';

const kid = process.argv[6];
const decoded = (text) => Buffer.from(text, 'base64url');

async function verified(token, key) {
  const parts = token.split('.');
  const header = JSON.parse(decoded(parts[0]));
  if (parts.length !== 3 || header.alg !== 'ES256' || header.kid !== kid) throw Error('another key or algorithm');
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  // A statement of its own: njs 0.7.9 takes no `await` within arguments.
  const isSigned = await crypto.subtle.verify(algorithm, key, decoded(parts[2]), signed);
  if (!isSigned) throw Error('a wrong signature');
  return decoded(parts[1]).toString();
}

async function main() {
  const pem = fs.readFileSync(process.argv[5], 'utf8').replace(/-----.*-----|\s/g, '');
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  // It takes no JWK for such a key.
  const key = await crypto.subtle.importKey('spki', Buffer.from(pem, 'base64'), curve, false, ['verify']);
  for (let place = 8; place < process.argv.length; place += 1) {
    const line = await verified(process.argv[place], key).catch((error) => `refused: ${error.message}`);
    console.log(line);
  }
}

main();
