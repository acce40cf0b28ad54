import * as oauth from 'oauth4webapi';

export const packages = ['oauth4webapi'];
export const set = "`validateJwtAccessToken` with `signingAlgorithms: ['ES256']`, `clockTolerance` 5; it requires `at+jwt`";
export const byHand = ['iat'];

export default async ({ issuer, audience, keySet }) => {
  const server = { issuer, jwks_uri: keySet };
  const rules = { signingAlgorithms: ['ES256'], [oauth.clockTolerance]: 5, [oauth.allowInsecureRequests]: true };
  return (token) => {
    const request = new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${token}` } });
    return oauth.validateJwtAccessToken(server, request, audience, rules);
  };
};
