// Runs a generated client against a running service: every operation of the document has to be called, and answered with
// success. LATCHKEY_URL and ADMIN_KEY say where the service is; the arguments are a name and the program to run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Gateway } from './gateway.mjs';

const { LATCHKEY_URL: service, DOCUMENT, CALLS } = process.env;
const [name, ...command] = process.argv.slice(2);

const { paths } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, responses }]) => {
    const pattern = new RegExp(`^${method.toUpperCase()} ${path.replaceAll('.', '\\.').replace(/{\w+}/g, '[^/]+')}$`);
    return { operationId, pattern, success: Object.keys(responses).find((status) => status.startsWith('2')) };
  }),
);

const gateway = new Gateway(service);
const url = await gateway.listen();
const env = { ...process.env, LATCHKEY_URL: url, CALLS };
const program = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'inherit', 'inherit'] });
const [code] = await once(program, 'exit');
gateway.close();

const last = gateway.seen.at(-1);
if (code !== 0) throw new Error(`${name} ended with ${code}; the last answer: ${last?.join(' ')}`);
// A path with a parameter fits others as well: the plainest that fits is meant.
const called = (line) => operations.filter(({ pattern }) => pattern.test(line)).at(0)?.operationId;
for (const [line, status, text] of gateway.seen) {
  const { success } = operations.find(({ operationId }) => operationId === called(line)) ?? {};
  if (String(status) !== success) throw new Error(`${name}: ${line} is ${status}: ${text}`);
}
const done = new Set(gateway.seen.map(([line]) => called(line)));
const missing = operations.map(({ operationId }) => operationId).filter((id) => !done.has(id));
if (missing.length > 0) throw new Error(`${name} never called ${missing.join(', ')}`);
console.log(`${name}: ${done.size} operations, ${gateway.seen.length} calls`);
