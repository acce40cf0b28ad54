// The example's page with both of its backends, and phones: what people see who sign in, and who do not.

import { adminKey, call, expect, operator } from '../foreign/service.mjs';
import { Phone, logos, tap, view } from '../pages/phone.mjs';
import { received, signingTenant } from '../relay.mjs';
import { until } from '../running.mjs';
import { ADA, BRAND, CONSENT, Desk, pair, sessionOf } from './desk.mjs';

/** Opens what the code says, as a phone does, and asks who it is. */
async function scans(phone, address) {
  const page = await phone.page(address);
  await tap(page, 'See who asks');
  return page;
}

async function types(page, number) {
  await page.getByLabel('Number on the other screen').fill(number);
  await tap(page, 'Approve');
}

/** What a phone shows. */
async function sees(desk, page, name, title) {
  if (desk.isPictured) return view(page, name, title);
  return page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor({ timeout: 15_000 });
}

/** What the operator sees of a tenant's callbacks about QR logins, the latest first. */
async function callbacks(tenant) {
  const path = `/api/v1/fetch/callbacks?tenant_id=${tenant.id}`;
  const { body } = await call(path, undefined, { 'x-admin-key': adminKey });
  return body.data.callbacks.filter(({ type }) => type.startsWith('qr_login.'));
}

/** What programs do that look at links before anybody opens them. */
async function lookedUp(address) {
  for (const [method, headers] of [
    ['GET', {}],
    ['HEAD', {}],
    ['GET', { 'sec-purpose': 'prefetch' }],
    ['GET', { 'user-agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)' }],
  ]) {
    const { status } = await fetch(address, { method, headers, redirect: 'manual' });
    expect([200, 405].includes(status), `a link that is looked up: ${status}`);
  }
}

/** From the code to an account. */
async function approved(desk, phone) {
  const { site, tenant, page } = desk;
  await desk.shows('Sign in', 'start');
  await desk.begins();
  await desk.looksReadable('code');
  const address = await desk.code('code');
  await lookedUp(address);
  let consent = await phone.page(address);
  await sees(desk, consent, 'phone-start', 'Sign in on another screen?');
  await desk.shows('Scan this code');
  await tap(consent, 'See who asks');
  await sees(desk, consent, 'phone-consent', CONSENT);
  const text = await consent.locator('main').innerText();
  const said = ['Only if the address bar of the other screen says', site, 'Firefox on Windows', ADA.name];
  for (const part of said) expect(text.includes(part), `the consent lacks "${part}": ${text}`);
  expect(/Asked at\s+\d+:\d\d/.test(text), `the consent has no time: ${text}`);
  const logo = consent.locator('main img');
  await until(10, async () => expect(await logo.evaluate((image) => image.naturalWidth > 0), 'no logo'));
  const number = await desk.number();
  // The time and the port of the site have digits too.
  const rest = text.replaceAll(site, '').replaceAll(/\d+:\d\d/g, '');
  expect(!rest.includes(number), `the phone shows the number ${number}: ${rest}`);
  await desk.shows(`Type ${number} on your phone`, 'number');
  await types(consent, number);
  await sees(desk, consent, 'phone-approved', 'Approved');
  await desk.shows(`Signed in as ${ADA.name}`, 'approved');

  // Nothing is linked yet, and another browser is nobody.
  const me = () => page.evaluate(async () => (await fetch('/me', { method: 'POST' })).status);
  expect((await me()) === 401, 'there is a session before anybody has seen whose it is');
  await tap(page, 'Yes, go on');
  await desk.shows(`Hello, ${ADA.name}`, 'finished');
  await page.reload();
  await desk.shows(`Hello, ${ADA.name}`);
  const cookies = (await desk.context.cookies()).map(({ name, httpOnly, secure, sameSite }) =>
    [name, httpOnly, secure, sameSite].join(' '),
  );
  expect(cookies.join() === 'session true true Strict', `the cookies: ${cookies}`);
  await until(30, async () => {
    const states = (await callbacks(tenant)).map(({ type, state }) => `${type} ${state}`);
    expect(states.join() === 'qr_login.approved delivered', `${desk.language}: ${states}`);
  });
  await until(5, () => desk.expectTold(`qr_login.approved ${sessionOf(address)} dev_`));
  await tap(page, 'Sign out');
  await desk.shows('Sign in');
  expect((await me()) === 401, 'the session goes on');
  return address;
}

/** What is denied, and what is not what it was. */
async function refused(desk, phone, used) {
  const { page } = desk;
  let phoned = await scans(phone, used);
  await sees(desk, phoned, 'phone-used', 'This code is no longer good');

  // A picture of a code, which has changed since. The page goes on with the next.
  await desk.begins();
  const old = await desk.code('old');
  await desk.passes(20);
  await sees(desk, await scans(phone, old), 'phone-old', 'This code is no longer good');
  const next = await desk.code('next');
  expect(sessionOf(next) === sessionOf(old) && /#[2-9]/.test(next), `after ${old} comes ${next}`);
  phoned = await scans(phone, next);
  await phoned.getByRole('heading', { level: 1, name: CONSENT }).waitFor();
  await tap(phoned, 'Deny');
  await sees(desk, phoned, 'phone-denied', 'Denied');
  await until(30, () => desk.expectTold(`qr_login.denied ${sessionOf(next)} dev_`));
  await desk.shows('Not signed in', 'denied');

  await desk.begins('Show a new code');
  phoned = await scans(phone, await desk.code('wrong-number'));
  const number = await desk.number();
  await types(phoned, `${(Number(number) + 1) % 100}`.padStart(2, '0'));
  await sees(desk, phoned, 'phone-wrong-number', 'Denied: another number');
  await desk.shows('Not signed in');

  await desk.begins('Show a new code');
  await desk.passes(120);
  await desk.shows('The code has expired', 'expired');
}

/** What else a page has to say. */
async function states(desk, phone) {
  const { page, context, tenant } = desk;
  await desk.begins('Show a new code');
  await context.setOffline(true);
  await page.getByText('No connection. Trying again…').waitFor();
  await context.setOffline(false);
  await page.getByText('No connection').waitFor({ state: 'detached' });
  await tap(page, 'Cancel');
  await desk.shows('Sign in');

  const update = (fields) => operator(`update/tenant?tenant_id=${tenant.id}`, fields);
  await update({ qr_login_allowed_origins: [] });
  await tap(page, 'Sign in with your phone');
  await desk.shows('That does not work right now', 'unavailable');
  await update({ qr_login_allowed_origins: [desk.site], qr_number_matching: 'never' });
  await desk.begins('Try again');
  const consent = await scans(phone, await desk.code('without-number'));
  await desk.shows('Look at your phone', 'without-number');
  await tap(consent, 'Approve');
  await desk.shows(`Signed in as ${ADA.name}`);
  await tap(page, 'No, that is not me');
}

/** Whoever is not the browser that began. */
async function strangers(desk, browser) {
  const { site, tenant, page } = desk;
  await desk.begins();
  const session = sessionOf(await desk.code('callback'));
  const other = await browser.newContext();
  const theirs = await other.newPage();
  await theirs.goto(site);
  const state = await theirs.evaluate(async () => (await fetch('/login/state', { method: 'POST' })).json());
  expect(state.phase === 'expired', `another browser sees ${JSON.stringify(state)}`);
  for (const origin of ['http://localhost:1', 'null', undefined]) {
    const headers = origin ? { origin } : {};
    const { status } = await fetch(`${site}/login/begin`, { method: 'POST', headers });
    expect(status === 403, `a page of ${origin}: ${status}`);
  }
  const policy = (await fetch(site)).headers.get('content-security-policy');
  expect(/default-src 'none'.*script-src 'self'/.test(policy) && !policy.includes('unsafe'), `the policy: ${policy}`);

  // A callback that is signed is evidence about its session, and signs nobody in.
  const data = { session_id: session, backend_user_id: ADA.id, device_id: 'dev_1' };
  const event = (changes) => ({
    event_id: 'evt_1',
    type: 'qr_login.approved',
    sequence: 2,
    data: { ...data, ...changes },
  });
  const forged = await received(site, 'qr-login', event(), (await signingTenant('Another')).webhookSecret);
  expect(forged === 400, `a forged callback: ${forged}`);
  for (const changes of [{ session_id: `${session}x` }, {}]) {
    const status = await received(site, 'qr-login', event(changes), tenant.webhookSecret);
    expect(status === 204, `a callback: ${status}`);
  }
  await until(5, () => desk.expectTold(`qr_login.approved ${session} dev_1`));
  expect(!desk.printed.join().includes(`${session}x`), 'a callback of another session is taken');
  await page.waitForResponse('**/login/state');
  const finish = () => page.evaluate(async () => (await fetch('/login/finish', { method: 'POST' })).status);
  await desk.shows('Scan this code');
  expect((await finish()) === 401, 'a callback signs somebody in');
  await desk.shows('The code has expired');
  const none = await theirs.evaluate(async () => (await fetch('/login/finish', { method: 'POST' })).status);
  expect(none === 401, `another browser finishes the login: ${none}`);
  await other.close();
}

/** The pictures are of one of the backends: the page is the same, and so is the phone's. */
export async function backend(language, browser, isPictured) {
  const began = Date.now();
  const [desk, phone] = [await Desk.start(language, browser, isPictured, BRAND), await Phone.start()];
  await logos(phone);
  await pair(phone, desk.tenant);
  const used = await approved(desk, phone);
  await refused(desk, phone, used);
  await states(desk, phone);
  await strangers(desk, browser);
  desk.check();
  phone.check();
  await phone.close();
  console.log(`${language}: ${Date.now() - began} ms`);
}
