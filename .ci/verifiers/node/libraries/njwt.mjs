import njwt from 'njwt';

export const packages = ['njwt'];
export const keys = 'PEM by `kid`';
export const set = "`setSigningAlgorithm('ES256')`, `withKeyResolver`";
export const byHand = ['typ', 'iss', 'aud', 'exp', 'iat', 'sub'];

export default async ({ keyOf }) => {
  const resolve = (kid, done) => done(null, keyOf(kid).pem);
  const verifier = njwt.createVerifier().setSigningAlgorithm('ES256').withKeyResolver(resolve);
  return async (token) => {
    const { promise, resolve, reject } = promised();
    verifier.verify(token, (error, verified) => (error ? reject(error) : resolve(verified.body.toJSON())));
    return promise;
  };
};

function promised() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
