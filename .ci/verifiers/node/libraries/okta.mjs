import OktaJwtVerifier from '@okta/jwt-verifier';

export const packages = ['@okta/jwt-verifier'];
export const cannot = 'it takes RS256 only';
export const because = 'algorithm';

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const verifier = new OktaJwtVerifier({ issuer, jwksUri, testing: { disableHttpsCheck: true } });
  return async (token) => (await verifier.verifyAccessToken(token, audience)).claims;
};
