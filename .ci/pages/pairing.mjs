// Pairings with the functions as they are, and Chromium as the phones. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the
// service is, CHROMIUM what to run, SHOTS where pictures of each view go.
//
// Time is not waited for: what has a time of its own, in the table or in the browser, gets one that is past.

import { createHash } from 'node:crypto';
import { call, expect, operator, pastIn, url } from '../foreign/service.mjs';
import { end, until } from '../running.mjs';
import { relay, signed, signingTenant } from '../relay.mjs';
import { Phone, logos, looked, press, tap, view, within } from './phone.mjs';

const [ADA, ADAS_NAME] = ['ada', 'Ada Lovelace'];
const NONE = 'This phone is not paired';
const GONE = 'This code is no longer good';
const ENDED = 'This pairing has ended';

const branding = { branding_display_name: 'Acme Bank', branding_logo_url: 'https://logo.example.com/acme.svg' };
const [acme, globex] = [await signingTenant('Acme GmbH', branding), await signingTenant('Globex')];

/** The address of a pairing that a tenant has prepared. */
async function prepared(of, user = ADA) {
  const { pairing_url: address, expires_in: seconds } = await relay(of, 'prepare-pairing', {
    user_socket_hash: `socket of ${user}`,
    backend_user_id: user,
    display_name: ADAS_NAME,
    user_email: 'ada@example.com',
    user_phone: '+44 20 7946 0034',
  });
  expect(address.startsWith(`${url}/p#`) && address.length <= 120 && seconds === 300, `a pairing at ${address}`);
  return address;
}

/** The devices of a person, as the tenant sees them. */
async function devices(of, user = ADA) {
  return (await relay(of, 'fetch/pairings', { backend_user_id: user })).pairings;
}

async function names(of) {
  return (await devices(of)).map(({ name }) => name).join();
}

async function pair(phone, of, name) {
  const page = await phone.page(await prepared(of));
  await page.getByRole('textbox', { name: 'Name of this phone' }).fill(name);
  await tap(page, 'Pair this phone');
  await page.getByText('Paired until').waitFor();
  return page;
}

const token = (page, of) => within(page, of, ({ pairing }) => pairing.token);

/** Changes what a phone has stored of its pairing. */
function change(page, of, changes) {
  return within(page, of, ({ modules, pairing, argument }) => modules.save({ ...pairing, ...argument }), changes);
}

/** What the service answers to a page that lists with another token than it has. */
function listedWith(page, of, other) {
  const list = async ({ modules, pairing, argument }) => {
    await modules.pairings({ ...pairing, token: argument });
    return 'listed';
  };
  return within(page, of, list, other);
}

// --- one phone -------------------------------------------------------------------------------------------------------

async function paired(phone) {
  await view(await phone.page('/p'), 'real-none', NONE);
  const address = await prepared(acme);
  let page = await phone.page(address);
  await view(page, 'real-offer', 'Pair this phone with Acme Bank?');
  const text = await page.locator('main').innerText();
  for (const part of [ADAS_NAME, 'a***@e***.com', '***34']) expect(text.includes(part), `the offer lacks ${part}`);
  expect((await devices(acme)).length === 0, 'opening the link has paired');
  expect((await press(page, 'Tab')) === 'Don’t pair', 'another control comes first');
  await page.getByRole('textbox', { name: 'Name of this phone' }).fill('Ada’s Pixel');
  // Not twice, however hastily.
  await page.getByRole('button', { name: 'Pair this phone' }).dblclick();
  await view(page, 'real-paired', 'Paired with Acme Bank');
  const [device, ...others] = await devices(acme);
  const { name, platform, user_socket_hash: socket, user_email: email } = device;
  const said = [name, platform, socket, email, others.length].join();
  expect(said === 'Ada’s Pixel,android,socket of ada,a***@e***.com,0', `the tenant sees ${said}`);

  await view(await phone.page(address), 'real-used', GONE);
  await view(await phone.page('/p#no-handle'), 'real-no-handle', GONE);
  await page.reload();
  await view(page, 'real-reloaded', 'Paired with Acme Bank');
  const before = await token(page, acme);
  await phone.restart();
  await logos(phone);
  page = await phone.page('/p');
  await view(page, 'real-restarted', 'Paired with Acme Bank');
  expect((await token(page, acme)) === before, 'another session after a restart');
}

/** A session is renewed when its end is near, and its token is good until the next one is used. */
async function renewed(phone) {
  const page = await phone.page('/p');
  await page.getByText('Paired until').waitFor();
  const before = await token(page, acme);
  // As if the answer to a renewal had been lost.
  const lost = ({ modules, pairing }) => modules.refresh(pairing).then(({ token }) => token);
  const next = await within(page, acme, lost);
  expect(next !== before && (await listedWith(page, acme, before)) === 'listed', 'a lost answer ends the session');
  await change(page, acme, { expiresAt: Date.now() + 86_400_000 });
  await page.reload();
  await view(page, 'real-renewed', 'Paired with Acme Bank');
  const now = await token(page, acme);
  expect(now !== before && now !== next, 'the session is not renewed');
  for (const old of [before, next]) {
    const answer = await listedWith(page, acme, old);
    expect(answer === 'unauthenticated', `an old token: ${answer}`);
  }
  expect((await names(acme)) === 'Ada’s Pixel', 'a renewal is another device');
}

/** What somebody has who saw a request, or took the token. */
async function stolen(phone) {
  const page = await phone.page('/p');
  const accepted = page.waitForResponse((answer) => answer.url().endsWith('/device/pairings') && answer.ok());
  await page.reload();
  const headers = await (await accepted).request().allHeaders();
  await page.getByText('Paired until').waitFor();
  const sent = (changes) => call('/api/v1/device/pairings', undefined, changes);
  const { authorization, dpop } = headers;
  const [again, withoutProof, withoutToken] = await Promise.all([
    sent({ authorization, dpop }),
    sent({ authorization }),
    sent({ dpop }),
  ]);
  const codes = [again, withoutProof, withoutToken].map(({ status, body }) => `${status} ${body.error?.code}`);
  const expected = '401 invalid_dpop_proof,401 unauthenticated,401 unauthenticated';
  expect(codes.join() === expected, `what was recorded: ${codes}`);
  const foreign = async ({ modules, pairing }) => modules.pairings({ ...pairing, keys: await modules.newKeys() });
  const answer = await within(page, acme, foreign);
  expect(answer === 'invalid_dpop_proof', `the token with another key: ${answer}`);
  const exported = await within(page, acme, ({ pairing }) =>
    crypto.subtle.exportKey('pkcs8', pairing.keys.privateKey).then(
      () => 'exported',
      (error) => error.name,
    ),
  );
  expect(exported === 'InvalidAccessError', `the key: ${exported}`);
}

/** The same account again takes the place of what was there. */
async function replaced(phone) {
  const page = await phone.page(await prepared(acme));
  await view(page, 'real-replace', 'Pair this phone with Acme Bank?');
  await page.getByRole('textbox', { name: 'Name of this phone' }).fill('Ada’s Pixel again');
  await tap(page, 'Pair this phone');
  await page.getByText('Paired until').waitFor();
  await until(5, async () => expect((await names(acme)) === 'Ada’s Pixel again', await names(acme)));
}

// --- more than one ---------------------------------------------------------------------------------------------------

async function twoPhones(phone) {
  const second = await Phone.start();
  await logos(second);
  // The phone's clock is wrong by more than any proof is good for: the service's nonce says what time it is.
  await second.context.clock.setFixedTime(Date.now() - 3_600_000);
  const address = await prepared(acme);
  const both = await Promise.all([phone.page(address), second.page(address)]);
  for (const page of both) await page.getByRole('button', { name: 'Pair this phone' }).waitFor();
  await both[1].getByRole('textbox', { name: 'Name of this phone' }).fill('Ada’s second phone');
  await tap(both[1], 'Pair this phone');
  await view(both[1], 'real-second', 'Paired with Acme Bank');
  await tap(both[0], 'Pair this phone');
  await view(both[0], 'real-used-meanwhile', GONE);

  const page = await phone.page('/p');
  await view(page, 'real-two-devices', 'Paired with Acme Bank');
  const list = await page.getByRole('listitem').allInnerTexts();
  expect(list.length === 2 && list[1].includes('Ada’s second phone'), `its list: ${list}`);
  const notice = page.getByRole('heading', { level: 2, name: 'A device was added' });
  expect((await notice.count()) === 1, 'the first phone does not tell of the second');
  expect((await page.getByText(/^Ada’s second phone, paired on /).count()) === 1, 'it does not say which');
  await tap(page, 'I know it');
  await notice.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByText('Paired until').waitFor();
  expect((await notice.count()) === 0, 'it tells of the second again');
  expect((await both[1].getByRole('heading', { level: 2, name: 'A device was added' }).count()) === 0, 'news at first');

  await tap(both[1], 'Rename this phone');
  await both[1].getByRole('textbox', { name: 'Name of this phone' }).fill('Ada’s tablet');
  await tap(both[1], 'Save');
  await view(both[1], 'real-renamed', 'Paired with Acme Bank');
  expect((await names(acme)) === 'Ada’s Pixel again,Ada’s tablet', `renamed: ${await names(acme)}`);

  // The tenant ends one, and the other goes on.
  const [, { device_id }] = await devices(acme);
  await relay(acme, 'revoke/device', { backend_user_id: ADA, device_id });
  await both[1].reload();
  await view(both[1], 'real-revoked', ENDED);
  await tap(both[1], 'Remove it from this phone');
  await view(both[1], 'real-removed', NONE);
  await page.reload();
  await page.getByText('Paired until').waitFor();
  expect((await page.getByRole('listitem').count()) === 1, 'the other is still in the list');
  const again = await signed(acme, 'revoke/device', { backend_user_id: ADA, device_id });
  expect(again.status === 404, `a device that is gone: ${again.status}`);
  second.check();
  await second.close();
}

/** Two tenants on one phone know nothing of each other. */
async function twoTenants(phone) {
  await pair(phone, globex, 'Ada’s Pixel at Globex');
  let page = await phone.page('/p');
  await view(page, 'real-overview', 'Pairings of this phone');
  await tap(page, 'Devices at Globex');
  await view(page, 'real-globex', 'Paired with Globex');
  expect((await page.getByRole('listitem').count()) === 1, 'the devices of two tenants in one list');
  expect((await names(globex)) === 'Ada’s Pixel at Globex' && (await names(acme)) === 'Ada’s Pixel again', 'mixed');
  const answer = await listedWith(page, acme, await token(page, globex));
  expect(answer === 'invalid_dpop_proof', `one tenant's token with another's key: ${answer}`);
  const [{ device_id }] = await devices(acme);
  const foreign = await signed(globex, 'revoke/device', { backend_user_id: ADA, device_id });
  expect(foreign.status === 404, `another tenant's device: ${foreign.status}`);

  const opened = async () => {
    const page = await phone.page('/p');
    await tap(page, 'Devices at Globex');
    return page;
  };
  const address = await prepared(globex);
  await operator(`suspend/tenant?tenant_id=${globex.id}`, {});
  page = await opened();
  await view(page, 'real-suspended', 'Not available right now');
  await view(await phone.page(address), 'real-offer-suspended', 'Not available right now');
  await operator(`reactivate/tenant?tenant_id=${globex.id}`, {});
  page = await opened();
  await page.getByText('Paired until').waitFor();

  await operator(`revoke/tokens?tenant_id=${globex.id}`, { external_user_id: ADA });
  page = await opened();
  await view(page, 'real-tokens-revoked', ENDED);
  await tap(page, 'Remove it from this phone');
  await view(page, 'real-one-left', 'Paired with Acme Bank');
  // The pairing that was prepared before has ended, too. One from now is good.
  await view(await phone.page(address), 'real-offer-revoked', GONE);
  page = await phone.page(await prepared(globex));
  await tap(page, 'Pair this phone');
  await page.getByText('Paired until').waitFor();
  await tap(page, 'Unpair this phone');
  await view(page, 'real-confirm-unpair', 'Unpair this phone from Globex?');
  await tap(page, 'Unpair');
  await view(page, 'real-unpaired', 'This phone is unpaired');
  expect((await devices(globex)).length === 0, 'it is still paired');
}

// --- ends ------------------------------------------------------------------------------------------------------------

async function expired(phone) {
  const address = await prepared(acme);
  const page = await phone.page(address);
  await page.getByRole('button', { name: 'Pair this phone' }).waitFor();
  const digest = createHash('sha256').update(new URL(address).hash.slice(1)).digest('hex').slice(0, 32);
  await pastIn({ pk: `PAIRING#${digest}`, sk: 'PAIRING' }, 'expires_at');
  await tap(page, 'Pair this phone');
  await view(page, 'real-expired', GONE);

  await pair(phone, globex, 'Ada’s Pixel for a while');
  const [{ device_id }] = await devices(globex);
  await pastIn({ pk: `TENANT#${globex.id}#DEVICE#${device_id}`, sk: 'DEVICE' }, 'session_expires_at');
  const overview = await phone.page('/p');
  await tap(overview, 'Devices at Globex');
  await view(overview, 'real-session-expired', ENDED);
  await tap(overview, 'Remove it from this phone');
  await overview.getByRole('heading', { level: 1, name: 'Paired with Acme Bank' }).waitFor();
}

/** Two phones that redeem the same handle at the same moment. */
async function atOnce(phone) {
  const page = await phone.page('/p');
  await page.getByText('Paired until').waitFor();
  const handle = new URL(await prepared(acme)).hash.slice(1);
  const race = async ({ modules, argument }) => {
    const keys = await Promise.all([1, 2, 3, 4].map(modules.newKeys));
    const device = { handle: argument, name: 'The first', platform: 'ios' };
    const outcome = (own) =>
      modules.register(own, device).then(
        () => 'paired',
        (error) => error.code,
      );
    return (await Promise.all(keys.map(outcome))).sort().join();
  };
  const outcomes = await within(page, acme, race, handle);
  expect(outcomes === 'paired,pairing_not_found,pairing_not_found,pairing_not_found', `at once: ${outcomes}`);
  const [, { device_id, name }, ...others] = await devices(acme);
  expect(name === 'The first' && others.length === 0, `at once: ${await names(acme)}`);
  await relay(acme, 'revoke/device', { backend_user_id: ADA, device_id });
}

async function tooMany(phone) {
  const page = await phone.page('/p');
  await page.getByText('Paired until').waitFor();
  const register = async ({ modules, argument }) =>
    void (await modules.register(await modules.newKeys(), { handle: argument, name: 'One more', platform: 'other' }));
  for (let count = (await devices(acme)).length; count < 10; count += 1) {
    await within(page, acme, register, new URL(await prepared(acme)).hash.slice(1));
  }
  await page.reload();
  await view(page, 'real-ten', 'Paired with Acme Bank');
  expect((await page.getByRole('listitem').count()) === 10, 'not ten devices');
  const offer = await phone.page(await prepared(acme));
  await tap(offer, 'Pair this phone');
  await view(offer, 'real-too-many', 'Too many devices');
  for (const { device_id, name } of await devices(acme)) {
    if (name === 'One more') await relay(acme, 'revoke/device', { backend_user_id: ADA, device_id });
  }
}

/** What a browser does that deletes what it has of a site. */
async function cleared(phone) {
  const page = await phone.page('/p');
  await page.getByText('Paired until').waitFor();
  // A record that came back from a backup has no key.
  await change(page, acme, { keys: null });
  await page.reload();
  await view(page, 'real-key-gone', ENDED);
  const devtools = await phone.context.newCDPSession(page);
  await devtools.send('Storage.clearDataForOrigin', { origin: url, storageTypes: 'all' });
  await page.reload();
  await view(page, 'real-cleared', NONE);
  expect((await page.locator('main').innerText()).includes('Pair it again.'), 'it does not say what to do');
  await pair(phone, acme, 'Ada’s Pixel, paired anew');
  expect((await names(acme)) === 'Ada’s Pixel again,Ada’s Pixel, paired anew', await names(acme));
}

try {
  const phone = await Phone.start();
  await logos(phone);
  for (const part of [paired, renewed, stolen, replaced, twoPhones, twoTenants, atOnce, expired, tooMany, cleared]) {
    const began = Date.now();
    await part(phone);
    console.log(`${part.name}: ${Date.now() - began} ms`);
  }
  phone.check();
  await phone.close();
  console.log(`pairing: ${looked()}`);
} finally {
  await end();
}
