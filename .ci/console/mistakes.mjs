// Mistakes of a set-up, each made by a tenant of its own with real calls: the screen names it, and what to change.

import { adminKey, call, expect, operator, projects, provision, url } from '../foreign/service.mjs';
import { signed } from '../relay.mjs';
import { until } from '../running.mjs';
import { Person, link } from './screens.mjs';

const [OURS, THEIRS] = ['https://app.example.com', 'https://elsewhere.example.com'];
const PARTY = { webauthn_rp_id: 'example.com', passkeys_enabled: true };

const update = ({ id }, fields) => operator(`update/tenant?tenant_id=${id}`, fields);
const key = ({ id }, fields) => operator(`provision/api-key?tenant_id=${id}`, { name: 'A key', ...fields });
const sessions = (text, headers) => call('/api/v1/agent-sessions', undefined, { 'x-api-key': text, ...headers });

async function refused(answer, status) {
  const { status: came, body } = await answer;
  expect(came === status, `${came} instead of ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** What is done; the check that tells of it, what it says, and what it says to do. */
const MISTAKES = {
  'a clock that is behind': [
    (of) => refused(signed(of, 'whoami', undefined, {}, Date.now() - 600_000), 401),
    ['Clock', '10 min behind', 'time server'],
  ],
  'a timestamp in seconds': [
    (of) => refused(signed(of, 'whoami', undefined, {}, Math.floor(Date.now() / 1000)), 401),
    ['Clock', 'not in milliseconds', '13 digits'],
  ],
  'an old secret during an overlap': [
    async (of) => {
      await operator(`rotate/tenant-secret?tenant_id=${of.id}`, { overlap_seconds: 3600 });
      await refused(signed(of, 'whoami'), 200);
    },
    ['Secret rotation', 'still signed with the old', 'new secret'],
  ],
  'an origin with a slash': [
    async ({ id }) => {
      const slash = { qr_login_allowed_origins: [`${OURS}/`] };
      const sent = call(`/api/v1/update/tenant?tenant_id=${id}`, slash, { 'x-admin-key': adminKey });
      const { error } = await refused(sent, 422);
      expect(error.field === 'qr_login_allowed_origins[0]', `the field at fault is ${error.field}`);
    },
    ['QR login', 'qr_login_allowed_origins is empty', 'without a slash'],
  ],
  'a QR login of another page': [
    async (of) => {
      await update(of, { qr_login_allowed_origins: [OURS] });
      await refused(signed(of, 'qr-login/initiate', { browser_origin: THEIRS }), 403);
    },
    ['QR login', 'not in qr_login_allowed_origins', 'location.origin'],
  ],
  'passkeys without origins': [(of) => update(of, PARTY), ['Passkeys', 'webauthn_origins is empty', 'https://example.com']],
  'passkeys of another page': [
    async (of) => {
      await update(of, { ...PARTY, webauthn_origins: [OURS] });
      const asked = { backend_user_id: 'ada', username: 'ada', browser_origin: THEIRS };
      await refused(signed(of, 'webauthn/register/options', asked), 403);
    },
    ['Passkeys', 'not in webauthn_origins', 'location.origin'],
  ],
  'a dead receiver': [
    async (of) => {
      await update(of, { callback_url_base: 'http://127.0.0.1:9' });
      const { event_id: id } = await operator(`test/callback?tenant_id=${of.id}`, {});
      await until(20, async () => {
        const one = await operator(`fetch/callback?tenant_id=${of.id}&event_id=${id}`);
        expect(one.attempts > 0, 'the callback was not attempted');
      });
    },
    ['Callbacks', 'failed with connect', 'port 443'],
  ],
  'a key of the wrong kind': [
    (of) => refused(projects(of, 'projects/register-organization', { name: 'a', projectId: of.projectId }, of.embed), 403),
    ['API key kind', 'of the kind embed was sent to register-organization', 'admin'],
  ],
  'a revoked key': [
    async (of) => {
      const made = await key(of, { kind: 'account' });
      await operator(`revoke/api-key?tenant_id=${of.id}&key_id=${made.key_id}`, {});
      await refused(sessions(made.api_key, { 'x-end-user-id': 'ada' }), 401);
    },
    ['API key in force', 'was revoked', 'leaked'],
  ],
  'a key on a page of another origin': [
    async (of) => {
      const { api_key: text } = await key(of, { kind: 'account', allowed_origins: [OURS] });
      await refused(sessions(text, { 'x-end-user-id': 'ada', origin: THEIRS }), 403);
    },
    ['API key origin', 'not in its allowed_origins', 'without a slash'],
  ],
  'a header that a proxy renamed': [
    (of) => refused(sessions(of.account, { 'x-end-user-id': 'ada', 'x-external-user-id': 'ada' }), 400),
    ['End user header', 'the header x-external-user-id', 'X-End-User-ID'],
  ],
  'a call that names no end user': [
    (of) => refused(sessions(of.account, {}), 200),
    ['End user named', 'for the whole account', 'require_end_user'],
  ],
  'a token for nobody who is registered': [
    (of) => refused(projects(of, 'projects/user-token', { userId: 'x', organizationId: 'x' }, of.embed), 404),
    ['Token subject', 'user-token named a user', 'Register first'],
  ],
  'a suspended tenant': [
    ({ id }) => operator(`suspend/tenant?tenant_id=${id}`, { reason: 'unpaid' }),
    ['Tenant', 'unpaid', 'reactivate/tenant'],
  ],
};

/** How many mistakes the screen names. */
export async function mistakes() {
  const person = await Person.start();
  const { page } = person;
  await person.open(await link('Ada Lovelace'));
  for (const [mistake, [make, [title, says, mend]]] of Object.entries(MISTAKES)) {
    const of = await provision(mistake);
    await make(of);
    await page.goto(`${url}/console#/t/${of.id}/setup`);
    await page.locator('.crumb bdi', { hasText: mistake }).waitFor();
    await person.loaded();
    const check = page.locator('.check-of', { has: page.getByRole('heading', { name: title, exact: true }) });
    const [said, note] = [await check.innerText(), await check.locator('.note').innerText()];
    expect(said.includes(says) && note.includes(mend), `${mistake}: "${said}"`);
    const others = page.locator('.check-of.fails', { hasNot: page.getByRole('heading', { name: title, exact: true }) });
    expect((await others.count()) === 0, `${mistake}: something else fails too`);
  }
  await page.locator('.check-of.fails').first().waitFor();
  await person.look('a mistake');
  await person.close();
  return Object.keys(MISTAKES).length;
}
