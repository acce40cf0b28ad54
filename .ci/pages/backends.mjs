// Runs each backend of examples/pairing: somebody at a desk asks for a code, a phone pairs by it, and the service's
// callback says so. EXAMPLES says where the examples are with their packages, PYTHON has those of Python; the rest as for
// pairing.mjs.

import { adminKey, call, expect, url } from '../foreign/service.mjs';
import { received, signingTenant } from '../relay.mjs';
import { chromium, end, freePort, start, until } from '../running.mjs';
import { Phone, tap } from './phone.mjs';

const { EXAMPLES, PYTHON, SHOTS } = process.env;
const BACKENDS = {
  Node: [process.execPath, 'node_backend.mjs'],
  Python: [PYTHON, 'python_backend.py'],
};
const NAME = 'Ada’s <b>Pixel</b>';

async function checked(language, [program, ...args]) {
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const tenant = await signingTenant(`${language} backend`, { callback_url_base: site });
  const printed = start(`${EXAMPLES}/pairing`, program, args, {
    LATCHKEY_URL: url,
    LATCHKEY_TENANT_ID: tenant.id,
    LATCHKEY_TENANT_SECRET: tenant.secret,
    LATCHKEY_WEBHOOK_SECRET: tenant.webhookSecret,
    PORT: `${port}`,
    DEMO_SESSION: 'desk',
    DEMO_USER_ID: 'ada',
    DEMO_USER_NAME: 'Ada Lovelace',
    DEMO_USER_EMAIL: 'ada@example.com',
  });
  const stranger = await until(30, () => fetch(site));
  const denied = await fetch(`${site}/pairings`, { method: 'POST' });
  expect(stranger.status === 401 && denied.status === 401, `${language}: a stranger is answered ${denied.status}`);
  const forged = { type: 'pairing.created', event_id: 'evt_1', sequence: 1, data: { device_id: 'dev_1' } };
  const status = await received(site, 'pairing', forged, (await signingTenant('Another')).webhookSecret);
  expect(status === 400, `${language}: a forged callback is ${status}`);

  const desk = await (await chromium()).newContext();
  await desk.addCookies([{ name: 'session', value: 'desk', url: site, sameSite: 'Lax' }]);
  const page = await desk.newPage();
  await page.goto(site);
  await tap(page, 'Pair a phone');
  const code = page.getByRole('img', { name: 'Pairing code' });
  const width = await code.evaluate(async (image) => (await image.decode(), image.naturalWidth));
  expect(width > 100, `${language}: the code is ${width} px wide`);
  await page.screenshot({ path: `${SHOTS}/${language}.png` });
  const address = await page.getByRole('link', { name: 'Pair this one' }).getAttribute('href');
  const attempt = /pairings\/([\w-]+)/.exec(await page.content())[1];
  expect((await fetch(`${site}/pairings/${attempt}`)).status === 401, `${language}: a stranger learns of a pairing`);

  const phone = await Phone.start();
  const paired = await phone.page(address);
  await paired.getByRole('textbox', { name: 'Name of this phone' }).fill(NAME);
  await tap(paired, 'Pair this phone');
  await paired.getByText('Paired until').waitFor();
  await page.getByRole('listitem').waitFor({ timeout: 30_000 });
  const shown = await page.getByRole('listitem').allInnerTexts();
  expect(shown.join() === NAME, `${language}: the desk shows ${shown}`);

  await tap(paired, 'Unpair this phone');
  await tap(paired, 'Unpair');
  await paired.getByText('Its key is deleted.').waitFor();
  const asked = async (path) => (await call(`/api/v1/fetch/${path}`, undefined, { 'x-admin-key': adminKey })).body.data;
  const { callbacks } = await until(30, async () => {
    const list = await asked(`callbacks?tenant_id=${tenant.id}`);
    const states = list.callbacks.map(({ type, state }) => `${type} ${state}`).join();
    expect(states === 'pairing.removed delivered,pairing.created delivered', `${language}: ${states}`);
    return list;
  });
  // The first event once more, after the last: it changes nothing.
  const { body } = await asked(`callback?tenant_id=${tenant.id}&event_id=${callbacks[1].event_id}`);
  const again = await received(site, 'pairing', JSON.parse(body), tenant.webhookSecret);
  expect(again === 204, `${language}: a callback that comes again is ${again}`);
  await page.goto(site);
  expect((await page.getByRole('listitem').count()) === 0, `${language}: an old event has paired it again`);
  const handled = () => printed.filter((line) => line.startsWith('pairing.')).length;
  await until(5, async () => expect(handled() === 2, `${language} printed ${printed}`));
  const isQuiet = ![tenant.secret, tenant.webhookSecret, new URL(address).hash].some((text) => `${printed}`.includes(text));
  expect(isQuiet, `${language} printed ${printed}`);
  phone.check();
  await phone.close();
  console.log(`pairing: the ${language} backend shows a code, and learns that a phone is paired, and unpaired`);
}

try {
  for (const [language, command] of Object.entries(BACKENDS)) await checked(language, command);
} finally {
  await end();
}
