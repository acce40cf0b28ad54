import Hapi from '@hapi/hapi';
import Jwt from '@hapi/jwt';

export const packages = ['@hapi/jwt'];
export const cannot = 'it skips the EC keys of a key set, and the server does not start';
export const because = 'JWKS endpoint response contained no valid keys';

export default async ({ issuer: iss, audience: aud, keySet: uri }) => {
  const server = Hapi.server({ host: '127.0.0.1' });
  await server.register(Jwt);
  const verify = { iss, aud, sub: false };
  server.auth.strategy('latchkey', 'jwt', {
    keys: { uri, algorithms: ['ES256'] },
    verify,
    validate: () => ({ isValid: true }),
  });
  await server.start();
  return server;
};
