// The service over HTTPS, for those that fetch keys over nothing else. CERTIFICATE has its certificate and key.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { url } from '../foreign/service.mjs';
import { atEnd } from '../running.mjs';

export async function secureFront() {
  const pem = readFileSync(process.env.CERTIFICATE);
  const server = createServer({ key: pem, cert: pem }, (asked, answer) => {
    const { method, headers } = asked;
    const passed = request(new URL(asked.url, url), { method, headers }, (given) => {
      answer.writeHead(given.statusCode, given.headers);
      given.pipe(answer);
    });
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  atEnd(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  return `https://127.0.0.1:${server.address().port}`;
}
