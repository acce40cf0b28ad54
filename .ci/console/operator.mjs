// What an operator does, by keyboard alone.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, operator, url } from '../foreign/service.mjs';
import { relay } from '../relay.mjs';
import { atEnd } from '../running.mjs';
import { passkey } from './passkey.mjs';
import { Person, link } from './screens.mjs';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'latchkey-console-'));
atEnd(() => rm(folder, { recursive: true, force: true }));

const MOST_ACTIONS = 8;
const PROGRAMS = {
  curl: ['bash', 'lines.sh'],
  Node: [process.execPath, 'lines.mjs'],
  Python: [process.env.PYTHON, 'lines.py'],
};

/** Runs what the console has to paste in one language, and expects a token that is valid. */
async function pasted(person, language) {
  if (language !== 'curl') await person.enter(language);
  const before = await person.page.evaluate(() => navigator.clipboard.readText());
  await person.enter(`Copy: Ready to paste: ${language}`);
  let text;
  do text = await person.page.evaluate(() => navigator.clipboard.readText());
  while (text === before);
  const [program, name] = PROGRAMS[language];
  await writeFile(join(folder, name), text);
  const { stdout } = await run(program, [join(folder, name)], { timeout: 60_000 });
  expect(/["']?active["']?: ?(true|True)/.test(stdout), `${language}: ${stdout.slice(-300)}`);
}

/** From the link to a tenant, a key and a token that was verified, with no more than eight actions. */
export async function firstToken() {
  const person = await Person.start();
  const { page } = person;
  await page.goto(`${url}/console`);
  await person.screen('You need a link', 'no link');
  const address = await link('Ada Lovelace');
  await page.goto(address);
  await person.screen('Open the console?', 'landing');
  await page.setViewportSize({ width: 1440, height: 900 });
  await person.enter('Open the console');
  await person.shown('Tenants');
  await person.loaded();
  await person.enter('New tenant');
  await person.shown('New tenant');
  await person.type('Name', 'Acme GmbH');
  await page.keyboard.press('Enter');
  person.actions += 1;
  await person.shown(/is there/);
  const secret = await page.locator('output').first().innerText();
  expect(/^sk_[0-9a-f]{64}$/.test(secret), 'no secret is shown');
  // What is shown once can't be left before it is saved.
  await page.goBack();
  await person.told('Say first');
  expect((await page.locator('output').first().innerText()) === secret, 'the back button loses a secret');
  await person.saved(secret);
  await person.shown('New API key');
  await person.loaded();
  await person.enter('Create key');
  await person.shown('Save the new API key');
  await pasted(person, 'curl');
  expect(person.actions <= MOST_ACTIONS, `${person.actions} actions to the first token`);
  const first = person.actions;
  await person.look('new key');
  await page.setViewportSize({ width: 1440, height: 900 });
  await pasted(person, 'Node');
  await pasted(person, 'Python');
  const key = await page.locator('output').first().innerText();
  await person.saved(key);
  await person.screen('API keys', 'keys');

  // The link, once more, in another browser.
  const other = await Person.start();
  await other.page.goto(address);
  await other.enter('Open the console');
  await other.screen('This link is no longer good', 'link used');
  await other.close();
  return { person, actions: first };
}

/** Everything that an operator may do to a tenant. */
export async function tenant(person) {
  const { page } = person;
  const id = /tnt_[0-9a-f]{32}/.exec(page.url())[0];
  const shownNow = () => operator(`fetch/tenant?tenant_id=${id}`);

  for (const kind of ['embed', 'account']) {
    await person.visit('API keys');
    await person.enter('New API key');
    await person.screen('New API key', 'new key form');
    await person.type('Name', `The ${kind} one`);
    await person.choose('Kind', kind);
    await person.enter('Create key');
    await person.shown('Save the new API key');
    for (const language of Object.keys(PROGRAMS)) await pasted(person, language);
    await person.saved(await page.locator('output').first().innerText());
  }
  await keys(person, id);

  await person.visit('Settings');
  await person.type('Name', '\u202Eevil');
  await person.enter('Save changes');
  await page.locator('.problem', { hasText: 'reorder' }).waitFor();
  await person.type('Name', 'Acme AG');
  await person.type('Allowed origins', 'https://app.example.com/');
  await person.enter('Save changes');
  await page.locator('.problem', { hasText: 'without a slash' }).waitFor();
  await person.type('Allowed origins', 'https://app.example.com');
  // What only the service knows: it has the list of public suffixes.
  await person.type('RP id', 'a.b.c.zzzz');
  await person.enter('Save changes');
  await page.locator('.problem:not(:empty)').waitFor();
  const invalid = await page.evaluate(() => document.activeElement.labels?.[0]?.textContent);
  expect(invalid === 'RP id', `a refusal of the RP id is at ${invalid}`);
  await person.look('settings refused');
  await person.type('RP id', '');
  await person.enter('Save changes');
  await person.told('Saved.');
  const changed = await shownNow();
  expect(changed.tenant_name === 'Acme AG' && changed.qr_login_allowed_origins.length === 1, 'the change is not there');
  const { events } = await operator(`fetch/audit-events?tenant_id=${id}&limit=1`);
  expect(
    `${events[0].fields}` === 'qr_login_allowed_origins,tenant_name' ||
      `${events[0].fields}` === 'tenant_name,qr_login_allowed_origins',
    `written: ${events[0].fields}`,
  );

  await person.visit('Overview');
  await person.enter('Rotate secret');
  await person.look('rotate secret');
  await person.choose('Old one stays good for', '1 h');
  await person.enter('Rotate', 'dialog');
  await person.screen('The new tenant secret', 'new secret');
  const rotated = await page.locator('output').first().innerText();
  await person.saved(rotated);
  await person.screen('Overview', 'overview in an overlap');
  const text = await page.locator('main').innerText();
  expect(
    text.includes('Old secret is good until') && text.includes('not since the rotation'),
    'the overlap is not told',
  );
  await person.enter('Rotate signing key');
  await person.choose('How', 'Now');
  await person.enter('Rotate', 'dialog');
  await person.told('signs now');
  await person.enter('Console link');
  await person.type('Who it is for', 'Grace Hopper');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Pass this link on now' }).waitFor();
  const passed = await page.locator('dialog output').innerText();
  await person.look('console link');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(!(await page.content()).includes(passed), 'a link is left behind');
  await person.enter('Suspend');
  await person.type('Reason', 'The contract has ended.');
  await person.enter('Suspend', 'dialog');
  await person.told('is suspended');
  await person.look('suspended');
  expect((await shownNow()).suspended_reason === 'The contract has ended.', 'the reason is not there');
  await person.enter('Reactivate');
  await person.enter('Reactivate', 'dialog');
  await person.told('is active');
  await person.enter('Revoke tokens');
  await person.choose('Whose tokens', 'A user');
  await person.type('Id', 'ada');
  await person.enter('Revoke', 'dialog');
  await page.locator('dialog .problem', { hasText: 'uuid' }).waitFor();
  await person.choose('Whose tokens', 'An end');
  await person.enter('Revoke', 'dialog');
  await person.told('Tokens revoked.');
  await lists(person, id, rotated);
  return passed;
}

async function keys(person, id) {
  const { page } = person;
  await person.enter('Rotate: The embed one');
  await person.choose('Old one stays good for', '1 d');
  await person.enter('Rotate', 'dialog');
  await person.shown('The new API key');
  await pasted(person, 'curl');
  await person.saved(await page.locator('output').first().innerText());
  await person.shown('API keys');
  await person.loaded();
  await page.getByText('Old text good').waitFor();
  await person.enter('Revoke: The account one');
  await person.look('revoke key');
  await person.enter('Revoke', 'dialog');
  await person.told('is revoked');
  const { api_keys: rows } = await operator(`fetch/api-keys?tenant_id=${id}`);
  const states = rows.map(({ name, state }) => `${name} ${state}`).join();
  expect(states === 'The account one revoked,The embed one active,Backend active', `the keys: ${states}`);
  await person.look('keys of each state');
  await person.enter('How to use: Backend');
  await person.look('how to use');
  await page.keyboard.press('Escape');
}

/** A phone of Ada's, paired with the tenant. */
async function paired(of) {
  const { pairing_url: address } = await relay(of, 'prepare-pairing', {
    user_socket_hash: 'socket',
    backend_user_id: 'ada',
    display_name: 'Ada Lovelace',
    user_email: 'ada@example.com',
  });
  const phone = await Person.start();
  await phone.page.goto(address);
  await phone.type('Name of this phone', 'Ada’s phone');
  await phone.enter('Pair this phone');
  await phone.page.getByText('Paired until').waitFor();
  await phone.close();
}

async function lists(person, id, secret) {
  const { page } = person;
  await person.visit('Registered');
  for (const part of ['Globex', 'ada']) await page.getByText(part, { exact: true }).first().waitFor();
  // Somebody who is registered and has no device yet, and then one.
  await person.enter('Devices and passkeys: Ada');
  await person.shown('People');
  await page.locator('.problem', { hasText: 'Nobody' }).waitFor();
  await paired({ id, secret });
  await passkey({ id, secret }, 'ada', 'Ada’s laptop');
  await person.enter('Look up');
  for (const name of ['Ada’s phone', 'Ada’s laptop']) await page.getByRole('rowheader', { name }).waitFor();
  await person.look('person');

  await person.visit('Set-up check');
  expect((await page.locator('.checks li').count()) > 3, 'no checks of the set-up');

  await person.visit('Audit events');
  const total = await page.locator('tbody tr').count();
  await person.type('Action contains', 'api_key');
  await person.enter('Filter');
  await page.waitForFunction((count) => document.querySelectorAll('tbody tr').length < count, total);
  const actions = await page.locator('tbody th').allInnerTexts();
  expect(
    actions.every((action) => action.startsWith('api_key.')),
    `filtered: ${actions}`,
  );
  const actors = await page.locator('tbody td[data-label="Actor"]').allInnerTexts();
  expect(
    actors.every((actor) => actor.includes('Ada Lovelace')),
    `whoever did it: ${actors}`,
  );
  await person.enter('Details');
  await person.look('audit details');
  const coming = page.waitForEvent('download');
  await person.enter('Export as JSON lines');
  const file = join(folder, 'events.jsonl');
  await (await coming).saveAs(file);
  const exported = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(
    exported.length === actions.length && exported.every(({ label }) => label === 'Ada Lovelace'),
    'the export differs',
  );
  const { events } = await operator(`fetch/audit-events?tenant_id=${id}&limit=100`);
  expect(total === Math.min(events.length, 100), `${total} of ${events.length} events`);

  await person.visit('Operator’s events', 'own events');
  await page.getByText('Ada Lovelace').first().waitFor();
}
