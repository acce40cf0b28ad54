import { JwtVerifier } from 'aws-jwt-verify';

export const packages = ['aws-jwt-verify'];
export const keys = 'key set, over HTTPS only';
export const set = '`issuer`, `audience`, `jwksUri`, `graceSeconds: 5`; the checks by hand in `customJwtCheck`';
export const byHand = ['typ', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, secureKeySet: jwksUri }) => {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri, graceSeconds: 5 });
  return (token) => verifier.verify(token);
};
