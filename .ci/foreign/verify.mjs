// Verifies the tokens on standard input, one a line, with jose. Arguments: issuer, audience. Prints the id of the key
// and the claims, as JSON, or "refused" for each.

import { createInterface } from 'node:readline';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const [issuer, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
const requiredClaims = ['exp', 'iat', 'sub', 'jti'];
for await (const token of createInterface({ input: process.stdin })) {
  try {
    const verified = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims,
      // Without it jose does not look at `iat`.
      maxTokenAge: '1d',
    });
    console.log(JSON.stringify([verified.protectedHeader.kid, verified.payload]));
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || error.constructor === errors.JOSEError) throw error;
    console.log('refused');
  }
}
