import Hapi from '@hapi/hapi';
import plugin from 'hapi-auth-jwt2';
import jwksRsa from 'jwks-rsa';

export const packages = ['hapi-auth-jwt2', 'jwks-rsa'];
export const set = "`complete: true`, `verifyOptions: { algorithms: ['ES256'], issuer, audience, clockTolerance: 5 }`";
export const byHand = ['typ', 'exp', 'iat', 'sub'];
export const remark = 'an unknown `kid` is a 500';

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const server = Hapi.server({ host: '127.0.0.1' });
  await server.register(plugin);
  server.auth.strategy('latchkey', 'jwt', {
    complete: true,
    key: jwksRsa.hapiJwt2KeyAsync({ jwksUri, cache: true }),
    validate: async (claims) => ({ isValid: true, credentials: claims }),
    verifyOptions: { algorithms: ['ES256'], issuer, audience, clockTolerance: 5 },
  });
  server.auth.default('latchkey');
  server.route({ method: 'GET', path: '/', handler: (request) => request.auth.credentials });
  return async (token) => {
    const answer = await server.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`);
    return answer.result;
  };
};
