// Runs examples/iframe and examples/verify against a running service. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where
// the service is, EXAMPLES where the examples are with their packages, PYTHON and CHROMIUM what to run, REFUSED a table
// of tokens.

import { decodeJwt } from 'jose';
import { chromium, end, freePort, listen, start, until } from './running.mjs';
import { otherKinds } from './foreign/kinds.mjs';
import { expect, forgeries, isActive, operator, provision, url, userToken } from './foreign/service.mjs';
import { refuseTheTable } from './verifiers/refused.mjs';

const { EXAMPLES, PYTHON } = process.env;
const SESSION = 'ada';

// --- the page --------------------------------------------------------------------------------------------------------

async function page(tenant, other) {
  // What is embedded, as far as anybody can see from outside: it gets a token.
  const [tokens, referrers] = [[], []];
  const embedded = await listen((request, response) => {
    const address = new URL(request.url, 'http://127.0.0.1');
    if (address.pathname !== '/share') return response.writeHead(404).end();
    tokens.push(address.searchParams.get('jwt'));
    referrers.push(request.headers.referer);
    return response.setHeader('content-type', 'text/html').end('<!doctype html><title>Embedded</title><p>Embedded');
  });
  const port = await freePort();
  const printed = start(`${EXAMPLES}/iframe`, process.execPath, ['server.mjs'], {
    LATCHKEY_URL: url,
    LATCHKEY_API_KEY: tenant.embed,
    EMBED_URL: `${embedded}/share`,
    TOKEN_SECONDS: '60',
    PORT: `${port}`,
    DEMO_SESSION: SESSION,
    DEMO_USER_ID: tenant.userId,
    DEMO_ORGANIZATION_ID: tenant.organizationId,
  });
  const site = `http://127.0.0.1:${port}`;
  const stranger = await until(10, () => fetch(`${site}/session-token`, { method: 'POST' }));
  expect(stranger.status === 401 && !(await stranger.text()).includes('jwt'), 'a token without a session');
  for (const cookie of ['session=', 'session=undefined', `session=${SESSION}x`, `other=${SESSION}`]) {
    const { status } = await fetch(`${site}/session-token`, { method: 'POST', headers: { cookie } });
    expect(status === 401, `a token for the cookie ${cookie}`);
  }
  // A user in the request is not asked for.
  const body = JSON.stringify({ userId: other.userId, organizationId: other.organizationId });
  const asking = {
    method: 'POST',
    headers: { cookie: `session=${SESSION}`, 'content-type': 'application/json' },
    body,
  };
  const answered = new URL(await (await fetch(`${site}/session-token`, asking)).text());
  expect(decodeJwt(answered.searchParams.get('jwt')).sub === tenant.userId, 'a token of whom the request names');

  const browser = await chromium();
  const context = await browser.newContext();
  await context.addCookies([{ name: 'session', value: SESSION, url: site }]);
  const received = [];
  context.on('response', (response) => {
    const text = response.text().catch(() => '');
    received.push(Promise.all([response.url(), response.allHeaders().catch(() => ({})), text]));
  });
  const tab = await context.newPage();
  const problems = [];
  tab.on('pageerror', (error) => problems.push(error.message));
  await tab.clock.install();
  await tab.goto(site);
  const shown = async (count) => {
    await until(10, () => expect(tokens.length >= count, `${tokens.length} tokens, not ${count}`));
    const frame = await until(10, async () => {
      const found = tab.frames().find((frame) => frame.url() === `${embedded}/share?jwt=${tokens[count - 1]}`);
      expect(found, 'the frame has not the address of the token');
      return found;
    });
    await frame.getByText('Embedded').waitFor({ timeout: 15_000 });
    return tokens[count - 1];
  };

  const first = await shown(1);
  expect(await isActive(tenant, first), 'the token in the frame is not active');
  const claims = decodeJwt(first);
  expect(claims.sub === tenant.userId && claims.exp - claims.iat === 60, 'the token is another');
  const depth = await tab.evaluate('history.length');
  // Not yet, and then well before it expires.
  await tab.clock.runFor(20_000);
  expect(tokens.length === 1, 'refreshed too early');
  await tab.clock.runFor(32_000);
  const second = await shown(2);
  expect(second !== first && decodeJwt(second).jti !== claims.jti, 'the same token again');
  expect(await isActive(tenant, second), 'the second token is not active');
  expect((await tab.evaluate('history.length')) === depth, 'the refresh is in the history');
  expect(new Set(tab.frames().map((frame) => frame.url())).size === 2, 'another frame');
  // A computer that was asleep for an hour.
  await tab.clock.fastForward(3_600_000);
  await shown(3);
  expect(
    referrers.every((referrer) => referrer === undefined),
    `a referrer: ${referrers}`,
  );

  const everything = JSON.stringify([await Promise.all(received), await tab.content(), await context.cookies()]);
  expect(everything.includes(second), 'what the browser received was not recorded');
  for (const secret of [tenant.embed, tenant.admin]) expect(!everything.includes(secret), 'the browser got an API key');
  expect(problems.length === 0, `the page: ${problems}`);
  expect(printed.length === 0, `the server printed ${printed.length} lines`);

  // The session has ended: the page asks for another login, and shows no token.
  await context.clearCookies();
  await tab.clock.fastForward(60_000);
  await tab.getByText('Sign in first.').waitFor({ timeout: 15_000 });
  await browser.close();

  // Latchkey says no: the browser learns nothing, and the log no more than it should.
  await operator(`suspend/tenant?tenant_id=${tenant.id}`, {});
  const failed = await fetch(`${site}/session-token`, { method: 'POST', headers: { cookie: `session=${SESSION}` } });
  expect(failed.status === 502 && (await failed.text()) === 'Try again.', `a failure: ${failed.status}`);
  await until(5, () => expect(printed.length === 1, 'nothing was logged'));
  expect(/^user-token: 403, request \S+$/.test(printed[0]), 'the log has another line');
  await operator(`reactivate/tenant?tenant_id=${tenant.id}`, {});
  console.log('iframe: token shown, refreshed before it expired, API key kept');
}

// --- the verifiers ---------------------------------------------------------------------------------------------------

const PROGRAMS = { node: [process.execPath, 'node.mjs'], python: [PYTHON, 'python.py'] };
// What a server may print: where it is, and what wsgiref says of each request.
const PRINTED = /^listening on http:|^127\.0\.0\.1 - - \[[^\]]+\] "GET \/ HTTP\/1\.1" \d{3} \d+$/;

/** Each verifier as it is without and with an API key, and with a Latchkey that is not there. */
async function guarded(tenant) {
  const plain = { LATCHKEY_URL: url, LATCHKEY_TENANT_ID: tenant.id, PORT: '0' };
  const kinds = {
    signature: plain,
    introspection: { ...plain, LATCHKEY_API_KEY: tenant.embed },
    cutOff: { ...plain, LATCHKEY_URL: `http://127.0.0.1:${await freePort()}` },
  };
  const servers = [];
  for (const [language, [command, ...args]] of Object.entries(PROGRAMS)) {
    const server = { language, printed: [] };
    for (const [kind, environment] of Object.entries(kinds)) {
      const printed = start(`${EXAMPLES}/verify`, command, args, environment);
      server.printed.push(printed);
      server[kind] = await until(20, () => {
        const address = /^listening on (\S+)$/.exec(printed[0])?.[1];
        expect(address, `${language}, ${kind}: ${printed.join('\n')}`);
        return address;
      });
    }
    servers.push(server);
  }
  return servers;
}

async function verifiers(tenant, other) {
  const servers = await guarded(tenant);
  const ask = async (address, authorization) => {
    const answer = await fetch(address, {
      headers: authorization ? { authorization } : {},
      signal: AbortSignal.timeout(10_000),
    });
    const [body, challenge] = [await answer.text(), answer.headers.get('www-authenticate')];
    if (answer.status === 401) expect(body === '' && challenge === 'Bearer', `a refusal with a detail: ${body}`);
    return answer.status;
  };
  const says = async (expected, server, kind, what, authorization) => {
    const status = await ask(server[kind], authorization);
    expect(status === expected, `${server.language}, ${kind}, ${what}: ${status}, not ${expected}`);
  };

  const token = await userToken(tenant);
  const bad = { ...(await forgeries(tenant, other)), ...(await otherKinds(tenant)) };
  for (const server of servers) {
    for (const kind of ['signature', 'introspection']) {
      await says(200, server, kind, 'a token', `Bearer ${token}`);
      await says(200, server, kind, 'a token, in another spelling', `bearer ${token}`);
      await says(401, server, kind, 'nothing');
      await says(401, server, kind, 'another scheme', `Basic ${token}`);
      await says(401, server, kind, 'two tokens', `Bearer ${token} ${token}`);
      for (const [name, forged] of Object.entries(bad)) await says(401, server, kind, name, `Bearer ${forged}`);
      await says(200, server, kind, 'a token after all that', `Bearer ${token}`);
    }
    await says(503, server, 'cutOff', 'a token that nobody can check', `Bearer ${token}`);
  }

  await operator(`revoke/tokens?tenant_id=${tenant.id}`, { user_id: tenant.userId });
  for (const server of servers) {
    await says(401, server, 'introspection', 'a revoked token', `Bearer ${token}`);
    // As its README says: until it expires.
    await says(200, server, 'signature', 'a revoked token', `Bearer ${token}`);
  }

  // The keys are in their memory, and not the new one: of a rotation after a leak.
  await operator(`rotate/signing-key?tenant_id=${tenant.id}`, { drop_previous: true });
  const newer = await userToken(tenant);
  for (const server of servers) {
    for (const kind of ['signature', 'introspection']) {
      await until(15, () => says(200, server, kind, 'a token of the new key', `Bearer ${newer}`));
    }
    const strange = server.printed.flat().filter((line) => !PRINTED.test(line));
    expect(strange.length === 0, `${server.language} printed ${strange.length} lines of its own`);
    console.log(`verify, ${server.language}: ${Object.keys(bad).length + 3} refused, revocation and rotation seen`);
  }
}

try {
  const [tenant, other] = [await provision('Examples'), await provision('Other')];
  await page(tenant, other);
  await verifiers(tenant, other);
  await refuseTheTable(EXAMPLES);
} finally {
  await end();
}
