import express from 'express';
import { expressjwt } from 'express-jwt';
import jwksRsa from 'jwks-rsa';
import { served } from '../served.mjs';

export const packages = ['express-jwt', 'jwks-rsa'];
export const set = "`algorithms: ['ES256']`, `issuer`, `audience`, `clockTolerance: 5`";
export const byHand = ['typ', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const secret = jwksRsa.expressJwtSecret({ jwksUri, cache: true });
  const app = express();
  app.use(expressjwt({ secret, algorithms: ['ES256'], issuer, audience, clockTolerance: 5 }));
  app.get('/', (request, response) => response.json(request.auth));
  // Express prints the errors that nobody takes.
  app.use((error, request, response, next) => response.sendStatus(error.status ?? 500));
  return served(app);
};
