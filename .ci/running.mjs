// What the checks start, a server or a browser, and that it ends.

import { createServer } from 'node:http';
import { once } from 'node:events';
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
