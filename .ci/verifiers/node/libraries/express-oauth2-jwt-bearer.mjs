import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import { served } from '../served.mjs';

export const packages = ['express-oauth2-jwt-bearer', 'express'];
export const set = "`strict: true`, `tokenSigningAlg: 'ES256'`, `issuer`, `jwksUri`, `audience`, `clockTolerance: 5`";
export const byHand = ['iat'];

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const rules = { issuer, jwksUri, audience, strict: true, tokenSigningAlg: 'ES256', clockTolerance: 5 };
  const app = express();
  app.get('/', auth(rules), (request, response) => response.json(request.auth.payload));
  // Express prints the errors that nobody takes.
  app.use((error, request, response, next) => response.sendStatus(error.status ?? 500));
  return served(app);
};
