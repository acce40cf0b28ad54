import jsrsasign from 'jsrsasign';

const { KEYUTIL, KJUR } = jsrsasign;

export const packages = ['jsrsasign'];
export const keys = 'JWK by `kid`';
export const set = "`verifyJWT` with `alg: ['ES256']`, `iss`, `aud`, `gracePeriod: 5`";
export const byHand = ['typ', 'iss', 'aud', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, keyOf, headerOf }) => {
  const rules = { alg: ['ES256'], iss: [issuer], aud: [audience], gracePeriod: 5 };
  return async (token) => {
    const key = KEYUTIL.getKey(keyOf(headerOf(token).kid).jwk);
    if (!KJUR.jws.JWS.verifyJWT(token, key, rules)) throw new Error('not verified');
    return KJUR.jws.JWS.parse(token).payloadObj;
  };
};
