import { createVerifier } from 'fast-jwt';

export const packages = ['fast-jwt'];
export const keys = 'PEM by `kid`';
export const set =
  "`algorithms: ['ES256']`, `checkTyp: 'at+jwt'`, `allowedIss`, `allowedAud`, `requiredClaims`, `clockTolerance: 5000`";
export const byHand = ['iat'];

export default async ({ issuer, audience, keyOf }) =>
  createVerifier({
    key: async ({ header }) => keyOf(header.kid).pem,
    algorithms: ['ES256'],
    checkTyp: 'at+jwt',
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub'],
    clockTolerance: 5000,
  });
