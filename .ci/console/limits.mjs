// What the console weighs, what it does on a slow network, and with a thousand tenants.

import { expect, operator } from '../foreign/service.mjs';
import { Person, link } from './screens.mjs';

const MOST_BYTES = 100_000;
const MOST_REQUESTS = 3;
const TENANTS = 1000;
const AT_ONCE = 16;

/** The requests before anything is on the screen, and the bytes of everything that is loaded. */
export async function weight() {
  // What follows the first paint does not wait for it for ever: on a machine that stands still, once more.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await weighed();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function weighed() {
  const person = await Person.start();
  const { page } = person;
  const sizes = new Map();
  page.on('response', async (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith('/api/')) sizes.set(pathname, (await response.body()).length);
  });
  await page.goto(await link('Ada Lovelace'));
  await person.shown('Open the console?');
  await page.waitForFunction(() => performance.getEntriesByName('first-paint').length === 1);
  const early = await page.evaluate(() => {
    const [{ startTime: painted }] = performance.getEntriesByName('first-paint');
    const loaded = performance.getEntriesByType('resource').filter(({ startTime }) => startTime < painted);
    // The icon of the tab is the browser's own errand: no paint waits for it.
    return loaded.filter(({ name }) => !name.endsWith('icon.svg')).map(({ name }) => name);
  });
  expect(early.length + 1 <= MOST_REQUESTS, `before the first paint: ${early}`);
  await person.enter('Open the console');
  await person.shown('Tenants');
  await person.loaded();
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  expect(bytes < MOST_BYTES && sizes.size > 10, `${bytes} bytes in ${sizes.size} files`);
  await person.close();
  return `${early.length + 1} requests to the first paint, ${bytes} bytes in ${sizes.size} files in all`;
}

/** A slow network: what runs says so, and is sent once; an answer that is lost is asked for again, and nothing is done twice. */
export async function slow() {
  const person = await Person.start();
  const { page } = person;
  await person.open(await link('Ada Lovelace'));
  const named = async (name) => (await operator(`fetch/tenants?search=${encodeURIComponent(name)}`)).tenants.length;
  // A service that runs for long has those of an earlier run.
  const [slowOne, lostOne] = ['Slow', 'Lost'].map((name) => `${name} ${Date.now()}`);
  const sent = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/provision/tenant'))
      sent.push(request.headers()['idempotency-key']);
  });
  const network = await person.context.newCDPSession(page);
  const throttle = (latency) =>
    network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency,
      downloadThroughput: 20_000,
      uploadThroughput: 20_000,
    });
  // Long enough for all that is looked at while it runs.
  await throttle(6000);
  await person.enter('New tenant');
  await person.shown('New tenant');
  await person.type('Name', slowOne);
  await person.reach('Create tenant');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  const running = page.getByRole('button', { name: 'One moment…' });
  await running.waitFor();
  expect((await running.getAttribute('aria-disabled')) === 'true', 'what runs can be pressed');
  expect(await page.getByRole('button', { name: 'Cancel' }).isDisabled(), 'what runs can be left, and sent anew');
  const [busy, status] = await page.evaluate(() => [
    document.documentElement.hasAttribute('data-busy'),
    document.getElementById('status').textContent,
  ]);
  expect(busy && status === 'One moment…', 'nothing says that it runs');
  await page.keyboard.press('Enter');
  await person.shown(/is there/);
  // The first has no nonce for its proof; the service asks for one, and the page sends the same once more.
  expect(new Set(sent).size === 1 && (await named(slowOne)) === 1, `sent ${sent.length} times`);
  await throttle(0);
  await person.saved(await page.locator('output').first().innerText());

  await person.enter('Tenants', 'nav');
  await person.loaded();
  await person.enter('New tenant');
  await person.type('Name', lostOne);
  sent.length = 0;
  let isLost = false;
  await page.route('**/provision/tenant', async (route) => {
    const answer = await route.fetch();
    if (isLost || answer.status() !== 201) return route.fulfill({ response: answer });
    isLost = true;
    return route.abort();
  });
  await person.enter('Create tenant');
  await page.locator('.problem', { hasText: 'No answer came' }).waitFor();
  await person.enter('Create tenant');
  await person.shown(/is there/);
  expect(
    new Set(sent).size === 1 && (await named(lostOne)) === 1,
    `after a lost answer there are ${await named(lostOne)}`,
  );
  await page.unroute('**/provision/tenant');
  await person.saved(await page.locator('output').first().innerText());

  // Nothing can be reached at all.
  await page.route('**/api/v1/fetch/**', (route) => route.abort());
  await person.enter('Tenants', 'nav');
  await page.locator('.problem', { hasText: 'No answer came' }).waitFor();
  await person.look('unreachable');
  await page.unroute('**/api/v1/fetch/**');
  await person.close();
}

/** A thousand tenants: they are found as somebody types, and listed to the last. */
export async function many() {
  const of = `Tenant of ${Date.now()} number`;
  let next = 0;
  const worker = async () => {
    while (next < TENANTS) {
      next += 1;
      await operator('provision/tenant', { tenant_name: `${of} ${`${next}`.padStart(4, '0')}` });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const person = await Person.start();
  const { page } = person;
  await person.open(await link('Ada Lovelace'));
  await person.look('thousand tenants');
  await page.setViewportSize({ width: 1440, height: 900 });
  const rows = page.locator('tbody tr');
  await person.type('Name or id begins with', `${of.toUpperCase()} 09`);
  await page.waitForFunction(() => document.querySelector('.foot')?.textContent.startsWith('50 shown'));
  await person.type('Name or id begins with', `${of.toLowerCase()} 0999`);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  const id = await rows.first().locator('code').innerText();
  await person.type('Name or id begins with', id.slice(0, 20));
  await page.waitForFunction((wanted) => document.querySelector('tbody code')?.textContent === wanted, id);
  await person.type('Name or id begins with', 'no such tenant');
  await page.locator('.empty', { hasText: 'No tenant matches' }).waitFor();
  await person.look('no match');
  await person.type('Name or id begins with', '');
  await page.getByText('Load more').waitFor();
  const began = Date.now();
  const more = page.getByRole('button', { name: 'Load more' });
  await person.reach('Load more');
  while (await more.isVisible()) {
    const before = await rows.count();
    await page.keyboard.press('Enter');
    await page.waitForFunction((count) => document.querySelectorAll('tbody tr').length > count, before);
    await page.waitForFunction(() => !document.querySelector('[aria-disabled]'));
  }
  const shown = await rows.count();
  expect(shown >= TENANTS && Date.now() - began < 60_000, `${shown} rows after ${Date.now() - began} ms`);
  await person.fits('all rows');
  await person.close();
  return `${shown} tenants`;
}
