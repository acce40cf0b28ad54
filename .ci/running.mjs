// What the checks start, a program, a server or a browser, and that it ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import playwright from 'playwright-core';

const closing = [];

/** What is to be done in the end. */
export function atEnd(close) {
  closing.push(close);
}

export async function end() {
  for (const close of closing) await close();
}

/** Tries until it succeeds; in the end with the error that it had. */
export async function until(seconds, attempt) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Starts a program in a folder; what it prints, line by line, goes to a list. */
export function start(folder, command, args, environment) {
  const env = { ...process.env, ...environment };
  // A group of its own, so that what it starts ends with it.
  const program = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  atEnd(() => program.exitCode === null && process.kill(-program.pid, 'SIGKILL'));
  const lines = [];
  for (const stream of [program.stdout, program.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  program.on('exit', (code) => lines.push(`ended: ${code}`));
  return lines;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A server, and so an origin. */
export async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  atEnd(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

/** The browser in CHROMIUM. */
export async function chromium() {
  const flags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const browser = await playwright.chromium.launch({
    executablePath: process.env.CHROMIUM,
    chromiumSandbox: false,
    args: [...flags, '--disable-component-update', '--disable-sync'],
    timeout: 30_000,
  });
  atEnd(() => browser.close());
  return browser;
}
