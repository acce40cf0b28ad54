// The console in a browser: what holds for each of its screens, and a person who has no mouse. LATCHKEY_URL and ADMIN_KEY
// say where the service is, CHROMIUM what to run, SHOTS where pictures go, of each screen at two widths, light and dark.

import { expect, operator, url } from '../foreign/service.mjs';
import { looks } from '../looks.mjs';
import { chromium } from '../running.mjs';

export const WIDTHS = [320, 1440];
const HEIGHTS = { 320: 700, 1440: 900 };

const browser = await chromium();
const seen = new Set();
let shots = 0;

/** What was looked at, for the line in the end. */
export const looked = () => `${seen.size} screens, ${shots} pictures`;

/** A link that opens the console: for the operator, or for a tenant's people. */
export async function link(label, tenantId) {
  const made = await operator(`provision/console-link${tenantId ? `?tenant_id=${tenantId}` : ''}`, { label });
  expect(made.link.startsWith(`${url}/console#cl_`), `a link to ${made.link}`);
  return made.link;
}

/** Somebody at a browser of their own. What is complained of there is kept. */
export class Person {
  problems = [];
  actions = 0;

  static async start() {
    const person = new Person();
    const permissions = ['clipboard-read', 'clipboard-write'];
    person.context = await browser.newContext({
      permissions,
      viewport: { width: 1440, height: 900 },
      acceptDownloads: true,
    });
    await person.context.addInitScript(() =>
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error(`policy: ${violatedDirective} ${blockedURI}`),
      ),
    );
    person.page = await person.tab();
    return person;
  }

  async tab() {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      // Refusals, which are what is tested; and a header that means nothing without https.
      const isKnown = /Failed to load resource|Opener-Policy header has been ignored/.test(message.text());
      if (message.type() === 'error' && !isKnown) this.problems.push(message.text());
    });
    page.on('dialog', (dialog) => {
      this.problems.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      const isOwn = request.url().startsWith(`${url}/`) || request.url().startsWith('blob:');
      if (!isOwn) this.problems.push(`a request to ${request.url()}`);
    });
    return page;
  }

  /** Opens the console with a link. */
  async open(address) {
    await this.page.goto(address);
    await this.shown('Open the console?');
    await this.enter('Open the console');
    await this.page.getByRole('navigation').waitFor();
    await this.loaded();
  }

  check() {
    expect(this.problems.length === 0, `the console: ${this.problems.join('; ')}`);
  }

  close() {
    this.check();
    return this.context.close();
  }

  // --- by keyboard

  /** Goes with the tab key to the control of that name. */
  async reach(name, within = 'body') {
    const names = [];
    // In a modal dialog the keys stay within; elsewhere they come around.
    for (let pressed = 0; pressed < 250; pressed += 1) {
      const focused = await this.page.evaluate((selector) => {
        const { activeElement: on } = document;
        const said = on.getAttribute('aria-label') ?? on.labels?.[0]?.textContent ?? on.textContent;
        return on.closest(selector) && on !== document.body ? said.trim() : '';
      }, within);
      if (focused === name) return;
      names.push(focused.slice(0, 40));
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`no key leads to "${name}": ${[...new Set(names)].join(' | ')}`);
  }

  /** Presses what has that name. */
  async enter(name, within) {
    await this.reach(name, within);
    this.actions += 1;
    await this.page.keyboard.press('Enter');
  }

  /** Writes into the field of that name, in place of what is there. */
  async type(name, text, within) {
    await this.reach(name, within);
    this.actions += 1;
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(text);
  }

  /** Chooses by the first letters of an option. */
  async choose(name, letters) {
    await this.reach(name);
    this.actions += 1;
    await this.page.keyboard.type(letters);
  }

  // --- what is on the screen

  async shown(title) {
    const heading = this.page.getByRole('heading', { level: 1, name: title, exact: typeof title === 'string' });
    await heading.waitFor({ timeout: 20_000 }).catch(async () => {
      const text = await this.page.locator('body').innerText();
      throw new Error(`not "${title}" but at ${this.page.url()} "${text.slice(0, 600)}"; ${this.problems}`);
    });
  }

  loaded() {
    return this.page.locator('.loading').waitFor({ state: 'detached', timeout: 20_000 });
  }

  /** Goes to a screen by the menu, waits until it is complete, and looks at it. */
  async visit(title, name = title) {
    const menu = this.page.getByRole('button', { name: 'Menu' });
    if (await menu.isVisible()) await this.enter('Menu');
    await this.enter(title, 'nav');
    await this.screen(title, name);
  }

  /** What holds for each screen: its heading has the focus, it fits, and axe finds nothing. */
  async screen(title, name) {
    await this.shown(title);
    await this.loaded();
    const [focused, kept] = await this.page.evaluate(() => [
      document.activeElement.tagName,
      [document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage)].join(''),
    ]);
    expect(focused === 'H1', `${name}: the focus is on ${focused}`);
    expect(kept === '', `${name}: kept in the browser: ${kept}`);
    expect(!this.page.url().includes('cl_'), `${name}: the code is in the address`);
    await this.look(name);
  }

  async look(name) {
    const file = name.replace(/\W+/g, '-').toLowerCase();
    seen.add(file);
    for (const width of WIDTHS) {
      await this.page.setViewportSize({ width, height: HEIGHTS[width] });
      shots += await looks(this.page, `${file}-${width}`);
      await this.fits(name, width);
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
  }

  async fits(name, width = this.page.viewportSize().width) {
    const [wide, ...broad] = await this.page.evaluate((most) => {
      const isBroad = (part) => part.getBoundingClientRect().right > most + 1;
      const parts = [...document.querySelectorAll('body *')]
        .filter(isBroad)
        .map((part) => part.outerHTML.slice(0, 120));
      return [document.documentElement.scrollWidth, ...parts.slice(-3)];
    }, width);
    expect(wide <= width, `${name}: ${wide} px wide at ${width}: ${broad.join('; ')}`);
  }

  /** What is said after something was done. */
  async told(text) {
    await this.page.locator('.notice', { hasText: text }).waitFor({ timeout: 20_000 });
  }

  /** Says that a secret is saved, and expects it to be gone. */
  async saved(secret) {
    await this.enter('I have saved it');
    await this.page.getByText(secret).waitFor({ state: 'detached' });
    expect(!(await this.page.content()).includes(secret), 'a secret that is saved is still in the document');
  }

  /** Something done in the page with its own modules, its session, and requests that have a proof. */
  async within(work, argument) {
    const tools = await this.page.evaluateHandle(async () => {
      const { src } = document.querySelector('script[src$="/console.js"]');
      const load = (name) => import(src.replace('console.js', name));
      const [{ dpopProof, newKeys }, { find }] = await Promise.all(['proof.js', 'console-session.js'].map(load));
      const session = await find();
      /** A request: its status, its code and its data. */
      const send = async (method, path, { keys = session?.keys, token = session?.token, body } = {}) => {
        let nonce;
        for (;;) {
          const target = location.origin + path;
          const proof = await dpopProof(keys, { method, url: target.split('?')[0], nonce, token });
          const headers = { DPoP: proof, 'Content-Type': 'application/json' };
          if (token) headers.Authorization = `DPoP ${token}`;
          const answer = await fetch(target, { method, headers, body: body && JSON.stringify(body) });
          const { data, error } = await answer.json();
          if (error?.code !== 'use_dpop_nonce' || nonce) return { status: answer.status, code: error?.code, data };
          nonce = answer.headers.get('DPoP-Nonce');
        }
      };
      return { send, session, newKeys };
    });
    return this.page.evaluate(work, { tools, argument });
  }
}
