// The other screen: a browser at the page of examples/qr-login, over one of its backends. EXAMPLES says where the
// example is with its packages, PYTHON has those of Python.

import { join } from 'node:path';
import { dynamodb, expect, url } from '../foreign/service.mjs';
import { looks } from '../looks.mjs';
import { tap } from '../pages/phone.mjs';
import { relay, signingTenant } from '../relay.mjs';
import { freePort, start, until } from '../running.mjs';
import { decoded } from './code.mjs';

const { EXAMPLES, PYTHON, SHOTS } = process.env;
const BACKENDS = {
  Node: [process.execPath, 'node_backend.mjs'],
  Python: [PYTHON, 'python_backend.py'],
};
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const FRAME = 10_000;
export const ADA = { id: 'ada', name: 'Ada Lovelace' };
/** The branding of the tenant, and what a phone asks of it. */
export const BRAND = { branding_display_name: 'Acme Bank', branding_logo_url: 'https://logo.example.com/acme.svg' };
export const CONSENT = 'Sign in to Acme Bank?';

const begin = 'Sign in with your phone';

/** A tenant whose people sign in at a site with paired phones. */
export function tenantOf(site, name, settings = {}) {
  return signingTenant(name, { callback_url_base: site, qr_login_allowed_origins: [site], ...settings });
}

/** Pairs a phone with a tenant's person. */
export async function pair(phone, tenant, user = ADA) {
  const { pairing_url: address } = await relay(tenant, 'prepare-pairing', {
    user_socket_hash: `socket of ${user.id}`,
    backend_user_id: user.id,
    display_name: user.name,
    user_email: `${user.id}@example.com`,
  });
  const page = await phone.page(address);
  await tap(page, 'Pair this phone');
  await page.getByText('Paired until').waitFor();
  await page.close();
}

/** As if a login had begun so many seconds earlier. */
export function passes({ of, id }, seconds) {
  return dynamodb('UpdateItem', {
    Key: { pk: { S: `TENANT#${of.id}#QRLOGIN#${id}` }, sk: { S: 'QRLOGIN' } },
    UpdateExpression: 'SET created_at = created_at - :time, expires_at = expires_at - :time',
    ConditionExpression: 'attribute_exists(created_at)',
    ExpressionAttributeValues: { ':time': { N: `${seconds * 1000}` } },
  });
}

/** The session in the address of a code. */
export const sessionOf = (address) => new URL(address).pathname.split('/')[2];

export class Desk {
  problems = [];

  /** A backend, and a browser that has been there never before. */
  static async start(language, browser, isPictured, settings) {
    const [port, [program, ...args]] = [await freePort(), BACKENDS[language]];
    const site = `http://127.0.0.1:${port}`;
    const tenant = await tenantOf(site, `${language} backend`, settings);
    const printed = start(`${EXAMPLES}/qr-login`, program, args, {
      LATCHKEY_URL: url,
      LATCHKEY_TENANT_ID: tenant.id,
      LATCHKEY_TENANT_SECRET: tenant.secret,
      LATCHKEY_WEBHOOK_SECRET: tenant.webhookSecret,
      PORT: `${port}`,
      DEMO_USER_ID: ADA.id,
      DEMO_USER_NAME: ADA.name,
    });
    await until(30, () => fetch(site)).catch((error) => {
      throw new Error(`${language}: ${error.message}: ${printed.join('\n')}`);
    });
    const desk = Object.assign(new Desk(), { language, isPictured, site, tenant, printed });
    await desk.open(browser);
    return desk;
  }

  async open(browser) {
    this.context = await browser.newContext({ viewport: { width: 320, height: 640 }, userAgent: FIREFOX });
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.problems.push(error.message));
    this.page.on('console', (message) => {
      const isKnown = /Failed to load resource/.test(message.text());
      if (message.type() === 'error' && !isKnown) this.problems.push(message.text());
    });
    await this.page.goto(this.site);
  }

  /** Waits for a view, and checks what holds for each. Its pictures are of the name, in light and dark. */
  async shows(title, name) {
    const { page, language } = this;
    const heading = page.getByRole('heading', { level: 1, name: title });
    await heading.waitFor({ timeout: 15_000 }).catch(async () => {
      throw new Error(`${language}: not "${title}" but "${await page.locator('body').innerText()}"`);
    });
    if (!name || !this.isPictured) return;
    const focused = await page.evaluate(() => document.activeElement.tagName);
    expect(focused === 'H1', `${language}, ${name}: the focus is on ${focused}`);
    await looks(page, this.#name(name));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width <= 320, `${name}: ${width} px wide`);
  }

  #name(name) {
    return `${this.language.toLowerCase()}-${name}`;
  }

  async begins(button = begin) {
    await tap(this.page, button);
    this.began = Date.now();
    await this.shows('Scan this code');
  }

  /** What the page links to, which is what its code says; nothing if it shows no code at this moment. */
  #link() {
    // `getAttribute` would wait for a link, and the page may have gone on to a view that has none.
    const links = this.page.getByRole('link', { name: 'Open the request here' });
    return links.evaluateAll(([link]) => link?.getAttribute('href'));
  }

  /** The address in the code, read from a picture of the screen. */
  async code(name) {
    // Not one that is about to change: a camera and a person are faster than this check.
    const before = await this.#link();
    const age = Date.now() - this.began - FRAME * /#(\d+)/.exec(before)[1];
    if (age > 0.1 * FRAME)
      await until(15, async () => expect((await this.#link()) !== before, 'the code does not change'));
    const path = join(SHOTS, `${this.#name(name)}-read.png`);
    const links = [await this.#link()];
    await this.page.screenshot({ path });
    links.push(await this.#link());
    const address = decoded(path);
    expect(links.includes(address), `the code says ${address}, and the link ${links}`);
    return address;
  }

  /** The code as people see it: in light and dark, and with the colours that Windows forces for contrast. */
  async looksReadable(name) {
    await this.shows('Scan this code', name);
    if (!this.isPictured) return;
    const size = await this.page.getByRole('img').boundingBox();
    expect(size.width === 256 && size.height === 256, `the code is ${size.width} px wide`);
    await this.page.emulateMedia({ colorScheme: 'dark', forcedColors: 'active' });
    const forced = `${this.#name(name)}-forced`;
    await this.page.screenshot({ path: join(SHOTS, `${forced}.png`) });
    await this.page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
    const texts = ['light', 'dark', 'forced'].map((kind) => decoded(join(SHOTS, `${this.#name(name)}-${kind}.png`)));
    const sessions = new Set(texts.map((text) => text.replace(/#.*/, '')));
    expect(sessions.size === 1, `codes of ${[...sessions]}`);
  }

  /** As if the login on the screen had begun so many seconds earlier. */
  async passes(seconds) {
    const before = await this.#link();
    await passes({ of: this.tenant, id: sessionOf(before) }, seconds);
    this.began -= seconds * 1000;
    return until(15, async () =>
      expect((await this.#link()) !== before, `${this.language}: the page does not notice the time`),
    );
  }

  async number() {
    const heading = this.page.getByRole('heading', { level: 1, name: /^Type \d\d on your phone$/ });
    await heading.waitFor({ timeout: 15_000 });
    return /\d\d/.exec(await heading.innerText())[0];
  }

  /** The backend has printed what a callback told. */
  expectTold(start) {
    const { language, printed } = this;
    expect(
      printed.some((line) => line.startsWith(start)),
      `${language} has not printed ${start}`,
    );
  }

  /** Nobody saw an error, and nothing secret is printed. */
  check() {
    const { problems, printed, language, tenant } = this;
    expect(problems.length === 0, `${language}: the page: ${problems}`);
    const isQuiet = ![tenant.secret, tenant.webhookSecret].some((secret) => printed.join('\n').includes(secret));
    expect(isQuiet && !printed.some((line) => line.startsWith('ended')), `${language} printed ${printed.join('\n')}`);
  }
}
