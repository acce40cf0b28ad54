// QR logins that do not come to be, or not so easily, with phones and a tenant that asks for itself.

import { compactVerify, importJWK } from 'jose';
import { expect, operator, url } from '../foreign/service.mjs';
import { Phone, logos, tap, view, within } from '../pages/phone.mjs';
import { relay, signed, signingTenant } from '../relay.mjs';
import { until } from '../running.mjs';
import { ADA, BRAND, CONSENT, pair, passes } from './desk.mjs';

const SITE = 'https://app.example.com';
const GONE = 'This code is no longer good';

const tenant = (name, settings) => signingTenant(name, { qr_login_allowed_origins: [SITE], ...settings });

/** A login that a tenant has initiated. */
class Login {
  static async begin(of, fields = {}) {
    const body = { browser_origin: SITE, browser_ip: '127.0.0.1', ...fields };
    const begun = await relay(of, 'qr-login/initiate', body);
    const { session_id: id, poll_token: token, qr_code_str: address } = begun;
    expect(address.startsWith(`${url}/q/${id}#0.`) && address.length <= 120, `a code of ${address}`);
    return Object.assign(new Login(), { of, id, token, address });
  }

  get frame() {
    const [, frame, mac] = /#(\d+)\.([\w-]+)$/.exec(this.address);
    return { frame: Number(frame), mac };
  }

  /** What the tenant learns, once it may ask again. */
  async poll() {
    return until(5, async () => {
      const answer = await signed(this.of, `qr-login/poll?session_id=${this.id}`, undefined, {
        'x-qr-poll-token': this.token,
      });
      expect(answer.status !== 429, 'one poll a second');
      return answer.status === 200 ? answer.body.data : { phase: `${answer.status}` };
    });
  }

  async expectPhase(phase) {
    const { phase: seen } = await this.poll();
    expect(seen === phase, `a login is ${seen}, not ${phase}`);
  }
}

async function scans(phone, login, title = CONSENT) {
  const page = await phone.page(login.address);
  await tap(page, 'See who asks');
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  return page;
}

async function approves(page, login) {
  const { match_number: number } = await login.poll();
  await page.getByLabel('Number on the other screen').fill(number);
  await tap(page, 'Approve');
}

// --- who may not -----------------------------------------------------------------------------------------------------

/** A phone without a pairing, and one that is paired with another tenant: they ask nothing, and are told nothing. */
async function notPaired(phone, acme, globex) {
  const login = await Login.begin(acme);
  const asked = [];
  const watch = (page) => page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const stranger = await Phone.start();
  for (const [who, name] of [
    [stranger, 'phone-unpaired'],
    [phone, 'phone-paired-with-another'],
  ]) {
    const page = await who.page(login.address, watch);
    await view(page, name, 'This phone is not paired here');
    const text = await page.locator('body').innerText();
    expect(!/Acme|example\.com/.test(text), `it learns more: ${text}`);
    expect(!asked.some((path) => path.startsWith('/api/')), `it asks ${asked}`);
    if (who === stranger) continue;
    const scan = ({ modules, pairing, argument }) =>
      modules.scan(pairing, argument.id, argument.frame).then(() => 'scanned');
    const answer = await within(page, globex, scan, { id: login.id, frame: login.frame });
    expect(answer === 'qr_login_gone', `another tenant's device: ${answer}`);
  }
  await login.expectPhase('waiting');
  stranger.check();
  await stranger.close();
}

/** The first phone that scans it decides, and the second changes nothing. */
async function second(phone, acme) {
  const other = await Phone.start();
  await logos(other);
  await pair(other, acme);
  const login = await Login.begin(acme);
  const first = await scans(phone, login);
  const late = await scans(other, login, 'Another phone has scanned this code');
  await view(late, 'phone-taken', 'Another phone has scanned this code');
  await approves(first, login);
  await view(first, 'phone-first-approved', 'Approved');
  const result = await login.poll();
  const { status, backend_user_id: person } = result;
  expect(`${status} ${person}` === `approved ${ADA.id}`, `approved: ${status} ${person}`);
  await evidence(acme, login, result);
  await login.expectPhase('approved');
  other.check();
  await other.close();
}

/** What the tenant keeps of a decision, as a library judges it that is not ours. */
async function evidence(acme, login, { decision, device_key: key, device_id }) {
  const { payload, protectedHeader } = await compactVerify(decision, await importJWK(key, 'ES256'));
  const { iat, scan_id, match_number, display_sha256, ...claims } = JSON.parse(new TextDecoder().decode(payload));
  const said = JSON.stringify([protectedHeader, claims]);
  const expected = [
    { alg: 'ES256', typ: 'qr-decision+jwt' },
    { aud: `${url}/t/${acme.id}`, session_id: login.id, device_id, origin: SITE, decision: 'approve' },
  ];
  expect(said === JSON.stringify(expected), `a statement that says ${said}`);
  const isShaped = /^[\w-]{22} \d\d [\w-]{43}$/.test(`${scan_id} ${match_number} ${display_sha256}`);
  expect(isShaped && Math.abs(iat - Date.now() / 1000) < 60, `a statement of ${iat} about ${scan_id}`);
}

/** A tenant that is suspended between code and scan, and between scan and decision. */
async function suspended(phone, acme) {
  const logins = [await Login.begin(acme), await Login.begin(acme)];
  const consent = await scans(phone, logins[0]);
  await operator(`suspend/tenant?tenant_id=${acme.id}`, {});
  await tap(consent, 'Deny');
  await view(consent, 'phone-suspended', 'Not available right now');
  await scans(phone, logins[1], 'Not available right now');
  await operator(`reactivate/tenant?tenant_id=${acme.id}`, {});
  await logins[0].expectPhase('scanned');
  await logins[1].expectPhase('waiting');
}

// --- what is too old -------------------------------------------------------------------------------------------------

async function old(phone, acme) {
  // A picture of a code that has changed since.
  const login = await Login.begin(acme, { rotate: true });
  await passes(login, 20);
  const page = await scans(phone, login, GONE);
  await view(page, 'phone-old-frame', GONE);
  const { qr_code_str: address, phase } = await login.poll();
  expect(phase === 'waiting' && /#[2-9]\./.test(address), `the code that is shown now: ${phase} ${address}`);
  await scans(phone, { address });

  // One that does not change, and has expired.
  const still = await Login.begin(acme);
  await passes(still, 20);
  const consent = await scans(phone, still);
  await passes(still, 120);
  await tap(consent, 'Deny');
  await view(consent, 'phone-over', 'This sign-in is over');
  await view(await scans(phone, still, GONE), 'phone-expired', GONE);
  await still.expectPhase('410');
}

// --- what a decision is ----------------------------------------------------------------------------------------------

/** Statements that are none, sent by the phone's own page: what each is answered. */
async function statements(phone, acme) {
  const login = await Login.begin(acme);
  const page = await phone.page(login.address);
  const attempt = (work, argument) => within(page, acme, work, { id: login.id, frame: login.frame, ...argument });
  const outcomes = await attempt(async ({ modules, pairing, argument }) => {
    const { keys, token } = pairing;
    const scanned = await modules.scan(pairing, argument.id, argument.frame);
    const made = (changes, decision = 'approve') =>
      modules.statement(pairing, argument.id, { ...scanned, ...changes }, decision, '00');
    const proof = await modules.dpopProof(keys, {
      method: 'POST',
      url: `${location.origin}/api/v1/device/qr-login/decide`,
      token,
    });
    const statements = {
      'a DPoP proof': proof,
      'another origin': await made({ origin: 'https://app.example.net' }),
      'another scan': await made({ scanId: 'A'.repeat(22) }),
      'another display': await made({ displaySha256: 'A'.repeat(43) }),
      'another tenant': await made({ tenant: { id: `tnt_${'0'.repeat(32)}` } }),
      'another session': await modules.statement(pairing, `${argument.id}x`, scanned, 'approve', '00'),
      'another device': await modules.statement(
        { ...pairing, deviceId: 'dev_0' },
        argument.id,
        scanned,
        'approve',
        '00',
      ),
      'another key': await modules.statement(
        { ...pairing, keys: await modules.newKeys() },
        argument.id,
        scanned,
        'approve',
        '00',
      ),
      'another decision': await made({}, 'perhaps'),
      'no statement': 'statement',
    };
    const outcome = (statement) =>
      modules.decide(pairing, argument.id, statement).then(
        (phase) => phase,
        ({ status, code }) => `${status} ${code}`,
      );
    const answers = {};
    for (const [name, statement] of Object.entries(statements)) answers[name] = await outcome(statement);
    // And a statement as a proof.
    const statement = await made({});
    const asProof = await fetch('/api/v1/device/pairings', {
      headers: { authorization: `DPoP ${token}`, dpop: statement },
    });
    answers['a statement as a proof'] = `${asProof.status} ${(await asProof.json()).error.code}`;
    return answers;
  });
  for (const [name, answer] of Object.entries(outcomes)) {
    const expected = name === 'a statement as a proof' ? '401 invalid_dpop_proof' : '422 invalid_field';
    expect(answer === expected, `${name}: ${answer}`);
  }
  // None of them has changed anything: the right one is still accepted.
  const { phase, match_number: number } = await login.poll();
  expect(phase === 'scanned', `after statements that are none: ${phase}`);
  const right = async ({ modules, pairing, argument }) => {
    const scanned = await modules.scan(pairing, argument.id, argument.frame);
    const statement = await modules.statement(pairing, argument.id, scanned, 'approve', argument.number);
    return modules.decide(pairing, argument.id, statement);
  };
  expect((await attempt(right, { number })) === 'approved', 'the right statement is refused');
}

/** A statement that was recorded: once more, and for another login of the same phone. */
async function replayed(phone, acme) {
  const login = await Login.begin(acme);
  const page = await scans(phone, login);
  const sent = page.waitForRequest((request) => request.url().endsWith('/qr-login/decide'));
  await approves(page, login);
  const { statement } = (await sent).postDataJSON();
  await page.getByRole('heading', { level: 1, name: 'Approved' }).waitFor();
  expect((await login.poll()).decision === statement, 'the tenant gets another statement');
  const again = ({ modules, pairing, argument }) => modules.decide(pairing, argument.id, argument.statement);
  const answers = [await within(page, acme, again, { id: login.id, statement })];
  const next = await Login.begin(acme);
  const other = await scans(phone, next);
  answers.push(await within(other, acme, again, { id: next.id, statement }));
  // The first is the answer that may have been lost, and hands nothing out again.
  expect(answers.join() === 'approved,invalid_field', `a statement that is sent again: ${answers}`);
  await next.expectPhase('scanned');
}

// --- what the page does by itself ------------------------------------------------------------------------------------

async function alone(phone, acme) {
  // No network, between consent and decision: the decision is kept, and sent again.
  const login = await Login.begin(acme);
  const page = await scans(phone, login);
  const { match_number: number } = await login.poll();
  await page.getByLabel('Number on the other screen').fill(number);
  await phone.context.setOffline(true);
  await tap(page, 'Approve');
  await view(page, 'phone-offline', 'No connection');
  await phone.context.setOffline(false);
  await tap(page, 'Try again');
  await page.getByRole('heading', { level: 1, name: 'Approved' }).waitFor();
  expect((await login.poll()).status === 'approved', 'the decision got lost');
  expect(number.length === 2, `a number of ${number}`);

  // In another network, a second question.
  const distant = await Login.begin(acme, { browser_ip: '203.0.113.7' });
  const far = await scans(phone, distant);
  await approves(far, distant);
  await view(far, 'phone-distant', 'Is the other screen in front of you?');
  await distant.expectPhase('scanned');
  await tap(far, 'Yes, sign me in there');
  await far.getByRole('heading', { level: 1, name: 'Approved' }).waitFor();
  const { status, proximity } = await distant.poll();
  expect(`${status} ${proximity}` === 'approved distant', `far away: ${status} ${proximity}`);
}

/** A tenant without a number, whose logo is gone. */
async function plain(phone) {
  const logo = 'https://logo.example.com/gone.png';
  await phone.context.route(logo, (route) => route.fulfill({ status: 404 }));
  const initech = await tenant('Initech', { branding_logo_url: logo, qr_number_matching: 'never' });
  await pair(phone, initech);
  const login = await Login.begin(initech, { browser_user_agent: 'curl/8.14.1' });
  const page = await scans(phone, login, 'Sign in to Initech?');
  await page.locator('.logo').getByText('I', { exact: true }).waitFor();
  await view(page, 'phone-no-logo', 'Sign in to Initech?');
  await tap(page, 'Approve');
  await page.getByRole('heading', { level: 1, name: 'Approved' }).waitFor();
  expect((await login.poll()).status === 'approved', 'without a number it is not approved');
}

/** The key is gone, as when a backup was restored. */
async function keyGone(phone, acme) {
  const login = await Login.begin(acme);
  const page = await phone.page(login.address);
  await within(page, acme, ({ modules, pairing }) => modules.save({ ...pairing, keys: null }));
  await tap(page, 'See who asks');
  await view(page, 'phone-key-gone', 'This pairing has ended');
  await login.expectPhase('waiting');
}

export async function refusals() {
  const [acme, globex] = [await tenant('Acme GmbH', BRAND), await tenant('Globex')];
  const phone = await Phone.start();
  await logos(phone);
  await pair(phone, globex);
  await notPaired(phone, acme, globex);
  await pair(phone, acme);
  for (const part of [second, suspended, old, statements, replayed, alone, plain, keyGone]) {
    const began = Date.now();
    await part(phone, acme);
    console.log(`${part.name}: ${Date.now() - began} ms`);
  }
  phone.check();
  await phone.close();
}
