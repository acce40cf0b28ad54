// The tokens of a running service, in the hands of other people's libraries: each gets the issuer and nothing else.
// LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is, PYTHON and GO_VERIFIER what to run.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import {
  call,
  expect,
  forgeries,
  introspect,
  isActive,
  legacyToken,
  operator,
  provision,
  scopedToken,
  tampered,
  url,
  userToken,
} from './service.mjs';

const here = (file) => new URL(file, import.meta.url).pathname;
const verifiers = {
  jose: [process.execPath, here('verify.mjs')],
  PyJWT: [process.env.PYTHON, here('verify.py')],
  'go-jose': [process.env.GO_VERIFIER],
};

/** What a program says of each token. */
function run([command, ...args], tenant, tokens) {
  const options = { input: tokens.join('\n') + '\n', encoding: 'utf8', timeout: 30_000 };
  const env = { ...process.env, API_KEY: tenant.embed };
  const done = spawnSync(command, [...args, tenant.issuer, tenant.id], { ...options, env });
  expect(done.status === 0, `${args[0] ?? command}: ${done.error ?? done.stderr}`);
  return done.stdout.trimEnd().split('\n');
}

/** Every library accepts the first tokens, each with the key that its header names, and reads the claims that are in
 * it; and refuses the others. */
function verify(when, tenant, good, bad) {
  const read = good.map((token) => [decodeProtectedHeader(token).kid, decodeJwt(token)]);
  const expected = [...read, ...Object.values(bad).map(() => 'refused')];
  const names = [...good.map((_, place) => `good ${place}`), ...Object.keys(bad)];
  for (const [library, command] of Object.entries(verifiers)) {
    const lines = run(command, tenant, [...good, ...Object.values(bad)]);
    const said = lines.map((line) => (line === 'refused' ? line : JSON.parse(line)));
    names.forEach((name, place) => {
      const isExpected = isDeepStrictEqual(said[place], expected[place]);
      expect(isExpected, `${library}, ${when}, ${name}: ${lines[place]}, not ${JSON.stringify(expected[place])}`);
    });
    console.log(`${library}, ${when}: ${good.length} accepted, ${Object.keys(bad).length} refused`);
  }
}

/** The documented request, as it stands in the documentation that clients of this interface were written by. */
async function documented(tenant) {
  const text = readFileSync(here('documented.js'), 'utf8')
    .replace(/https:\/\/[^/"]+/, url)
    .replace('up_embed_...', tenant.embed)
    .replace('user-uuid-here', tenant.userId)
    .replace('org-uuid-here', tenant.organizationId);
  const token = await import(`data:text/javascript,${encodeURIComponent(`${text}\nexport default projectUserToken;`)}`);
  return token.default;
}

/** The status with which the account surface answers to a token. */
async function opens(token) {
  return (await call('/api/v1/agent-sessions', undefined, { authorization: `Bearer ${token}` })).status;
}

/** Scoped tokens: of two end users whose ids differ in their normal form only, and of the whole account. */
async function scoped(tenant, other) {
  const [composed, decomposed] = ['NFC', 'NFD'].map((form) => 'Zoë Łuk 客 💬'.normalize(form));
  const first = await scopedToken(tenant, { external_user_id: composed, expires_in_minutes: 5 });
  const second = await scopedToken(tenant, { external_user_id: decomposed });
  const account = await scopedToken(tenant);
  const { id, accountId, issuer } = tenant;
  const endUser = (id) => ({ scope: 'end_user', sub: `external:${id}`, external_user_id: id });
  const asAccount = { scope: 'account', sub: accountId };
  const own = new Map([
    [first, endUser(composed)],
    [second, endUser(decomposed)],
    [account, asAccount],
  ]);
  const all = { iss: issuer, aud: id, tenant_id: id, key_id: accountId, client_id: accountId };
  for (const [token, claims] of own) {
    const { iat, exp, jti, epochs, ...others } = decodeJwt(token);
    expect(isDeepStrictEqual(others, { ...all, ...claims }), `the claims of ${claims.sub}: ${JSON.stringify(others)}`);
    const isNow = Math.abs(iat - Date.now() / 1000) < 60;
    expect(/^[0-9a-f-]{36}$/.test(jti) && epochs && isNow, `jti, epochs or iat of ${claims.sub}`);
    const said = { active: true, token_type: 'Bearer', iat, exp, jti, epochs, ...others };
    expect(isDeepStrictEqual(await introspect(tenant, token), said), `introspection of ${claims.sub}`);
    expect((await opens(token)) === 200, `the account surface refuses ${claims.sub}`);
  }

  const bad = {
    ...(await forgeries(tenant, other, first)),
    "another end user's": tampered(first, endUser(decomposed)),
    'of the whole account': tampered(first, { ...asAccount, external_user_id: undefined }),
    'of another tenant': await scopedToken(other, { external_user_id: composed }),
  };
  for (const [name, forged] of Object.entries(bad)) {
    expect(!(await isActive(tenant, forged)), `active: scoped, ${name}`);
    // What another tenant's token opens there is not this tenant's.
    const status = { 'another tenant': 403, 'of another tenant': 200 }[name] ?? 401;
    expect((await opens(forged)) === status, `the account surface: scoped, ${name}`);
  }
  verify('scoped', tenant, [...own.keys()], bad);

  await operator(`revoke/tokens?tenant_id=${tenant.id}`, { external_user_id: composed });
  expect((await opens(first)) === 401 && !(await isActive(tenant, first)), 'a scoped token outlives its revocation');
  for (const token of [second, account, await scopedToken(tenant, { external_user_id: composed })]) {
    expect((await opens(token)) === 200 && (await isActive(tenant, token)), `revoked too: ${decodeJwt(token).sub}`);
  }
  // As it is documented: until it expires.
  verify('scoped, one of them revoked', tenant, [...own.keys()], {});
}

const [tenant, other] = [await provision('Foreign'), await provision('Other')];
const token = await documented(tenant);
expect(await isActive(tenant, token), 'the token of the documented request is not active');
console.log('documented request: an active token');

const bad = await forgeries(tenant, other);
for (const [name, forged] of Object.entries(bad)) expect(!(await isActive(tenant, forged)), `active: ${name}`);
verify('at first', tenant, [token, await legacyToken(tenant)], bad);
await scoped(tenant, other);

const { kid } = await operator(`rotate/signing-key?tenant_id=${tenant.id}`, { force: true });
const newer = await userToken(tenant);
expect(decodeProtectedHeader(newer).kid === kid, 'the new token is signed with another key than the new one');
expect(decodeProtectedHeader(token).kid !== kid, 'the key has not changed');
verify('after a rotation', tenant, [token, newer], bad);

// The metadata, by an OAuth client: at the address that RFC 8414 makes of the issuer. It revokes what it accepts.
const revocable = [await userToken(tenant), await userToken(tenant)];
const said = run([process.execPath, here('discover.mjs')], tenant, [...revocable, ...Object.values(bad)]);
const expected = [...revocable.flatMap(() => [kid, 'revoked']), ...Object.values(bad).map(() => 'refused')];
expect(JSON.stringify(said) === JSON.stringify(expected), `oauth4webapi: ${said}`);
console.log(`oauth4webapi: ${revocable.length} accepted and revoked, ${Object.keys(bad).length} refused`);

// Tokens in the hands of OAuth clients, which take an API key for a client.
const client = { id: tenant.embedId, issuer: tenant.issuer, embed: tenant.embed };
const each = await Promise.all([1, 2, 3, 4].map(() => userToken(tenant)));
const ways = run([process.execPath, here('revoke.mjs')], client, each);
expect(ways.length === each.length, `OAuth clients: ${ways}`);
for (const way of ways) console.log(`${way}: introspected and revoked`);

await operator(`rotate/signing-key?tenant_id=${tenant.id}`, { drop_previous: true });
const newest = await userToken(tenant);
verify('after a rotation that drops the old keys', tenant, [newest], {
  'of the first key': token,
  'of the second': newer,
});
for (const dropped of [token, newer]) expect(!(await isActive(tenant, dropped)), 'active, and its key was dropped');

// A kid is the thumbprint of RFC 7638, as others compute it.
const { body: set } = await call(new URL(`${tenant.issuer}/.well-known/jwks.json`).pathname);
for (const key of set.keys) expect(key.kid === (await calculateJwkThumbprint(key)), `no thumbprint: ${key.kid}`);
