// Runs the examples of the README around tokens, as they stand there, against a running service. Argument: the file with them.
// LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is, PYTHON and CHROMIUM what to run.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { decodeJwt } from 'jose';
import { atEnd, chromium, end, listen, until } from './running.mjs';
import { expect, forgeries, isActive, legacyToken, operator, provision, url, userToken } from './foreign/service.mjs';
import { example } from './readme.mjs';

const folder = new URL('examples/', import.meta.url);

// --- what stands around the examples -----------------------------------------------------------------------------------

// Whoever uses the first example writes this: here, a cookie of a name is a session.
const SESSION = `
  export async function signedIn(request) {
    const signedIn = /(^|; )session=ada(;|$)/.test(request.headers.cookie ?? '');
    return signedIn ? { userId: process.env.USER_ID, organizationId: process.env.ORGANIZATION_ID } : null;
  }`;

// Settings by a line of JSON each: one server with a verifier that asks Latchkey, and one with a verifier that does not.
const NODE_SERVER = `
  import { createServer } from 'node:http';
  import { latchkey } from './node-middleware.mjs';
  for (const settings of JSON.parse(process.env.SETTINGS)) {
    const verify = latchkey(settings);
    const server = createServer((request, response) => verify(request, response, () => response.end(request.user.sub)));
    server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
  }`;

const PYTHON_SERVER = `
import json, os, sys, threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
import importlib.util
spec = importlib.util.spec_from_file_location("latchkey", "python-middleware.py")
latchkey = importlib.util.module_from_spec(spec)
spec.loader.exec_module(latchkey)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["latchkey.user"]["sub"].encode()]

WSGIRequestHandler.log_message = lambda *_: None
for s in json.loads(os.environ["SETTINGS"]):
    verified = latchkey.Latchkey(application, s["url"], s["tenantId"], s.get("introspectWith"))
    server = make_server("127.0.0.1", 0, verified)
    threading.Thread(target=server.serve_forever).start()
    print("port", server.server_port, flush=True)
`;

// --- processes and servers ---------------------------------------------------------------------------------------------

/** Cuts an example out of the README. */
function cut(name, ending) {
  write(`${name}.${ending}`, example(name));
}

function write(file, text) {
  writeFileSync(new URL(file, folder), text);
}

/** Starts a program; what it prints, line by line, goes to a list. */
function start(command, args, environment) {
  const program = spawn(command, args, { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(() => program.kill('SIGKILL'));
  const lines = [];
  for (const stream of [program.stdout, program.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  program.on('exit', (code) => lines.push(`ended: ${code}`));
  return lines;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// --- the page ----------------------------------------------------------------------------------------------------------

async function page(tenant, other) {
  cut('iframe-server', 'mjs');
  write('session.mjs', SESSION);
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
  const printed = start(process.execPath, ['iframe-server.mjs'], {
    LATCHKEY_URL: url,
    LATCHKEY_API_KEY: tenant.embed,
    EMBED_URL: `${embedded}/share`,
    TOKEN_SECONDS: '60',
    PORT: `${port}`,
    USER_ID: tenant.userId,
    ORGANIZATION_ID: tenant.organizationId,
  });
  const site = `http://127.0.0.1:${port}`;
  const stranger = await until(10, () => fetch(`${site}/session-token`, { method: 'POST' }));
  expect(stranger.status === 401 && !(await stranger.text()).includes('jwt'), 'a token without a session');
  // A user in the request is not asked for.
  const body = JSON.stringify({ userId: other.userId, organizationId: other.organizationId });
  const asking = { method: 'POST', headers: { cookie: 'session=ada', 'content-type': 'application/json' }, body };
  const answered = new URL(await (await fetch(`${site}/session-token`, asking)).text());
  expect(decodeJwt(answered.searchParams.get('jwt')).sub === tenant.userId, 'a token of whom the request names');

  const browser = await chromium();
  const context = await browser.newContext();
  await context.addCookies([{ name: 'session', value: 'ada', url: site }]);
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
    await frame.getByText('Embedded').waitFor({ timeout: 5000 });
    return tokens[count - 1];
  };

  const first = await shown(1);
  expect(await isActive(tenant, first), 'the token in the frame is not active');
  const claims = decodeJwt(first);
  expect(claims.sub === tenant.userId && claims.exp - claims.iat === 60, 'the token is another');
  const depth = await tab.evaluate('history.length');
  // Not yet, and then well before it expires.
  await tab.clock.runFor(40_000);
  expect(tokens.length === 1, 'refreshed too early');
  await tab.clock.runFor(12_000);
  const second = await shown(2);
  expect(second !== first && decodeJwt(second).jti !== claims.jti, 'the same token again');
  expect(await isActive(tenant, second), 'the second token is not active');
  expect((await tab.evaluate('history.length')) === depth, 'the refresh is in the history');
  expect(new Set(tab.frames().map((frame) => frame.url())).size === 2, 'another frame');
  // A computer that was asleep for an hour.
  await tab.clock.fastForward(3_600_000);
  await shown(3);
  expect(referrers.every((referrer) => referrer === undefined), `a referrer: ${referrers}`);

  const everything = JSON.stringify([await Promise.all(received), await tab.content(), await context.cookies()]);
  expect(everything.includes(second), 'what the browser received was not recorded');
  for (const secret of [tenant.embed, tenant.admin]) expect(!everything.includes(secret), 'the browser got an API key');
  expect(problems.length === 0, `the page: ${problems}`);
  expect(printed.length === 0, `the server printed ${printed.length} lines`);

  // The session has ended: the page asks for another login, and shows no token.
  await context.clearCookies();
  await tab.clock.fastForward(60_000);
  await tab.getByText('Sign in first.').waitFor({ timeout: 5000 });
  await browser.close();

  // Latchkey says no: the browser learns nothing, and the log no more than it should.
  await operator(`suspend/tenant?tenant_id=${tenant.id}`, {});
  const failed = await fetch(`${site}/session-token`, { method: 'POST', headers: { cookie: 'session=ada' } });
  expect(failed.status === 502 && (await failed.text()) === 'Try again.', `a failure: ${failed.status}`);
  await until(5, () => expect(printed.length === 1, 'nothing was logged'));
  expect(/^user-token: 403, request \S+$/.test(printed[0]), 'the log has another line');
  await operator(`reactivate/tenant?tenant_id=${tenant.id}`, {});
  console.log('iframe-server: token shown, refreshed before it expired, API key kept');
}

// --- the verifiers -----------------------------------------------------------------------------------------------------

async function verifiers(tenant, other) {
  cut('node-middleware', 'mjs');
  cut('python-middleware', 'py');
  write('node-server.mjs', NODE_SERVER);
  write('python-server.py', PYTHON_SERVER);
  // The last one asks a Latchkey that is not there.
  const plain = { url, tenantId: tenant.id };
  const nobody = { url: `http://127.0.0.1:${await freePort()}`, tenantId: tenant.id };
  const SETTINGS = JSON.stringify([plain, { ...plain, introspectWith: tenant.embed }, nobody]);
  const programs = {
    Node: start(process.execPath, ['node-server.mjs'], { SETTINGS }),
    Python: start(process.env.PYTHON, ['python-server.py'], { SETTINGS }),
  };
  const servers = [];
  for (const [language, printed] of Object.entries(programs)) {
    const ports = await until(20, () => {
      const ports = printed.map((line) => /^port (\d+)$/.exec(line)?.[1]).filter(Boolean);
      expect(ports.length === 3, `${language}: ${printed.join('\n')}`);
      return ports;
    });
    const [signature, introspection, cutOff] = ports.map((port) => `http://127.0.0.1:${port}/`);
    servers.push({ language, signature, introspection, cutOff, printed });
  }
  const ask = async (address, authorization) => {
    const answer = await fetch(address, { headers: authorization ? { authorization } : {}, signal: AbortSignal.timeout(10_000) });
    const [body, challenge] = [await answer.text(), answer.headers.get('www-authenticate')];
    if (answer.status === 401) expect(body === '' && challenge === 'Bearer', `a refusal with a detail: ${body}`);
    return answer.status;
  };
  const says = async (expected, server, kind, what, authorization) => {
    const status = await ask(server[kind], authorization);
    expect(status === expected, `${server.language}, ${kind}, ${what}: ${status}, not ${expected}`);
  };

  const token = await userToken(tenant);
  const bad = { ...(await forgeries(tenant, other)), 'the older kind': await legacyToken(tenant) };
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
    // As the README says: until it expires.
    await says(200, server, 'signature', 'a revoked token', `Bearer ${token}`);
  }

  // The keys are in their memory, and not the new one.
  await operator(`rotate/signing-key?tenant_id=${tenant.id}`, {});
  const newer = await userToken(tenant);
  for (const server of servers) {
    for (const kind of ['signature', 'introspection']) {
      await until(6, () => says(200, server, kind, 'a token of the new key', `Bearer ${newer}`));
    }
    expect(!server.printed.some((line) => !line.startsWith('port ')), `${server.language} printed something`);
    console.log(`${server.language.toLowerCase()}-middleware: ${Object.keys(bad).length + 3} refused, revocation and rotation seen`);
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
try {
  const [tenant, other] = [await provision('Examples'), await provision('Other')];
  await page(tenant, other);
  await verifiers(tenant, other);
} finally {
  await end();
}
