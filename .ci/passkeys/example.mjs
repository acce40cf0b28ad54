// The example's page in a browser, over each of its backends.

import { expect, url } from '../foreign/service.mjs';
import { looks } from '../looks.mjs';
import { freePort, start, until } from '../running.mjs';
import { Authenticators, accepted, party } from './party.mjs';

const { EXAMPLES, PYTHON } = process.env;
const BACKENDS = { Node: [process.execPath, 'node.mjs'], Python: [PYTHON, 'python.py'] };
const CODE = 'a code of the check';
const ADA = 'ada@example.com';

const tap = (page, name) => page.getByRole('button', { name, exact: true }).click();
const title = (page, name) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor({ timeout: 10_000 });
const names = (page) => page.locator('#passkeys h2').allInnerTexts();

async function says(page, text) {
  await until(10, async () => {
    const said = await page.locator('#status').innerText();
    expect(said === text, `it says "${said}", and not "${text}"`);
  });
}

async function open(browser, site, problems) {
  const page = await (await browser.newContext({ viewport: { width: 420, height: 720 } })).newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const isKnown = /Failed to load resource/.test(message.text());
    if (message.type() === 'error' && !isKnown) problems.push(message.text());
  });
  // Whether the browser waits for somebody to take a passkey in the field for the e-mail address.
  await page.addInitScript(() => {
    const { get } = CredentialsContainer.prototype;
    CredentialsContainer.prototype.get = function (options) {
      const got = get.call(this, options);
      window.waits = options.mediation === 'conditional';
      return got;
    };
  });
  const authenticators = await Authenticators.of(page);
  await page.goto(site);
  await title(page, 'Log in');
  return { page, authenticators };
}

async function byCode(page, code = CODE) {
  await page.getByLabel('E-mail').fill(ADA);
  await page.getByLabel('Code').fill(code);
  await tap(page, 'Log in with a code');
}

/** Logs out. Nobody touches these authenticators for what the page asks of them at once. */
async function logOut({ page, authenticators }, ...ids) {
  for (const id of ids) await authenticators.touched(id, false);
  await page.evaluate('window.waits = false');
  await tap(page, 'Log out');
  await title(page, 'Log in');
  await waits(page);
}

async function waits(page) {
  // Not `waitForFunction`, which the page's policy stops.
  await until(10, async () => expect(await page.evaluate('window.waits'), 'the page asks for no passkey'));
  // The authenticators have it a moment after the page, and nothing says when.
  await new Promise((done) => setTimeout(done, 3000));
}

/** What the backend answers to somebody who does not use its page. */
async function strangers(site) {
  const ask = async (path, headers, body = {}) => {
    const all = { origin: site, 'content-type': 'application/json', ...headers };
    return fetch(site + path, { method: 'POST', headers: all, body: JSON.stringify(body) });
  };
  for (const path of ['/me', '/passkeys', '/register/options', '/register/verify', '/rename', '/revoke', '/nothing']) {
    for (const cookie of ['', 'session=', `session=${'A'.repeat(43)}`]) {
      const { status } = await ask(path, { cookie }, { backend_user_id: 'user_1', credential_id: 'AAAA', name: 'x' });
      expect(status === 401, `${path} without a session: ${status}`);
    }
  }
  const login = { email: ADA, code: CODE };
  for (const headers of [{ origin: 'http://localhost:1' }, { origin: 'null' }, { 'content-type': 'text/plain' }]) {
    const { status } = await ask('/login/code', headers, login);
    expect(status === 403, `another site's page is answered ${status}`);
  }
  for (const body of [{}, { ...login, email: 'eve@example.com' }, { ...login, code: `${CODE}x` }, []]) {
    const { status } = await ask('/login/code', {}, body);
    expect(status === 401, `a login with ${JSON.stringify(body)}: ${status}`);
  }
  const answer = await ask('/login/code', {}, login);
  const cookie = answer.headers.get('set-cookie');
  for (const word of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) expect(cookie.includes(word), cookie);
  const policy = (await fetch(site)).headers.get('content-security-policy');
  expect(/default-src 'none'.*script-src 'self'/.test(policy) && !policy.includes('unsafe'), `the policy: ${policy}`);
  return cookie.split(';')[0];
}

/** In a browser without passkeys people log in all the same, and see theirs. */
async function without(browser, site) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => delete window.PublicKeyCredential);
  await page.goto(site);
  await title(page, 'Log in');
  await page.getByText('This browser has no passkeys').waitFor();
  await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor({ state: 'hidden' });
  await byCode(page);
  await title(page, 'Your passkeys');
  await until(10, async () => expect((await names(page)).length === 2, 'the passkeys are not in the list'));
  await page.context().close();
}

async function backend(name, browser) {
  const port = await freePort();
  const [site, problems] = [`http://localhost:${port}`, []];
  const tenant = await party(`Example in ${name}`, [site]);
  const [command, ...args] = BACKENDS[name];
  const printed = start(`${EXAMPLES}/passkeys`, command, args, {
    LATCHKEY_URL: url,
    LATCHKEY_TENANT_ID: tenant.id,
    LATCHKEY_TENANT_SECRET: tenant.secret,
    DEMO_CODE: CODE,
    PORT: `${port}`,
  });
  await until(10, () => fetch(site));
  const session = await strangers(site);
  const asked = async () => {
    const headers = { origin: site, 'content-type': 'application/json', cookie: session };
    return (await fetch(`${site}/me`, { method: 'POST', headers, body: '{}' })).status;
  };
  expect((await asked()) === 200, 'a session that has begun is none');

  const at = await open(browser, site, problems);
  const { page, authenticators } = at;
  const shot = (view) => looks(page, `${name.toLowerCase()}-${view}`);
  await shot('logged-out');
  await byCode(page, 'another');
  await says(page, 'The e-mail address or the code is wrong.');
  await byCode(page);
  await title(page, 'Your passkeys');
  await page.getByText('You have no passkey.').waitFor();
  await shot('none');

  // Enrol, on this device and on a security key; neither of them twice.
  const device = await authenticators.add();
  await tap(page, 'Add a passkey');
  await until(10, async () => expect((await names(page)).length === 1, 'the passkey is not in the list'));
  await tap(page, 'Add a passkey');
  await says(page, 'This device has a passkey of yours already.');
  await authenticators.touched(device, false);
  const key = await authenticators.add({ transport: 'usb' });
  await tap(page, 'Add a passkey');
  await until(10, async () => expect((await names(page)).length === 2, 'the second is not in the list'));

  await without(browser, site);

  // Rename.
  const [before] = await names(page);
  await page.getByRole('button', { name: `Rename ${before}` }).first().click();
  await shot('rename');
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada’s laptop');
  await tap(page, 'Rename');
  await says(page, 'Renamed.');
  expect((await names(page))[0] === 'Ada’s laptop', `the names: ${await names(page)}`);
  await shot('list');

  // Log in by the button, while the field for the e-mail address waits; then by that field.
  await logOut(at, device, key);
  await authenticators.touched(device, true);
  await tap(page, 'Log in with a passkey');
  await title(page, 'Your passkeys');
  const taken = page.waitForResponse('**/login/verify');
  await tap(page, 'Log out');
  await taken;
  await title(page, 'Your passkeys');
  const listed = await accepted(tenant, 'fetch/passkeys', { backend_user_id: 'user_1' });
  expect(listed.passkeys.length === 2 && listed.passkeys[0].last_used_at, 'no login is in the list');

  // Revoke: the authenticator is told, and so are the person's other sessions.
  const [kept] = await authenticators.credentials(device);
  await tap(page, 'Revoke Ada’s laptop');
  await page.getByText('It is your last passkey.').waitFor({ state: 'hidden' });
  await tap(page, 'Keep it');
  await tap(page, 'Revoke Ada’s laptop');
  await tap(page, 'Revoke');
  await says(page, 'Revoked.');
  expect((await asked()) === 401, 'another session goes on');
  expect((await authenticators.credentials(device)).length === 0, 'the authenticator still has it');

  // An authenticator that was not told offers it, and the login is refused.
  await logOut(at, key);
  await authenticators.restore(device, kept);
  await tap(page, 'Log in with a passkey');
  await says(page, 'This passkey is not accepted. Try again, or log in with a code.');
  await until(10, async () => expect((await authenticators.credentials(device)).length === 0, 'it is not hidden'));
  await waits(page);
  await shot('refused');
  await authenticators.touched(key, true);
  await tap(page, 'Log in with a passkey');
  await title(page, 'Your passkeys');

  // The last one.
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('It is your last passkey.').waitFor();
  await shot('revoke-last');
  await tap(page, 'Revoke');
  await page.getByText('You have no passkey.').waitFor();
  await logOut(at);
  await byCode(page);
  await title(page, 'Your passkeys');
  await page.reload();
  await title(page, 'Your passkeys');

  expect(problems.length === 0, `the page: ${problems}`);
  expect(!printed.join('\n').includes(tenant.secret) && !printed.some((line) => line.startsWith('ended')), printed);
  const refusal = /^authenticate\/verify: 401 credential_refused: the passkey was not accepted \(request [\w-]+\)$/;
  expect(printed.length === 1 && refusal.test(printed[0]), `the backend prints: ${printed.join('\n')}`);
  await page.context().close();
  console.log(`${name}: enrolled twice, logged in by button and by field, renamed, revoked, refused, revoked the last`);
}

export async function example(browser) {
  for (const name of Object.keys(BACKENDS)) await backend(name, browser);
}
