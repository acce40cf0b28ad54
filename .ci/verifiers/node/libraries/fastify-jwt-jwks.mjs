import fastify from 'fastify';
import plugin from 'fastify-jwt-jwks';

export const packages = ['fastify-jwt-jwks'];
export const cannot = 'its algorithms are fixed, and ES256 is not among them';
export const because = '^401 .*Invalid public key';

export default async ({ issuer, audience, keySet: jwksUrl }) => {
  const app = fastify();
  await app.register(plugin, { jwksUrl, issuer, audience });
  app.get('/', { preValidation: app.authenticate }, (request) => request.user);
  return async (token) => {
    const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.body}`);
    return answer.json();
  };
};
