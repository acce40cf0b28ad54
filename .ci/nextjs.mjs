// Runs examples/nextjs, which has been built, against a running service. LATCHKEY_URL, AWS_URL and ADMIN_KEY say
// where the service is, NEXTJS is the folder of the application.
//
// Clerk's own package verifies the sessions. The key pair that signs them is made here, in place of Clerk's.

import { SignJWT, decodeJwt, exportSPKI, generateKeyPair } from 'jose';
import { end, freePort, start, until } from './running.mjs';
import { expect, introspect, operator, provision, url } from './foreign/service.mjs';

const { NEXTJS } = process.env;
const EMBED_URL = 'https://app.example.com/share';
const FORGED = 'sent-by-the-browser';

const keys = await generateKeyPair('RS256');

/** A session as Clerk issues it: version 2 of its claims, with an organization or without. */
function session({ user = 'user_ada', organization, key = keys.privateKey, seconds = 60 }) {
  const o = organization && { id: `org_${organization}`, slg: organization, rol: 'admin' };
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ v: 2, sid: 'sess_1', fva: [0, -1], o, nbf: now - 60 })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'ins_1' })
    .setIssuer('https://clerk.example.com')
    .setSubject(user)
    .setIssuedAt(now - 60)
    .setExpirationTime(now + seconds)
    .sign(key);
}

/** The application, as it is deployed. */
async function application(tenant) {
  const port = await freePort();
  // Not 127.0.0.1: Clerk rewrites the request to `localhost`, which Next.js would then proxy as another host.
  const printed = start(
    NEXTJS,
    process.execPath,
    ['node_modules/next/dist/bin/next', 'start', '-H', 'localhost', '-p', port],
    {
      LATCHKEY_URL: url,
      LATCHKEY_API_KEY: tenant.embed,
      EMBED_URL,
      CLERK_JWT_KEY: await exportSPKI(keys.publicKey),
    },
  );
  const site = `http://localhost:${port}`;
  await until(30, () => fetch(site, { signal: AbortSignal.timeout(5000) }));

  /** The page and the token in it, if there is one. */
  async function page(token) {
    const headers = { 'x-latchkey-token': FORGED, ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${site}/dashboard`, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    expect(answer.status === 200, `the page: ${answer.status}`);
    for (const hidden of [FORGED, tenant.embed, tenant.admin]) {
      expect(
        !text.includes(hidden) && !JSON.stringify([...answer.headers]).includes(hidden),
        'the page shows what it must not',
      );
    }
    const [, address] = /<iframe[^>]* src="([^"]*)"/.exec(text) ?? [];
    expect(Boolean(address) !== text.includes('<p>Sign in, or try again.'), 'neither a frame nor a reason, or both');
    if (!address) return null;
    expect(address.startsWith(`${EMBED_URL}?jwt=`), `a frame of ${new URL(address).origin}`);
    expect(/<meta name="referrer" content="no-referrer"/.test(text), 'the page sends its address with its requests');
    return address.slice(EMBED_URL.length + '?jwt='.length);
  }
  // Without what Next.js says of its own start.
  const logged = () => printed.filter((line) => !/^( *$|▲|✓|- )/.test(line));
  return { page, logged };
}

async function middleware() {
  const tenant = await provision('Next.js');
  const { page, logged } = await application(tenant);

  // Requests that must get no token.
  const stranger = await generateKeyPair('RS256');
  const nobody = {
    'no session': null,
    garbage: 'a.b.c',
    'no organization': await session({}),
    'an expired session': await session({ organization: 'acme', seconds: -30 }),
    'a session of another Clerk': await session({ organization: 'acme', key: stranger.privateKey }),
  };
  for (const [name, token] of Object.entries(nobody)) expect((await page(token)) === null, `a token for ${name}`);
  const { data } = await registered(tenant);
  expect(data.registered_tenants.length === 0, 'somebody was registered who is not signed in');

  // Two users of one organization, and one of another.
  const seen = new Set();
  for (const [user, organization] of [
    ['user_ada', 'acme'],
    ['user_bob', 'acme'],
    ['user_ada', 'globex'],
  ]) {
    const token = await page(await session({ user, organization }));
    const { sub, scope, exp, iat, external_user_id: id, data: shown } = decodeJwt(token);
    const said = JSON.stringify([sub, scope, exp - iat, id, shown.displayName, shown.payload.prefilters]);
    const expected = [
      `key:org_${organization}`,
      'registered_tenant',
      3600,
      user,
      organization,
      { organization_id: `org_${organization}` },
    ];
    expect(said === JSON.stringify(expected), `the token of ${user}: ${said}`);
    expect((await introspect(tenant, token)).active, `the token of ${user} is not active`);
    seen.add(token);
  }
  expect(seen.size === 3, 'one token for two');
  const names = (await registered(tenant)).data.registered_tenants.map((one) => one.key).sort();
  expect(`${names}` === 'org_acme,org_globex', `registered: ${names}`);
  expect(logged().length === 0, `the application printed ${logged().length} lines`);

  // When Latchkey refuses, the page is shown without the frame, and the log has a status and a request id only.
  await operator(`suspend/tenant?tenant_id=${tenant.id}`, {});
  expect((await page(await session({ organization: 'acme' }))) === null, 'a token of a suspended tenant');
  await until(5, () => expect(logged().length === 1, `${logged().length} lines were logged, not one`));
  expect(/^register-tenant: 403, request \S+$/.test(logged()[0]), 'the log has another line');
  console.log(`nextjs: ${seen.size} users have their tokens, ${Object.keys(nobody).length} others none; API key kept`);
}

/** What the tenant has registered, as the operator sees it. */
async function registered(tenant) {
  const path = `/api/v1/fetch/registered-tenants?tenant_id=${tenant.id}&limit=100`;
  const answer = await fetch(url + path, { headers: { 'x-admin-key': process.env.ADMIN_KEY } });
  expect(answer.ok, `fetch/registered-tenants: ${answer.status}`);
  return answer.json();
}

try {
  await middleware();
} finally {
  await end();
}
