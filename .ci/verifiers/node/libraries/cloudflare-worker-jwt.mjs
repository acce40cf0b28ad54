import jwt from '@tsndr/cloudflare-worker-jwt';

export const packages = ['@tsndr/cloudflare-worker-jwt'];
export const keys = 'JWK by `kid`';
export const set = "`algorithm: 'ES256'`, `throwError: true`, `clockTolerance: 5`";
export const byHand = ['typ', 'iss', 'aud', 'exp', 'iat', 'sub'];

export default async ({ keyOf, headerOf }) => {
  const rules = { algorithm: 'ES256', throwError: true, clockTolerance: 5 };
  return async (token) => (await jwt.verify(token, keyOf(headerOf(token).kid).jwk, rules)).payload;
};
