// A phone: Chromium with a screen 320 px wide, and what holds for each view of its pages. CHROMIUM says what to run, SHOTS
// where pictures of each view go, in light and dark.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import playwright from 'playwright-core';
import { expect, url } from '../foreign/service.mjs';
import { looks } from '../looks.mjs';
import { atEnd, listen } from '../running.mjs';

const { CHROMIUM } = process.env;
export const ANDROID =
  'Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36';

let shots = 0;
const seen = new Set();

/** What was looked at, for the line in the end. */
export const looked = () => `${seen.size} views, ${shots} pictures`;

/** A phone: a browser with a profile of its own, which can be restarted. */
export class Phone {
  /** What answers in place of the service, if anything does. */
  static standIn;

  static async start(options = {}) {
    const profile = await mkdtemp(join(tmpdir(), 'latchkey-phone-'));
    atEnd(() => rm(profile, { recursive: true, force: true }));
    const phone = Object.assign(new Phone(), { profile, options, problems: [] });
    await phone.#open();
    return phone;
  }

  async #open() {
    this.context = await playwright.chromium.launchPersistentContext(this.profile, {
      executablePath: CHROMIUM,
      chromiumSandbox: false,
      args: [
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        // A name that is no secure context without https.
        '--host-resolver-rules=MAP phone.test 127.0.0.1',
      ],
      viewport: { width: 320, height: 640 },
      userAgent: ANDROID,
      ...this.options,
    });
    atEnd(() => this.context.close());
    await this.context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error(`policy: ${violatedDirective} ${blockedURI}`),
      );
    });
    await Phone.standIn?.install(this.context);
  }

  async restart() {
    await this.context.close();
    await this.#open();
  }

  close() {
    return this.context.close();
  }

  /** A page at a path. What is complained of in it ends the check. */
  async page(path, prepare = () => {}) {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      // Refusals, which are what is tested; and a header that means nothing without https.
      const isKnown = /Failed to load resource|Opener-Policy header has been ignored/.test(message.text());
      if (message.type() === 'error' && !isKnown) this.problems.push(message.text());
    });
    await prepare(page);
    await page.goto(path.startsWith('http') ? path : url + path);
    return page;
  }

  check() {
    expect(this.problems.length === 0, `the page: ${this.problems}`);
    if (Phone.standIn?.broken) throw Phone.standIn.broken;
  }
}

/** Waits for a view, and checks what holds for each: its heading has the focus, it fits, and axe finds nothing. */
export async function view(page, name, title) {
  const heading = page.getByRole('heading', { level: 1, name: title, exact: true });
  await heading.waitFor({ timeout: 15_000 }).catch(async () => {
    throw Phone.standIn?.broken ?? new Error(`${name}: not "${title}" but "${await page.locator('body').innerText()}"`);
  });
  await page.locator('#status:empty').waitFor({ state: 'attached' });
  expect((await page.title()) === title, `${name}: the title is ${await page.title()}`);
  const focused = await page.evaluate(() => document.activeElement.textContent);
  expect(focused === title, `${name}: the focus is on ${focused}`);
  expect(!page.url().includes('#'), `${name}: the fragment is in the address`);
  const kept = await page.evaluate(async () => [
    document.cookie,
    ...((await navigator.serviceWorker?.getRegistrations()) ?? []).map(({ scope }) => scope),
  ]);
  expect(kept.join('') === '', `${name}: a cookie or a service worker: ${kept}`);
  await pictures(page, name);
}

export async function pictures(page, name) {
  seen.add(name);
  shots += await looks(page, name);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width <= 320, `${name}: ${width} px wide`);
}

export const tap = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** The name of what has the focus after the key. */
export async function press(page, key) {
  await page.keyboard.press(key);
  return page.evaluate(() => document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent);
}

const logo = await listen((request, response) => {
  expect(!request.headers.referer, 'the host of a logo learns the address');
  response.setHeader('content-type', 'image/svg+xml');
  response.end(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="#0a7"/></svg>',
  );
});

/** Logos are https; here they come from a host on this machine. */
export async function logos(phone) {
  await phone.context.route('https://logo.example.com/**', async (route) => {
    const answer = await fetch(logo, { headers: await route.request().allHeaders() });
    await route.fulfill({ contentType: 'image/svg+xml', body: await answer.text() });
  });
}

/** Something done in a page, with its own modules and its pairing at a tenant: what it returns, or why it is refused. */
export async function within(page, of, work, argument) {
  const modules = await page.evaluateHandle(async () => {
    const { src } = document.querySelector('script[src$="/main.js"]');
    const load = (name) => import(src.replace('main.js', name));
    return Object.assign({}, ...(await Promise.all(['api.js', 'proof.js', 'store.js'].map(load))));
  });
  const pairing = await modules.evaluateHandle(({ find }, id) => find(id), of.id);
  return page.evaluate(work, { modules, pairing, argument }).catch((error) => {
    const [, code] = /Refusal: ([a-z_]+)/.exec(error.message) ?? [];
    if (!code) throw error;
    return code;
  });
}
