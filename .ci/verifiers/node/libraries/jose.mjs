import { createRemoteJWKSet, jwtVerify } from 'jose';

export const packages = ['jose'];
export const set =
  "`algorithms: ['ES256']`, `typ: 'at+jwt'`, `issuer`, `audience`, `requiredClaims: ['exp', 'iat', 'sub']`, `maxTokenAge: '1d'`, `clockTolerance: 5`";

export default async ({ issuer, audience, keySet }) => {
  const keys = createRemoteJWKSet(new URL(keySet));
  const requiredClaims = ['exp', 'iat', 'sub'];
  const rules = { algorithms: ['ES256'], typ: 'at+jwt', issuer, audience, requiredClaims };
  const times = { maxTokenAge: '1d', clockTolerance: 5 };
  return async (token) => (await jwtVerify(token, keys, { ...rules, ...times })).payload;
};
