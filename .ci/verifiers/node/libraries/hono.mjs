import { Hono } from 'hono';
import { jwk } from 'hono/jwk';

export const packages = ['hono'];
export const set =
  "`alg: ['ES256']`, `verification: { typ: 'at+jwt', iss, aud }`, and `keys` as a function that keeps what it fetched: `jwks_uri` is fetched at each request";
export const byHand = ['exp', 'iat', 'sub'];
export const remark = 'no leeway: clocks must agree to the second';

export default async ({ issuer: iss, audience: aud, keySet }) => {
  let kept;
  const keys = async () => {
    if (!kept || kept.until < Date.now()) {
      const answer = await fetch(keySet);
      kept = { keys: (await answer.json()).keys, until: Date.now() + 60_000 };
    }
    return kept.keys;
  };
  const app = new Hono();
  app.use(jwk({ keys, alg: ['ES256'], verification: { typ: 'at+jwt', iss, aud } }));
  app.get('/', (context) => context.json(context.get('jwtPayload')));
  return async (token) => {
    const answer = await app.request('/', { headers: { authorization: `Bearer ${token}` } });
    if (answer.status !== 200) throw new Error(`${answer.status}`);
    return answer.json();
  };
};
