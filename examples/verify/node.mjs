// Middleware for node:http and Express that checks a user's token. How to run it: README.md.

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

/** Lets a request with a valid token through, with its claims as `request.user`. With `introspectWith`, an API key of
 * the tenant, a revoked token is refused at once; without it, when it expires. */
export function latchkey({ url, tenantId, introspectWith }) {
  const issuer = `${url}/t/${tenantId}`;
  const rules = {
    algorithms: ['ES256'],
    typ: 'at+jwt',
    issuer,
    audience: tenantId,
    requiredClaims: ['exp', 'iat', 'sub'],
    // Without it jose does not look at `iat`, and takes a token that says it was issued later than now. No token is good
    // for more than a day.
    maxTokenAge: '1d',
    clockTolerance: 5,
  };
  // A token with an unknown key makes it fetch the keys again, every 5 seconds at most: that is how soon it sees a
  // rotation.
  const fetching = { timeoutDuration: 3000, cooldownDuration: 5000, cacheMaxAge: 300_000 };
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), fetching);

  async function isActive(token) {
    const answer = await fetch(`${url}/api/v1/auth/introspect`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${introspectWith}` },
      body: new URLSearchParams({ token }),
      signal: AbortSignal.timeout(3000),
    });
    if (!answer.ok) throw new Error(`introspect: ${answer.status}`);
    return (await answer.json()).active === true;
  }

  async function verify(token) {
    const { payload, protectedHeader } = await jwtVerify(token, keys, rules);
    const { aud, exp, iat, scope, sub } = payload;
    // What jose leaves to its caller. A token's header has three members, so none that points to another key.
    const isUser = scope === 'project_user' && aud === tenantId && typeof sub === 'string' && sub !== '';
    const isShort = exp > iat && exp - iat <= 86_400;
    if (!isUser || !isShort || Object.keys(protectedHeader).length !== 3) throw new errors.JWTInvalid('not a user\'s');
    if (introspectWith && !(await isActive(token))) throw new errors.JWTInvalid('revoked');
    return payload;
  }

  return async (request, response, next) => {
    const refuse = (status, headers) => response.writeHead(status, { 'Cache-Control': 'no-store', ...headers }).end();
    const [, token] = /^Bearer +([\w.-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    try {
      request.user = await verify(token ?? '');
    } catch (error) {
      return isRefusal(error) ? refuse(401, { 'WWW-Authenticate': 'Bearer' }) : refuse(503, { 'Retry-After': '1' });
    }
    return next();
  };
}

/** Whether an error is about the token. The class itself and the timeout are not: the keys could not be fetched. */
function isRefusal(error) {
  return error instanceof errors.JOSEError && ![errors.JOSEError, errors.JWKSTimeout].includes(error.constructor);
}

// Run by itself.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {
    LATCHKEY_URL: url,
    LATCHKEY_TENANT_ID: tenantId,
    LATCHKEY_API_KEY: introspectWith,
    PORT = '8080',
  } = process.env;
  const verify = latchkey({ url, tenantId, introspectWith });
  const server = createServer((request, response) => verify(request, response, () => response.end(request.user.sub)));
  server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
}
