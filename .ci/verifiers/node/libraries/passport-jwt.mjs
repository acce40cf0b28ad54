import express from 'express';
import jwksRsa from 'jwks-rsa';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { served } from '../served.mjs';

export const packages = ['passport-jwt', 'jwks-rsa'];
export const set = "`algorithms: ['ES256']`, `issuer`, `audience`, `jsonWebTokenOptions: { clockTolerance: 5 }`";
export const byHand = ['typ', 'exp', 'iat', 'sub'];

export default async ({ issuer, audience, keySet: jwksUri }) => {
  const secretOrKeyProvider = jwksRsa.passportJwtSecret({ jwksUri, cache: true });
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  const rules = { algorithms: ['ES256'], issuer, audience, jsonWebTokenOptions: { clockTolerance: 5 } };
  const strategy = new Strategy({ jwtFromRequest, secretOrKeyProvider, ...rules }, (claims, done) => done(null, claims));
  const app = express();
  app.use(passport.initialize());
  app.get('/', passport.authenticate(strategy, { session: false }), (request, response) => response.json(request.user));
  return served(app);
};
