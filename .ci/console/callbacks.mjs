// A tenant's receiver, as an operator sees it: it works, it fails, it is gone, and it is back.

import { expect, operator, url } from '../foreign/service.mjs';
import { listen } from '../running.mjs';
import { Person, link } from './screens.mjs';

/** What a receiver was sent, and what it answers. */
async function receiver() {
  const made = { status: 200, came: [] };
  made.base = await listen(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    made.came.push(JSON.parse(body));
    response.writeHead(made.status).end();
  });
  return made;
}

export async function callbacks() {
  const { tenant_id: id } = await operator('provision/tenant', { tenant_name: 'Called back' });
  const { came, ...receives } = await receiver();
  const person = await Person.start();
  const { page } = person;
  await person.open(await link('Ada Lovelace'));
  await page.goto(`${url}/console#/t/${id}/callbacks`);
  await person.screen('Callbacks', 'no callbacks');
  // There is no receiver yet.
  await person.enter('Send a test');
  await person.told('callback_not_wanted');

  await person.visit('Settings', 'settings of callbacks');
  await person.type('Callback URL', 'https://10.0.0.1/');
  await person.enter('Save changes');
  await page.locator('.problem', { hasText: 'public domain name' }).waitFor();
  await person.type('Callback URL', receives.base);
  await person.enter('Save changes');
  await person.told('Saved.');

  await person.visit('Callbacks');
  await person.enter('Send a test');
  await person.told('Test: delivered');
  expect(came.length === 1 && came[0].type === 'ping', `the receiver got ${JSON.stringify(came)}`);
  await person.look('test delivered');
  // First of all, before the sweep sends what the other makes due again: a receiver that is gone gets one callback.
  await failed(person, id, receives);
  await details(person, came);
  await person.close();
}

/** One callback: its body and its attempts, and once more. */
async function details(person, came) {
  const { page } = person;
  await person.visit('Callbacks');
  const one = page.locator('button', { hasText: /^Details: ping/ }).last();
  await person.reach((await one.textContent()).trim());
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor();
  const text = await page.locator('dialog').innerText();
  expect(text.includes(came[0].event_id) && text.includes('"flow": "test"'), `the callback: ${text}`);
  await person.look('callback');
  await person.enter('Deliver again', 'dialog');
  await person.told('1 callback due again');
}

/** A receiver that says that it is gone: nothing more is sent until somebody has it reactivated. */
async function failed(person, id, receives) {
  const { page } = person;
  const gone = await listen((request, response) => response.writeHead(410).end());
  await operator(`update/tenant?tenant_id=${id}`, { callback_url_base: gone });
  await person.enter('Send a test');
  await person.told('Test: failed, 410');
  await person.visit('Callbacks', 'receiver gone');
  await page.getByText('Disabled', { exact: true }).waitFor();
  await person.choose('State', 'Failed');
  await page.waitForFunction(() => document.querySelectorAll('section:last-of-type tbody tr').length === 1);
  await operator(`update/tenant?tenant_id=${id}`, { callback_url_base: receives.base });
  await person.enter('Reactivate: test');
  await person.told('Reactivated');
  await person.enter('Deliver failed again');
  await person.look('deliver failed again');
  await person.enter('Deliver again', 'dialog');
  await person.told('1 callback due again');
}
