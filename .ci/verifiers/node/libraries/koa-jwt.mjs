import Koa from 'koa';
import koaJwt from 'koa-jwt';
import jwksRsa from 'jwks-rsa';
import { served } from '../served.mjs';

export const packages = ['koa-jwt', 'jwks-rsa'];
export const set = "`algorithms: ['ES256']`, `issuer`, `audience`, `clockTolerance: 5`";
export const byHand = ['typ', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const secret = jwksRsa.koaJwtSecret({ jwksUri, cache: true });
  const app = new Koa();
  app.use(koaJwt({ secret, algorithms: ['ES256'], issuer, audience, clockTolerance: 5 }));
  app.use((context) => (context.body = context.state.user));
  return served(app.callback());
};
