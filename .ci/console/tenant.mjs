// What a tenant's people do, by keyboard alone, and what their session and other people's are refused.

import { expect, operator, provision, url } from '../foreign/service.mjs';
import { until } from '../running.mjs';
import { Person, link } from './screens.mjs';

/** A tenant's own console, opened with the link that an operator made in theirs. */
export async function own(address) {
  const person = await Person.start();
  const { page } = person;
  await person.open(address);
  await person.screen('Overview', 'tenant overview');
  const menu = (await page.locator('nav a').allInnerTexts()).join();
  expect(menu === 'Overview,Set-up check,API keys,Registered,Callbacks', `a tenant's menu: ${menu}`);
  for (const forbidden of ['Suspend', 'Rotate signing key', 'Console link', 'Revoke tokens']) {
    expect((await page.getByRole('button', { name: forbidden }).count()) === 0, `a tenant may: ${forbidden}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await person.enter('Rotate secret');
  await person.enter('Rotate', 'dialog');
  await person.shown('The new tenant secret');
  await person.saved(await page.locator('output').first().innerText());
  await person.visit('API keys', 'tenant keys');
  await person.enter('New API key');
  await person.shown('New API key');
  await person.loaded();
  await person.type('Name', 'Made by the tenant');
  await person.enter('Create key');
  await person.shown('Save the new API key');
  await person.saved(await page.locator('output').first().innerText());
  await person.enter('Rotate: Made by the tenant');
  await person.enter('Rotate', 'dialog');
  await person.shown('The new API key');
  await person.saved(await page.locator('output').first().innerText());
  await person.enter('Revoke: Made by the tenant');
  await person.enter('Revoke', 'dialog');
  await person.told('is revoked');
  await person.visit('Registered', 'tenant registered');
  await person.visit('Callbacks', 'tenant callbacks');
  await person.enter('Send a test');
  await person.told('callback');
  await person.visit('Set-up check', 'tenant set-up');
  await refused(person);
  await person.enter('End session');
  await person.screen('Your session has ended', 'ended');
  await person.close();
}

/** A tenant's session opens nothing of the registry, and nothing of another tenant, not even its name. */
async function refused(person) {
  const other = await provision('Somebody else');
  const answers = await person.within(async ({ tools: { send }, argument: id }) => {
    const paths = [
      'fetch/tenants',
      `fetch/tenant?tenant_id=${id}`,
      `console/tenant?tenant_id=${id}`,
      `console/api-keys?tenant_id=${id}`,
    ];
    const made = [];
    for (const path of paths) made.push(await send('GET', `/api/v1/${path}`));
    const label = { label: 'Me, once more' };
    made.push(await send('POST', '/api/v1/provision/console-link', { body: label }));
    made.push(await send('POST', `/api/v1/suspend/tenant?tenant_id=${id}`));
    return made;
  }, other.id);
  const text = JSON.stringify(answers);
  expect(
    answers.every(({ status }) => status >= 400 && status < 500),
    `a tenant's session: ${text}`,
  );
  expect(!text.includes('Somebody else'), 'a tenant learns the name of another');
  const { status } = await operator(`fetch/tenant?tenant_id=${other.id}`);
  expect(status === 'active', 'a tenant has suspended another');
}

/** A session that was taken to another browser, without its key; and one that ends while somebody works. */
export async function stolen() {
  const owner = await Person.start();
  await owner.open(await link('Ada Lovelace'));
  const token = await owner.within(({ tools: { session } }) => session.token);
  const fixed = await owner.within(async ({ tools: { session } }) => {
    const read = (format) =>
      crypto.subtle.exportKey(format, session.keys.privateKey).then(
        () => 'read',
        ({ name }) => name,
      );
    return Promise.all(['jwk', 'pkcs8'].map(read));
  });
  expect(
    fixed.every((answer) => answer === 'InvalidAccessError'),
    `the key: ${fixed}`,
  );

  const thief = await Person.start();
  await thief.page.goto(`${url}/console`);
  await thief.shown('You need a link');
  const answer = await thief.within(async ({ tools: { send, newKeys }, argument }) => {
    const keys = await newKeys();
    return [await send('GET', '/api/v1/fetch/tenants', { keys, token: argument })].concat(
      await fetch('/api/v1/fetch/tenants', { headers: { Authorization: `DPoP ${argument}` } }).then(({ status }) => ({
        status,
      })),
    );
  }, token);
  expect(
    answer.every(({ status }) => status === 401),
    `the token in another browser: ${JSON.stringify(answer)}`,
  );
  await thief.close();

  // A reload and another tab have the session. It ends in one of them, and then in all.
  await owner.page.reload();
  await owner.shown('Tenants');
  const [first, second] = [owner.page, await owner.tab()];
  await second.goto(`${url}/console#/tenants`);
  await second.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
  await owner.enter('End session');
  await owner.shown('Your session has ended');
  await second.getByRole('heading', { level: 1, name: 'Your session has ended' }).waitFor();
  await second.close();
  owner.page = first;
  // The screen does not wait for the browser's database.
  await until(10, async () =>
    expect(await owner.within(({ tools: { session } }) => session === undefined), 'an ended session is kept'),
  );
  const answered = await owner.within(
    async ({ tools: { send, newKeys }, argument }) =>
      send('GET', '/api/v1/fetch/tenants', { keys: await newKeys(), token: argument }),
    token,
  );
  expect(answered.status === 401, 'an ended session opens');

  // The service ends it, and an hour does.
  await owner.open(await link('Ada Lovelace'));
  await owner.within(({ tools: { send } }) => send('DELETE', '/api/v1/console/session'));
  await owner.enter('Operator’s events', 'nav');
  await owner.shown('Your session has ended');
  expect((await owner.page.locator('nav, header, table').count()) === 0, 'something is left on the screen');
  await owner.page.clock.install();
  await owner.open(await link('Ada Lovelace'));
  // Not while a secret is shown that nobody has saved yet.
  await owner.enter('New tenant');
  await owner.shown('New tenant');
  await owner.type('Name', 'At the last minute');
  await owner.page.keyboard.press('Enter');
  await owner.shown(/is there/);
  await owner.page.clock.fastForward('01:00:10');
  const secret = await owner.page.locator('output').first().innerText();
  await owner.enter('I have saved it');
  await owner.shown('Your session has ended');
  expect(!(await owner.page.content()).includes(secret), 'a secret is left behind');

  // The page is there, and what it loads is not.
  await owner.page.route('**/console-app.js', (route) => route.abort());
  await owner.page.reload();
  await owner.page.getByText('Load this page again.').waitFor();
  owner.problems.length = 0;
  await owner.close();
}
