// Set-ups that are wrong, each as a page and its backend meet it: what they are told has to name what is wrong.

import { adminKey, call, expect, operator } from '../foreign/service.mjs';
import { signingTenant } from '../relay.mjs';
import { Authenticators, accepted, pages, party, relay } from './party.mjs';

const ADA = { backend_user_id: 'ada' };
const named = { ...ADA, username: 'ada@example.com' };

/** Opens the page and gives what a check needs of it. */
async function opened(context, address) {
  const page = await context.newPage();
  const authenticators = await Authenticators.of(page);
  await authenticators.add();
  await page.goto(address);
  const run = async (kind, options, frame = page) => {
    await page.bringToFront();
    return frame.evaluate(([kind, options]) => window.ceremony(kind, options), [kind, options]);
  };
  return { page, run, origin: new URL(address).origin };
}

let told = 0;

/** Checks a refusal: its status, its code, and a part of what it says. */
function says(what, { status, body }, expected, code, part) {
  const text = JSON.stringify(body);
  expect(status === expected && body.error.code === code && text.includes(part), `${what}: ${status} ${text}`);
  told += 1;
}

/** Checks an error of the browser. */
function fails(what, { error, message }, name, part = '') {
  expect(error === name && message.includes(part), `${what}: ${error} ${message}`);
  told += 1;
}

async function switchedOff({ origin, run }) {
  const off = async (what, configuration, part) => {
    const tenant = await signingTenant(what, configuration);
    for (const [path, fields] of [
      ['register/options', named],
      ['authenticate/options', {}],
    ]) {
      const answer = await relay(tenant, path, { ...fields, browser_origin: origin });
      says(`${what}, ${path}`, answer, 403, 'passkeys_disabled', part);
    }
  };
  const at = { webauthn_rp_id: 'localhost', webauthn_origins: [origin] };
  await off('off', { ...at, passkeys_enabled: false }, 'passkeys_enabled is false');
  await off('off by default', at, 'PasskeysEnabled is off');
  await off('without a relying party', {}, 'no webauthn_rp_id');

  // Between the options and the answer.
  const tenant = await party('Off in between', [origin]);
  const options = await accepted(tenant, 'register/options', { ...named, browser_origin: origin });
  const { credential } = await run('create', options);
  await operator(`update/tenant?tenant_id=${tenant.id}`, { passkeys_enabled: false });
  const answer = await relay(tenant, 'register/verify', { ...ADA, browser_origin: origin, credential });
  says('off in between', answer, 403, 'passkeys_disabled', 'passkeys_enabled is false');
}

async function addresses(context, tenant, port, other) {
  const options = (page, fields = {}) => {
    const all = { ...named, browser_origin: page.origin, ...fields };
    return relay(tenant, 'register/options', all);
  };
  const elsewhere = await opened(context, `http://localhost:${other}/`);
  says('another port', await options(elsewhere), 403, 'origin_not_allowed', 'another port');
  const numeric = await opened(context, `http://127.0.0.1:${port}/`);
  says('127.0.0.1', await options(numeric), 403, 'origin_not_allowed', 'such as localhost');
  const foreign = { browser_origin: 'https://app.example.org' };
  says('another host', await options(elsewhere, foreign), 403, 'origin_not_allowed', 'not in webauthn_origins');
  const page = await opened(context, `http://localhost:${port}/`);
  // What a backend has that takes the address of the page, or its `Referer`.
  const href = await page.page.evaluate('location.href');
  says('a slash', await options(page, { browser_origin: href }), 422, 'invalid_field', 'browser_origin');

  // A backend that has its origin as a constant, and a page that is opened by another name.
  const constant = await accepted(tenant, 'register/options', { ...named, browser_origin: page.origin });
  fails('127.0.0.1, unnoticed', await numeric.run('create', constant), 'SecurityError');
  const { credential } = await elsewhere.run('create', constant);
  const answer = await relay(tenant, 'register/verify', { ...ADA, browser_origin: page.origin, credential });
  says('another port, unnoticed', answer, 401, 'credential_refused', 'another origin');
  return page;
}

async function wrappings(tenant, { origin, run }) {
  const asked = { ...named, browser_origin: origin };
  const { body: envelope } = await relay(tenant, 'register/options', asked);
  fails('the envelope', await run('create', envelope), 'TypeError', 'is undefined');
  const login = await relay(tenant, 'authenticate/options', { browser_origin: origin });
  fails('the envelope of a login', await run('get', login.body), 'TypeError', 'is undefined');
  const { credential } = await run('create', envelope.data);
  const verify = (given) => relay(tenant, 'register/verify', { ...ADA, browser_origin: origin, credential: given });
  for (const [what, given, part] of [
    ['an object around the credential', { credential }, 'not another object around it'],
    ['the options', envelope.data, 'not the options'],
    ['text', JSON.stringify(credential), 'toJSON()'],
  ]) {
    says(what, await verify(given), 422, 'invalid_field', part);
  }
  // None of them has used the ceremony up.
  expect((await verify(credential)).status === 200, 'the credential itself is refused');
  const again = await accepted(tenant, 'register/options', asked);
  fails('once more', await run('create', again), 'InvalidStateError');
}

async function framed(context, tenant, port) {
  const inner = `http://localhost:${port}`;
  const around = await opened(context, `http://127.0.0.1:${port}/?frame=${inner}/`);
  const frame = around.page.frames().find((frame) => frame.url().startsWith(inner));
  const options = await accepted(tenant, 'register/options', { ...named, browser_origin: inner });
  // The first person's passkeys are in another page's authenticator.
  const { credential } = await around.run('create', options, frame);
  const answer = await relay(tenant, 'register/verify', { ...ADA, browser_origin: inner, credential });
  says('in a frame', answer, 401, 'credential_refused', 'in a frame');
}

async function operators() {
  const refused = async (what, fields, part) => {
    const body = { tenant_name: what, ...fields };
    const answer = await call('/api/v1/provision/tenant', body, { 'x-admin-key': adminKey });
    says(what, answer, 422, 'invalid_field', part);
  };
  for (const origin of ['https://example.org', 'http://localhost:8080', 'https://app.example.com/']) {
    const fields = { webauthn_rp_id: 'example.com', webauthn_origins: [origin] };
    await refused(`The origin ${origin}`, fields, 'webauthn_origins[0]');
  }
  await refused('On without a relying party', { passkeys_enabled: true }, 'webauthn_rp_id is required');
}

export async function setups(browser) {
  const [port, other] = [await pages(), await pages()];
  const context = await browser.newContext();
  const tenant = await party('Set-ups', [`http://localhost:${port}`]);
  await operators();
  await switchedOff(await opened(context, `http://localhost:${port}/`));
  await wrappings(tenant, await addresses(context, tenant, port, other));
  await framed(context, tenant, port);
  console.log(`${told} set-ups that are wrong: each is told by name`);
}
