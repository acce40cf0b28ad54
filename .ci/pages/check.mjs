// The pages for phones, as the function serves them, in Chromium as a phone with a screen 320 px wide, with device.mjs in
// place of the operations of phones. LATCHKEY_URL says where the service is, CHROMIUM what to run, SHOTS where pictures
// of each view go, in light and dark.

import { expect, url } from '../foreign/service.mjs';
import { end, until } from '../running.mjs';
import { DeviceService, tenant } from './device.mjs';
import { ANDROID, Phone, logos, looked, pictures, press, tap, view } from './phone.mjs';

const DAY = 24 * 60 * 60;
const IN_APP = [
  ANDROID.replace('Pixel 10)', 'Pixel 10; wv)'),
  `${ANDROID} Instagram 400.0.0.0`,
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
];

const service = new DeviceService(url);
Phone.standIn = service;

async function pair(phone, of, person) {
  const page = await phone.page(`/p#${service.handle(of, person)}`);
  await tap(page, 'Pair this phone');
  await page.getByRole('heading', { level: 1, name: /^Paired with/ }).waitFor();
  return page;
}

const acme = tenant('Acme GmbH', { brand: 'Acme Bank', logo: 'https://logo.example.com/acme.svg' });
const globex = tenant('Globex');
const ADA = 'Ada Lovelace';

// --- pairing ---------------------------------------------------------------------------------------------------------

async function pairing() {
  const phone = await Phone.start();
  await logos(phone);
  const none = await phone.page('/p');
  await view(none, 'phone-none', 'This phone is not paired');

  // The link that is opened does nothing but ask.
  const handle = service.handle(acme, ADA, { user_email: 'a••@e•••••.com', user_phone: '+49 ••• ••12' });
  let page = await phone.page(`/p#${handle}`);
  await view(page, 'phone-offer', 'Pair this phone with Acme Bank?');
  const text = await page.locator('main').innerText();
  for (const part of [ADA, 'a••@e•••••.com', '+49 ••• ••12']) expect(text.includes(part), `the offer lacks ${part}`);
  expect(service.asked('register-token') === 0, 'opening the link has paired');
  expect((await press(page, 'Tab')) === 'Don’t pair', 'another control comes first');
  expect((await press(page, 'Tab')) === 'Name of this phone', 'no name after it');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Ada’s Pixel');
  expect((await press(page, 'Tab')) === 'Pair this phone', 'no way to pair after it');
  await page.evaluate(() => (navigator.storage.persist = async () => (window.isPersistent = true)));
  await page.keyboard.press('Enter');
  await page.getByText('Paired until').waitFor();
  expect(await page.evaluate(() => window.isPersistent), 'the browser is not asked to keep the key');
  neighbours();
  await page.reload();
  await view(page, 'phone-paired', 'Paired with Acme Bank');
  expect((await page.getByText('Ada’s Pixel').count()) === 2, 'the name is not in the list');

  await cannotRead(page);
  await told(page);
  await used(phone, handle);

  // The key is there after a restart, and the session is renewed once, whoever asks.
  await phone.restart();
  await logos(phone);
  service.expiresIn = 10 * DAY;
  page = await phone.page(`/p#${service.handle(acme, ADA)}`);
  await view(page, 'phone-replace', 'Pair this phone with Acme Bank?');
  const before = service.sessions.size;
  await tap(page, 'Pair this phone');
  await page.getByText('Paired until').waitFor();
  await until(5, () => expect(service.sessions.size === before, 'the session before is still there'));
  service.expiresIn = 30 * DAY;
  service.asked('');
  const tabs = await Promise.all([phone.page('/p'), phone.page('/p')]);
  for (const tab of tabs) await tab.getByText('Paired until').waitFor();
  expect(service.asked('refresh-token') === 1, 'a session is renewed twice');

  await pair(phone, globex, 'A. Lovelace');
  page = await phone.page('/p');
  await view(page, 'phone-overview', 'Pairings of this phone');
  await tap(page, 'Devices at Globex');
  await view(page, 'phone-one-of-two', 'Paired with Globex');
  await tap(page, 'Unpair this phone');
  await view(page, 'phone-confirm-unpair', 'Unpair this phone from Globex?');
  expect((await press(page, 'Tab')) === 'Keep the pairing', 'another control comes first');
  await tap(page, 'Unpair');
  await view(page, 'phone-unpaired', 'This phone is unpaired');
  await failures(phone);

  // Storage that is cleared takes the key along.
  page = await phone.page('/p');
  await page.evaluate(() => new Promise((done) => (indexedDB.deleteDatabase('latchkey').onsuccess = done)));
  await page.reload();
  await view(page, 'phone-cleared', 'This phone is not paired');
  phone.check();
  await phone.close();
}

/** A device that was added shows at each opening until the person knows it; and a phone gets another name. */
async function told(page) {
  const notice = page.getByRole('heading', { level: 2, name: 'A device was added' });
  expect((await notice.count()) === 1, 'devices that were added since the first look are not told of');
  await tap(page, 'I know it');
  await notice.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByText('Paired until').waitFor();
  expect((await notice.count()) === 0, 'what is known is told of again');
  service.sessions.set('Thief', {
    tenant: acme,
    person: ADA,
    device: { device_id: 'Thief', name: 'Somebody’s phone', platform: 'android', created_at: '2026-11-29T08:00:00Z' },
  });
  for (const time of ['first', 'second']) {
    await page.reload();
    await view(page, `phone-added-${time}`, 'Paired with Acme Bank');
    const text = await page.locator('main').innerText();
    expect(text.includes('Somebody’s phone, paired on Nov 29, 2026'), `the ${time} time, the new device is not told of`);
    expect(!text.includes('Kitchen tablet, paired on'), `the ${time} time, a known device is told of`);
  }
  expect((await press(page, 'Tab')) === 'I know it', 'another control comes first');
  await page.keyboard.press('Enter');
  await notice.waitFor({ state: 'detached' });
  service.sessions.delete('Thief');

  await tap(page, 'Rename this phone');
  await view(page, 'phone-rename', 'Another name for this phone');
  expect((await press(page, 'Tab')) === 'Name of this phone', 'no name first');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Ada’s new Pixel');
  await tap(page, 'Keep the name');
  await page.getByText('Paired until').waitFor();
  expect(service.asked('rename') === 0, 'a name that is kept is sent');
  for (const name of ['Ada’s new Pixel', 'Ada’s Pixel']) {
    await tap(page, 'Rename this phone');
    await page.getByRole('textbox', { name: 'Name of this phone' }).fill(name);
    await tap(page, 'Save');
    await page.getByText('Paired until').waitFor();
    expect((await page.getByText(name, { exact: true }).count()) === 2, `it is not ${name} in the list`);
  }
  service.fail('rename', 503, 'temporarily_unavailable');
  await tap(page, 'Rename this phone');
  await tap(page, 'Save');
  await view(page, 'phone-rename-unavailable', 'That did not work');
  await tap(page, 'Try again');
  await page.getByText('Paired until').waitFor();
}

/** Two more devices of the same person, in the list only. */
function neighbours() {
  for (const [name, platform] of [
    ['Kitchen tablet', 'ios'],
    ['Old phone with a long name that someone has typed in', null],
  ]) {
    const device = { device_id: name, name, platform, created_at: '2026-08-01T08:00:00Z' };
    const last_used_at = '2026-11-20T08:00:00Z';
    service.sessions.set(name, { tenant: acme, person: ADA, device: { ...device, last_used_at } });
  }
}

/** The page has the key, and can't read it. */
async function cannotRead(page) {
  const read = await page.evaluate(async () => {
    const settled = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
    const database = await settled(indexedDB.open('latchkey'));
    const [{ keys }] = await settled(database.transaction('pairings').objectStore('pairings').getAll());
    database.close();
    const failures = [];
    for (const format of ['jwk', 'pkcs8', 'raw']) {
      failures.push(
        await crypto.subtle.exportKey(format, keys.privateKey).then(
          () => 'read',
          (error) => error.name,
        ),
      );
    }
    return { failures, isExtractable: keys.privateKey.extractable, curve: keys.privateKey.algorithm.namedCurve };
  });
  expect(!read.isExtractable && read.curve === 'P-256', `the key: ${JSON.stringify(read)}`);
  expect(!read.failures.includes('read') && read.failures[0] === 'InvalidAccessError', `exportKey: ${read.failures}`);
}

async function used(phone, handle) {
  const page = await phone.page(`/p#${handle}`);
  await view(page, 'phone-used', 'This code is no longer good');
}

async function failures(phone) {
  const opened = async (path, status, code) => {
    service.fail(path, status, code);
    return phone.page('/p');
  };
  let page = await opened('pairings', 0);
  await view(page, 'phone-unreachable', 'No connection');
  await tap(page, 'Try again');
  await page.getByText('Paired until').waitFor();
  await view(await opened('pairings', 503, 'temporarily_unavailable'), 'phone-unavailable', 'That did not work');
  await view(await opened('pairings', 403, 'tenant_suspended'), 'phone-suspended', 'Not available right now');

  page = await phone.page(`/p#${service.handle(globex, ADA)}`);
  await tap(page, 'Don’t pair');
  await view(page, 'phone-declined', 'Nothing was paired');
  for (const [status, code, name, title] of [
    [404, 'pairing_not_found', 'phone-expired', 'This code is no longer good'],
    [409, 'quota_exceeded', 'phone-too-many', 'Too many devices'],
  ]) {
    page = await phone.page(`/p#${service.handle(globex, ADA)}`);
    await page.getByRole('button', { name: 'Pair this phone' }).waitFor();
    service.fail('register-token', status, code);
    await tap(page, 'Pair this phone');
    await view(page, name, title);
  }

  // Ended by the tenant.
  for (const [token, { tenant: of }] of service.sessions) if (of === acme) service.sessions.delete(token);
  page = await phone.page('/p');
  await view(page, 'phone-ended', 'This pairing has ended');
  await tap(page, 'Remove it from this phone');
  await page.getByRole('heading', { level: 1, name: 'This phone is not paired' }).waitFor();
}

// --- browsers that can't ---------------------------------------------------------------------------------------------

async function obstacles() {
  const phone = await Phone.start();
  let page = await phone.page(`${url.replace('127.0.0.1', 'phone.test')}/p#${service.handle(acme, ADA)}`);
  await view(page, 'phone-insecure', 'This address is not secure');
  page = await phone.page(`/p#${service.handle(acme, ADA)}`, (page) =>
    page.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('private', 'SecurityError');
      };
    }),
  );
  await view(page, 'phone-no-storage', 'This browser keeps nothing');

  // Nobody sees a page that is prerendered: it asks nothing until somebody does.
  service.asked('');
  page = await phone.page(`/p#${service.handle(acme, ADA)}`, (page) =>
    page.addInitScript(() => {
      Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
    }),
  );
  await new Promise((done) => setTimeout(done, 500));
  expect(service.asked('pairing') === 0 && !page.url().includes('#'), 'a prerendered page asks');
  await page.evaluate(() => {
    Object.defineProperty(document, 'prerendering', { value: false });
    document.dispatchEvent(new Event('prerenderingchange'));
  });
  await page.getByRole('button', { name: 'Pair this phone' }).waitFor();

  // Another link in the tab that is open.
  page = await phone.page('/p');
  await page.evaluate((handle) => (location.hash = handle), service.handle(globex, ADA));
  await page.getByRole('heading', { level: 1, name: 'Pair this phone with Globex?' }).waitFor();
  phone.check();
  await phone.close();

  for (const userAgent of IN_APP) {
    const inApp = await Phone.start({ userAgent, permissions: ['clipboard-read', 'clipboard-write'] });
    const handle = service.handle(acme, ADA);
    service.asked('');
    page = await inApp.page(`/p#${handle}`);
    await view(page, 'phone-in-app', 'Open this in your browser');
    expect(service.asked('pairing') === 0, 'it asks in an app');
    await tap(page, 'Copy the link');
    await page.getByText('The link is copied').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied === `${url}/p#${handle}`, `copied: ${copied}`);
    await tap(page, 'Go on here anyway');
    await page.getByRole('button', { name: 'Pair this phone' }).waitFor();
    inApp.check();
    await inApp.close();
  }
}

// --- consent ---------------------------------------------------------------------------------------------------------

async function consent() {
  const phone = await Phone.start();
  await logos(phone);
  await pair(phone, acme, ADA);
  const asked = async (login) => {
    const page = await phone.page(login.path);
    await tap(page, 'See who asks');
    return page;
  };
  const type = async (page, number) => {
    await page.getByLabel('Number on the other screen').fill(number);
    await tap(page, 'Approve');
  };
  const state = (login) => service.logins.get(login.id);

  // Another tenant's code: nothing is asked, and nothing is said.
  service.asked('');
  const foreign = service.login(globex);
  let page = await phone.page(foreign.path);
  await view(page, 'consent-not-paired', 'This phone is not paired here');
  const text = await page.locator('body').innerText();
  expect(!/Globex|app\.example\.com/.test(text) && service.calls.length === 0, `it learns more: ${text}`);

  // By the keyboard alone, with every control in order.
  let login = service.login(acme);
  page = await phone.page(login.path);
  await view(page, 'consent-start', 'Sign in on another screen?');
  expect(state(login).phase === 'waiting', 'opening the link has scanned it');
  expect((await press(page, 'Tab')) === 'Not now', 'another control comes first');
  expect((await press(page, 'Tab')) === 'See who asks', 'no way on');
  await page.keyboard.press('Enter');
  await view(page, 'consent', 'Sign in to Acme Bank?');
  const request = await page.locator('main').innerText();
  for (const part of [
    'Only if the address bar of the other screen says',
    'https://app.example.com',
    'Firefox on Windows',
    ADA,
  ]) {
    expect(request.includes(part), `the request lacks ${part}`);
  }
  expect((await press(page, 'Tab')) === 'Deny', 'another control comes first');
  expect((await press(page, 'Tab')) === 'Number on the other screen', 'no number after it');
  await page.keyboard.type('4');
  await page.keyboard.press('Enter');
  await page.locator('#problem:not(:empty)').waitFor();
  await pictures(page, 'consent-number-missing');
  await page.keyboard.press('End');
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await view(page, 'consent-approved', 'Approved');
  expect(state(login).phase === 'approved' && state(login).statement.number === '42', 'it is not approved');

  login = service.login(acme);
  page = await asked(login);
  await tap(page, 'Deny');
  await view(page, 'consent-denied', 'Denied');
  expect(state(login).statement.decision === 'deny' && state(login).statement.number === null, 'it is not denied');

  login = service.login(acme);
  page = await asked(login);
  await type(page, '17');
  await view(page, 'consent-wrong-number', 'Denied: another number');

  // Far away: a second screen, on which a hasty tap denies as well.
  login = service.login(acme, { confirm_distant: true, number_matching: false, browser: null, system: null });
  page = await asked(login);
  await view(page, 'consent-without-number', 'Sign in to Acme Bank?');
  await tap(page, 'Approve');
  await view(page, 'consent-distant', 'Is the other screen in front of you?');
  expect((await press(page, 'Tab')) === 'Deny' && state(login).phase === 'scanned', 'another control comes first');
  await tap(page, 'Yes, sign me in there');
  await page.getByRole('heading', { level: 1, name: 'Approved' }).waitFor();

  await longNames(phone);

  login = service.login(acme);
  page = await phone.page(login.path);
  await tap(page, 'Not now');
  await view(page, 'consent-stopped', 'Nothing was approved');
  expect(state(login).phase === 'waiting', 'not now is no scan');

  for (const path of [login.path.replace(/#.*/, ''), `${login.path}x`, login.path.replace('#0', '#7')]) {
    page = await phone.page(path);
    if (path.includes('#7')) await tap(page, 'See who asks');
    await view(page, 'consent-code-gone', 'This code is no longer good');
  }

  await refusals(phone);

  // Two phones with one code.
  const other = await Phone.start();
  await pair(other, acme, ADA);
  await tap(await phone.page(login.path), 'See who asks');
  await until(5, () => expect(state(login).phase === 'scanned', 'it is not scanned'));
  page = await other.page(login.path);
  await tap(page, 'See who asks');
  await view(page, 'consent-taken', 'Another phone has scanned this code');
  other.check();
  await other.close();

  login = service.login(acme);
  page = await asked(login);
  await page.getByRole('button', { name: 'Deny' }).waitFor();
  service.sessions.clear();
  await tap(page, 'Deny');
  await view(page, 'consent-ended', 'This pairing has ended');
  phone.check();
  await phone.close();
}

/** What the service refuses at a scan and at a decision, and a network that is gone. */
async function refusals(phone) {
  for (const [status, code, name, title] of [
    [403, 'qr_login_distant', 'consent-too-distant', 'Denied: another network'],
    [403, 'origin_not_allowed', 'consent-not-allowed', 'Not allowed there'],
    [403, 'tenant_suspended', 'consent-suspended', 'Not available right now'],
    [503, 'temporarily_unavailable', 'consent-unavailable', 'That did not work'],
  ]) {
    const page = await phone.page(service.login(acme).path);
    service.fail('qr-login/scan', status, code);
    await tap(page, 'See who asks');
    await view(page, name, title);
  }
  const statements = [];
  const page = await phone.page(service.login(acme).path, (page) =>
    page.on('request', (request) => {
      if (request.url().endsWith('/qr-login/decide')) statements.push(request.postDataJSON().statement);
    }),
  );
  await tap(page, 'See who asks');
  await page.getByRole('button', { name: 'Deny' }).waitFor();
  service.fail('qr-login/decide', 0);
  await tap(page, 'Deny');
  await view(page, 'consent-unreachable', 'No connection');
  service.fail('qr-login/decide', 410, 'qr_login_gone');
  await tap(page, 'Try again');
  await view(page, 'consent-over', 'This sign-in is over');
  expect(statements.length === 2 && statements[0] === statements[1], 'another decision is sent the second time');
}

/** A tenant that nobody has dressed up, whose logo is gone. */
async function longNames(phone) {
  const name = 'Donaudampfschifffahrtsgesellschaft & Söhne, Verwaltung der Zugänge';
  const of = tenant(name, { logo: 'https://logo.example.com/gone.png' });
  await phone.context.route('https://logo.example.com/gone.png', (route) => route.fulfill({ status: 404 }));
  await pair(phone, of, 'Ada Augusta King-Noel, Countess of Lovelace');
  const page = await phone.page(
    service.login(of, { origin: 'https://signin.of-a-very-long-name.example.co.uk:8443' }).path,
  );
  await tap(page, 'See who asks');
  await page.locator('img').waitFor({ state: 'detached' });
  await view(page, 'consent-long', `Sign in to ${name}?`);
}

try {
  await pairing();
  await obstacles();
  await consent();
  console.log(`pages: ${looked()}, ${service.proofs.size} proofs`);
} finally {
  await end();
}
