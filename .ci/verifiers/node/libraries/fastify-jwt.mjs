import fastifyJwt from '@fastify/jwt';
import fastify from 'fastify';
import buildGetJwks from 'get-jwks';

export const packages = ['@fastify/jwt', 'get-jwks'];
export const set =
  "`decode: { complete: true }`, `verify: { algorithms: ['ES256'], checkTyp: 'at+jwt', allowedIss, allowedAud, requiredClaims, clockTolerance: 5000 }`; `secret` asks for the key of the configured issuer";
export const byHand = ['iat'];
export const remark = 'an unknown `kid` is a 500';

export default async ({ issuer, audience }) => {
  const [app, sets] = [fastify(), buildGetJwks({ issuersWhitelist: [issuer] })];
  await app.register(fastifyJwt, {
    decode: { complete: true },
    secret: (request, { header: { kid, alg } }) => sets.getPublicKey({ domain: issuer, kid, alg }),
    verify: {
      algorithms: ['ES256'],
      checkTyp: 'at+jwt',
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub'],
      clockTolerance: 5000,
    },
  });
  app.get('/', { onRequest: (request) => request.jwtVerify() }, (request) => request.user);
  return async (token) => {
    const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`);
    return answer.json();
  };
};
