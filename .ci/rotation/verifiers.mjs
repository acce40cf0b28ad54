// Verifiers that run for as long as a check does, as they do in a backend: each fetches the key set when it likes.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { atEnd, freePort, start, until } from '../running.mjs';
import { expect, url } from '../foreign/service.mjs';

const here = (file) => new URL(file, import.meta.url).pathname;
const node = (library) => [process.execPath, here('verify.mjs'), library];
const python = (library) => [process.env.PYTHON, here('verify.py'), library];

/** By library, what runs it, and whether it fetches the set at once for a key that it does not know. */
export const libraries = {
  jose: [node, false],
  oauth4webapi: [node, false],
  'express-oauth2-jwt-bearer': [node, false],
  'jwks-rsa': [node, true],
  PyJWT: [python, false],
  'pyjwt-key-fetcher': [python, false],
  joserfc: [python, false],
};

/** A verifier that has the tenant's set from when it is made: it has verified a token. */
async function verifier(library, tenant, token) {
  const [command, ...args] = libraries[library][0](library);
  const program = spawn(command, [...args, tenant.issuer, tenant.id], { stdio: ['pipe', 'pipe', 'inherit'] });
  atEnd(() => program.exitCode === null && program.kill('SIGKILL'));
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((end) => program.on('exit', (code) => end({ value: `refused: it has ended: ${code}` })));
  const verify = async (token) => {
    program.stdin.write(`${token}\n`);
    return (await Promise.race([lines.next(), ended])).value;
  };
  const first = await verify(token);
  expect(!first.startsWith('refused'), `${library} does not verify at all: ${first}`);
  return { library, verify };
}

/** One of each library. */
export function everyLibrary(tenant, token) {
  return Promise.all(Object.keys(libraries).map((library) => verifier(library, tenant, token)));
}

/** Envoy in ENVOY in front of an empty page, with the settings of its documentation. */
export async function envoy(tenant, token) {
  const [port, service] = [await freePort(), new URL(url)];
  const text = readFileSync(here('envoy.yaml'), 'utf8')
    .replaceAll('ISSUER', tenant.issuer)
    .replaceAll('AUDIENCE', tenant.id)
    .replaceAll('SERVICE_PORT', service.port)
    .replaceAll('PORT', String(port));
  const folder = mkdtempSync(`${tmpdir()}/latchkey-envoy-`);
  atEnd(() => rmSync(folder, { recursive: true }));
  writeFileSync(`${folder}/envoy.yaml`, text);
  const options = ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warn'];
  const lines = start(folder, process.env.ENVOY, ['-c', `${folder}/envoy.yaml`, ...options]);
  const verify = async (token) => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
    const body = await answer.text();
    return answer.status === 200 ? body : `refused: ${answer.status} ${body}`;
  };
  await until(30, async () => {
    const said = await verify(token);
    expect(!said.startsWith('refused'), `Envoy: ${said}\n${lines.slice(-5).join('\n')}`);
  });
  return { library: 'Envoy', verify };
}
