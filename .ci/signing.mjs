// Runs examples/sign against a running service. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is,
// EXAMPLES where the examples are, RUST is the one that had to be compiled.

import { spawn, spawnSync } from 'node:child_process';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, operator, url } from './foreign/service.mjs';

const { EXAMPLES, RUST } = process.env;
const folder = fileURLToPath(new URL('signing/', import.meta.url));
const WHOAMI = '/api/v1/relay/whoami';
// No UTF-8, and what a shell may lose.
const BODY = Buffer.concat([Buffer.from('{"é": "\u{1F511}", '), Buffer.from([0, 255, 13, 10, 10])]);
const [body, empty] = [`${folder}body`, '/dev/null'];

function write(file, content) {
  writeFileSync(file, content);
  return file;
}

// --- the clients -----------------------------------------------------------------------------------------------------

// Without arguments each asks who signed. With arguments it makes another call: method, target, file with the body.
// Standard library only: Python runs without any other.
const CLIENTS = {
  curl: ['bash', `${EXAMPLES}/sign/latchkey.sh`],
  python: ['python3', '-I', '-S', `${EXAMPLES}/sign/latchkey.py`],
  node: [process.execPath, `${EXAMPLES}/sign/latchkey.mjs`],
  rust: [RUST],
};

/** Runs one; whether it ended well, and the JSON that it printed. */
async function run([command, ...args], tenant, environment = {}) {
  const env = {
    ...process.env,
    LATCHKEY_URL: url,
    LATCHKEY_TENANT_ID: tenant.id,
    LATCHKEY_TENANT_SECRET: tenant.secret,
  };
  env.PATH = `${folder}watched:${process.env.PATH}`;
  const program = spawn(command, args, {
    cwd: folder,
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, problems, [status]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit'),
  ]);
  expect(problems === '', `${command} ${args}: ${problems}`);
  return { isWell: status === 0, status, answer: output.trim() === '' ? null : JSON.parse(output) };
}

/** In front of the programs that the shell starts: writes down what `ps` would show. */
function watch() {
  mkdirSync(`${folder}watched`);
  for (const name of ['curl', 'cut', 'date', 'od', 'openssl', 'tr']) {
    const { stdout } = spawnSync('bash', ['-c', `type -P ${name}`], { encoding: 'utf8' });
    const script = `#!/bin/bash\nprintf '%s\\n' "$0" "$@" >>'${folder}arguments'\nexec '${stdout.trim()}' "$@"\n`;
    chmodSync(write(`${folder}watched/${name}`, script), 0o755);
  }
}

// --- what is signed, once more ---------------------------------------------------------------------------------------

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hmac = (secret, signed) => createHmac('sha256', secret).update(signed).digest('hex');

/** A call that is signed here, and not by an example. Not with `fetch`, which sends no body with GET. */
async function signed(version, tenant, target, content = '') {
  const [timestamp, nonce] = [`${Date.now()}`, randomUUID()];
  const headers = { 'x-latchkey-tenant-id': tenant.id, 'x-latchkey-timestamp': timestamp };
  if (version === 'v1') headers['x-latchkey-signature'] = hmac(tenant.secret, `${timestamp}.${sha256(content)}`);
  else {
    headers['x-latchkey-nonce'] = nonce;
    headers['x-latchkey-signature'] =
      `v2=${hmac(tenant.secret, `${timestamp}.GET.${target}.${nonce}.${sha256(content)}`)}`;
  }
  headers['content-length'] = Buffer.byteLength(content);
  const [answer] = await once(request(url + target, { headers, timeout: 30_000 }).end(content), 'response');
  return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
}

/** A server that checks signatures as it is documented, and redirects one path. */
async function recorder(tenant) {
  const nonces = [];
  const server = createServer(async (asked, response) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    const header = (name) => asked.headers[`x-latchkey-${name}`];
    const [timestamp, nonce] = [header('timestamp'), header('nonce')];
    const signs = `${timestamp}.${asked.method}.${asked.url}.${nonce}.${sha256(Buffer.concat(chunks))}`;
    const isRight =
      header('tenant-id') === tenant.id &&
      /^\d{13}$/.test(timestamp) &&
      Math.abs(Date.now() - timestamp) < 30_000 &&
      /^[A-Za-z0-9+/=_-]{16,64}$/.test(nonce) &&
      !nonces.includes(nonce) &&
      header('signature') === `v2=${hmac(tenant.secret, signs)}`;
    nonces.push(nonce);
    if (asked.url === '/moved') response.writeHead(302, { location: '/' });
    else response.writeHead(isRight ? 201 : 418);
    response.end(
      JSON.stringify({ isRight, method: asked.method, target: asked.url, bytes: Buffer.concat(chunks).length }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => server.closeAllConnections() ?? server.close();
  return { address: `http://127.0.0.1:${server.address().port}`, nonces, close };
}

// --- the checks ------------------------------------------------------------------------------------------------------

async function accepted(tenant, version) {
  for (const [name, client] of Object.entries(CLIENTS)) {
    const { isWell, answer } = await run(client, tenant);
    const { tenant_id, signed_with, secret, signing_version } = answer?.data ?? {};
    const said = JSON.stringify({ isWell, tenant_id, signed_with, secret, signing_version });
    const expected = {
      isWell: true,
      tenant_id: tenant.id,
      signed_with: 'v2',
      secret: 'current',
      signing_version: version,
    };
    expect(said === JSON.stringify(expected), `${name}: ${JSON.stringify(answer)}`);
  }
}

async function refused(tenant) {
  for (const [name, client] of Object.entries(CLIENTS)) {
    const { isWell, answer } = await run(client, tenant);
    expect(!isWell && answer?.error?.code === 'unauthenticated', `${name}, dead secret: ${JSON.stringify(answer)}`);
  }
}

async function first(tenant, expected) {
  const { status, body } = await signed('v1', tenant, WHOAMI);
  expect(status === expected, `v1: ${status}, not ${expected}`);
  if (status === 200)
    expect(body.data.tenant_id === tenant.id && body.data.signed_with === 'v1', `v1: ${JSON.stringify(body)}`);
}

/** Any other call than the one that they make without arguments. */
async function anyCall(tenant) {
  const target = `${WHOAMI}?unknown=%C3%A9%20a+b&x=/?.`;
  const own = await signed('v2', tenant, target, BODY);
  expect(own.status === 422, `v2, query and body: ${own.status} ${JSON.stringify(own.body)}`);
  const other = await recorder(tenant);
  const there = { LATCHKEY_URL: other.address };
  try {
    for (const [name, client] of Object.entries(CLIENTS)) {
      const asked = await run([...client, 'GET', target, name === 'node' ? empty : body], tenant);
      expect(
        !asked.isWell && asked.answer.error.code === own.body.error.code,
        `${name}, query: ${JSON.stringify(asked)}`,
      );
      for (const [method, path] of [
        ['POST', '/a'],
        ['PUT', '/a/b?c=%20d&c=e+f&[g]={h}'],
        ['PATCH', '/a.b?c?.'],
        ['DELETE', '/'],
      ]) {
        const { isWell, answer } = await run([...client, method, path, body], tenant, there);
        const isWhole = answer?.isRight && answer.method === method && answer.bytes === BODY.length;
        expect(isWell && isWhole, `${name}, ${method}: ${JSON.stringify(answer)}`);
      }
      const count = other.nonces.length;
      const moved = await run([...client, 'POST', '/moved', empty], tenant, there);
      expect(!moved.isWell && other.nonces.length === count + 1, `${name} takes a redirection for an answer`);
    }
  } finally {
    other.close();
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
write(body, BODY);
watch();
const { tenant_id: id, tenant_secret: secret } = await operator('provision/tenant', { tenant_name: 'Signing' });
const tenant = { id, secret };
await accepted(tenant, 'v1');
await first(tenant, 200);
await anyCall(tenant);
await operator(`update/tenant?tenant_id=${id}`, { signing_version: 'v2' });
await accepted(tenant, 'v2');
await first(tenant, 401);
const rotated = { id, secret: (await operator(`rotate/tenant-secret?tenant_id=${id}`, {})).tenant_secret };
expect(rotated.secret !== secret, 'the same secret again');
await refused(tenant);
await accepted(rotated, 'v2');
const shown = existsSync(`${folder}arguments`) ? readFileSync(`${folder}arguments`, 'utf8') : '';
expect(
  ['/curl\n', '/openssl\n'].every((name) => shown.includes(name)),
  'no arguments were recorded',
);
for (const { secret: hidden } of [tenant, rotated]) {
  const spellings = [
    hidden,
    hidden.slice(3),
    Buffer.from(hidden).toString('hex'),
    Buffer.from(hidden).toString('base64'),
  ];
  expect(!spellings.some((spelling) => shown.includes(spelling)), 'a secret was among the arguments of a program');
}
expect(!/v2=[0-9a-f]{64}/.test(shown), 'a signature was among the arguments of a program');
console.log(
  `signing: ${Object.keys(CLIENTS).join(', ')}: accepted, dead secret refused; v1 refused after the move to v2`,
);
