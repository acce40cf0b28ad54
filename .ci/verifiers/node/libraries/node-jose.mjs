import jose from 'node-jose';

export const packages = ['node-jose'];
export const set = "`createVerify(keystore, { algorithms: ['ES256'] })`: it checks the signature and no claim";
export const byHand = ['typ', 'iss', 'aud', 'exp', 'iat', 'sub'];

export default async ({ keys }) => {
  const store = await jose.JWK.asKeyStore({ keys });
  return async (token) => {
    const { payload } = await jose.JWS.createVerify(store, { algorithms: ['ES256'] }).verify(token);
    return JSON.parse(payload);
  };
};
