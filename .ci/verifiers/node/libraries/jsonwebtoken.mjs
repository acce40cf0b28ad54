import jwt from 'jsonwebtoken';

export const packages = ['jsonwebtoken'];
export const keys = 'PEM by `kid`';
export const set = "`algorithms: ['ES256']`, `issuer`, `audience`, `clockTolerance: 5`";
export const byHand = ['typ', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, keyOf, headerOf }) => {
  const rules = { algorithms: ['ES256'], issuer, audience, clockTolerance: 5 };
  return async (token) => jwt.verify(token, keyOf(headerOf(token).kid).pem, rules);
};
