// Texts that do harm in pages that take them for markup, in every field that anybody can store: none runs, none breaks
// the layout, and each is shown as it is.

import { expect, operator, projects, provision } from '../foreign/service.mjs';
import { listen } from '../running.mjs';
import { passkey } from './passkey.mjs';
import { Person, WIDTHS, link } from './screens.mjs';

const RUN = 'window.ran=1';
const PAYLOADS = [
  `<script>${RUN}</script>`,
  `<script src=//evil.example/x.js></script>`,
  `<img src=x onerror=${RUN}>`,
  `<img src=//evil.example/x.png>`,
  `<svg onload=${RUN}>`,
  `<svg/onload=${RUN}>`,
  `<svg><script>${RUN}</script></svg>`,
  `<iframe src="javascript:parent.${RUN}"></iframe>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>">`,
  `<body onload=${RUN}>`,
  `<details open ontoggle=${RUN}>x`,
  `<input autofocus onfocus=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<a href="javascript:${RUN}">x</a>`,
  `javascript:${RUN}`,
  `"><script>${RUN}</script>`,
  `'><img src=x onerror=${RUN}>`,
  `" onmouseover="${RUN}`,
  `' autofocus onfocus='${RUN}`,
  `</title><script>${RUN}</script>`,
  `</textarea><script>${RUN}</script>`,
  `</style><script>${RUN}</script>`,
  `--><script>${RUN}</script>`,
  `]]><script>${RUN}</script>`,
  `<style>*{display:none}</style>`,
  `<link rel=stylesheet href=//evil.example/x.css>`,
  `<base href=//evil.example/>`,
  `<meta http-equiv=refresh content=0>`,
  `<form action=//evil.example><button>x`,
  `<math><mtext><script>${RUN}</script>`,
  `<object data=//evil.example/x>`,
  `<embed src=//evil.example/x>`,
  `<template><script>${RUN}</script></template>`,
  `<marquee onstart=${RUN}>x</marquee>`,
  '{{constructor.constructor("window.ran=1")()}}',
  '${window.ran=1}',
  '%3Cscript%3Ewindow.ran=1%3C/script%3E',
  '&lt;script&gt;window.ran=1&lt;/script&gt;',
  '\\u003cscript\\u003ewindow.ran=1',
  `<ScRiPt>${RUN}</sCrIpT>`,
];
// Of these a name may have all but the first, and an id of the tenant's own all of them.
const STRANGE = [
  '\u202Eevil\u202D\u2066',
  'ש'.repeat(60),
  'مرحبا بالعالم '.repeat(8),
  'W'.repeat(120),
  '漢'.repeat(120),
  'a\u0301\u0327\u0330'.repeat(30),
  '👩‍👩‍👧‍👦'.repeat(10),
  '_'.repeat(120),
  'A name with two lines',
];
const [, ...STRANGE_NAMES] = STRANGE;
const ROLE = '00000000-0000-4000-8000-000000000003';

/** A tenant that has each text in each field. */
async function planted() {
  const tenant = await provision('Planted');
  const { id } = tenant;
  const projectId = (await operator(`fetch/tenant?tenant_id=${id}`)).project_id;
  for (const text of [...PAYLOADS, ...STRANGE]) {
    const isName = text !== STRANGE[0];
    const name = isName ? text : 'Another';
    await operator(`update/tenant?tenant_id=${id}`, { tenant_name: name, branding_display_name: name });
    await operator(`provision/api-key?tenant_id=${id}`, { name, kind: 'embed' });
    await operator(`suspend/tenant?tenant_id=${id}`, { reason: name });
    await operator(`reactivate/tenant?tenant_id=${id}`, {});
    const registered = async (path, body) => {
      const { status } = await projects(tenant, path, body);
      expect(status === 200, `${path} of ${text}: ${status}`);
    };
    await registered('projects/register-organization', { name, externalId: text, projectId, properties: {} });
    await registered('projects/register-user', {
      name,
      externalId: text,
      projectId,
      projectOrganizationId: text,
      userRoleId: ROLE,
      properties: { text },
    });
    await registered('tenant/register-tenant', { displayName: name, key: `of ${text}`, prefilters: {} });
  }
  return tenant;
}

/** The dialogs of a screen's buttons, which ask about somebody or tell of something by name. */
async function dialogs(person, label, most) {
  const { page } = person;
  const buttons = page.locator('#content tbody button', { hasText: label });
  const count = Math.min(await buttons.count(), most);
  expect(count > 0, `no button says "${label}"`);
  for (let index = 0; index < count; index += 1) {
    await buttons.nth(index).click();
    await page.locator('dialog').waitFor();
    await isText(person, 'dialog');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
}

/** People whose ids and passkeys have each text: the receiver is told of them, and the operator looks them up. */
async function people(person, tenant) {
  const { page } = person;
  const base = await listen((request, response) => request.resume().on('end', () => response.writeHead(204).end()));
  await operator(`update/tenant?tenant_id=${tenant.id}`, { callback_url_base: base, rate_limit_per_min: 1000 });
  for (const text of PAYLOADS) await passkey(tenant, text, text);
  await person.visit('People', 'hostile people');
  for (const text of PAYLOADS) {
    await page.getByLabel('Id', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.locator('[aria-live] tbody bdi', { hasText: text }).waitFor();
    await isText(person, '#content');
    expect((await page.locator('[aria-live] dd bdi').first().textContent()) === text, `${text} is shown as another`);
  }
  await person.look('hostile person');
  await person.visit('Callbacks', 'hostile callbacks');
  await dialogs(person, 'Details', 10);
}

/** Nothing within became markup, ran, or is wider than the window. */
async function isText(person, within) {
  const made = await person.page.evaluate((within) => {
    const markup = ':is(script, img, svg, iframe, style, link, base, meta, video, object, embed)';
    return [window.ran, document.querySelectorAll(`${within} ${markup}`).length];
  }, within);
  expect(made[0] === undefined && made[1] === 0, `a text became markup: ${made}`);
  for (const width of WIDTHS) {
    await person.page.setViewportSize({ width, height: 800 });
    await person.fits('hostile texts', width);
  }
  person.check();
}

async function all(person, count) {
  const more = person.page.getByRole('button', { name: 'Load more' });
  while ((await more.locator('visible=true').count()) > 0) {
    await more.locator('visible=true').first().click();
    await person.page.waitForFunction(() => !document.querySelector('[aria-disabled]'));
  }
  await isText(person, '#content');
  const text = await person.page.locator('#content').innerText();
  const missing = PAYLOADS.filter((payload) => !text.includes(payload));
  expect(missing.length <= PAYLOADS.length - count, `not shown as it is: ${missing}`);
}

export async function hostile() {
  const tenant = await planted();
  const { id } = tenant;
  const person = await Person.start();
  const { page } = person;
  // The label, too, is somebody's.
  await person.open(await link(PAYLOADS[2]));
  await page.goto(`${page.url().split('#')[0]}#/t/${id}/overview`);
  await person.shown('Overview');
  await person.loaded();
  for (const [screen, count] of [
    ['API keys', PAYLOADS.length],
    ['Registered', PAYLOADS.length],
    ['Settings', 0],
    ['Set-up check', 0],
    ['Overview', 0],
  ]) {
    await person.visit(screen, `hostile ${screen}`);
    await all(person, count);
    if (screen === 'API keys') await dialogs(person, 'Rotate', 10);
    if (screen === 'Registered') await dialogs(person, 'Revoke tokens', 10);
  }
  await people(person, tenant);
  await person.visit('Audit events', 'hostile audit events');
  for (const details of await page.locator('#content details').all())
    await details.evaluate((made) => (made.open = true));
  await all(person, 0);

  // As a tenant's name: in the list, the menu, the title, and in a question.
  const { tenant_id: last } = await operator('provision/tenant', { tenant_name: 'Renamed' });
  for (const name of [...PAYLOADS, ...STRANGE_NAMES]) {
    await operator(`update/tenant?tenant_id=${last}`, { tenant_name: name, branding_display_name: name });
    await page.goto(`${page.url().split('#')[0]}#/tenants`);
    await person.shown('Tenants');
    await page.locator('tbody a').first().waitFor();
    await all(person, 0);
    await page.goto(`${page.url().split('#')[0]}#/t/${last}/overview`);
    await page.locator('.crumb').waitFor();
    await all(person, 0);
    const shown = await page.locator('.crumb bdi').textContent();
    expect(shown === name, `${name} is shown as ${shown}`);
  }
  const other = await Person.start();
  await other.open(await link(PAYLOADS[4], last));
  await other.look('hostile tenant');
  await all(other, 0);

  await operator(`suspend/tenant?tenant_id=${last}`, { reason: PAYLOADS[0] });
  await page.reload();
  await page.getByText(PAYLOADS[0]).first().waitFor();
  await all(person, 0);
  await other.page.reload();
  await other.page.locator('.problem', { hasText: 'suspended' }).waitFor();
  await other.close();
  await person.close();
  return PAYLOADS.length;
}
