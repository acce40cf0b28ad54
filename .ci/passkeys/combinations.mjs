// What authenticators and browsers differ in, through the real endpoints, and as other people's servers judge the same
// answers. Where they differ from Latchkey, docs/api/passkeys.md has a row that says so.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from '../foreign/service.mjs';
import { Judges } from './judges.mjs';
import { Authenticators, RP_ID, accepted, causeOf, pages, party, relay } from './party.mjs';

const PAGE = 'docs/api/passkeys.md';
const REFUSED_BY_BROWSER = 'NotAllowedError';
const only = (alg) => ({ pubKeyCredParams: [{ type: 'public-key', alg }] });
const base64 = (id) => Buffer.from(id, 'base64url').toString('base64');

/** Changes what the authenticator says of the passkey from now on. */
const says = (properties) => (at) =>
  at.authenticators.set('setCredentialProperties', at.authenticator, { credentialId: base64(at.id), ...properties });

/** Puts the passkey back with another counter, as a copy of it would have. */
const counts = (signCount) => async (at) => {
  const [credential] = await at.authenticators.credentials(at.authenticator);
  await at.authenticators.set('removeCredential', at.authenticator, { credentialId: credential.credentialId });
  await at.authenticators.restore(at.authenticator, { ...credential, signCount });
};

/**
 * The cases. `made` and `used` are how a registration and a login with it end: accepted if absent, else the browser's
 * error or the cause in the log. `flags` and `transports` are what has to be seen for the case to be the one that it
 * is said to be. `row` is the first cell of the row about it, if other servers differ.
 */
const CASES = {
  internal: { authenticator: { transport: 'internal' }, transports: ['internal'] },
  usb: { authenticator: { transport: 'usb' }, transports: ['usb'] },
  nfc: { authenticator: { transport: 'nfc' }, transports: ['nfc'] },
  ble: { authenticator: { transport: 'ble' }, transports: ['ble'] },
  hybrid: { authenticator: { transport: 'hybrid' }, transports: ['ble', 'hybrid'] },
  'of a named person': { isNamed: true },
  'offered in a field': { rest: { mediation: 'conditional' } },
  'no discoverable passkeys': { authenticator: { hasResidentKey: false }, made: REFUSED_BY_BROWSER },
  'not discoverable, though asked for': {
    create: { authenticatorSelection: { residentKey: 'discouraged', userVerification: 'required' } },
    isNamed: true,
    hasUserHandle: false,
  },
  'no verification of people': { authenticator: { hasUserVerification: false }, made: REFUSED_BY_BROWSER },
  'nobody verified': { authenticator: { isUserVerified: false }, made: REFUSED_BY_BROWSER },
  'an old security key': {
    authenticator: { protocol: 'u2f', transport: 'usb', hasResidentKey: false, hasUserVerification: false },
    made: REFUSED_BY_BROWSER,
  },
  'verification given up by the page, to register': {
    authenticator: { hasUserVerification: false },
    create: { authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' } },
    made: 'user_not_verified',
  },
  'verification given up by the page, to log in': {
    get: { userVerification: 'discouraged' },
    used: 'user_not_verified',
  },
  'not to be synced': { flags: 'be bs' },
  'may be synced': { authenticator: { defaultBackupEligibility: true }, flags: 'BE bs' },
  synced: { authenticator: { defaultBackupEligibility: true, defaultBackupState: true }, flags: 'BE BS' },
  'synced without being able to': {
    authenticator: { defaultBackupState: true },
    made: 'backup_state_without_eligibility',
  },
  'synced later, without being able to': {
    between: says({ backupState: true }),
    used: 'backup_state_without_eligibility',
  },
  'can be synced later': { between: says({ backupEligibility: true, backupState: true }), flags: 'BE BS' },
  'cannot be synced any more': {
    authenticator: { defaultBackupEligibility: true },
    between: says({ backupEligibility: false }),
    used: 'backup_eligibility_lost',
    row: 'flag BE was 1 and is 0',
  },
  'counts on': { between: counts(2 ** 31 - 2) },
  'a copy, behind by one': { between: counts(0), used: 'counter_back' },
  EdDSA: { create: only(-8), algorithm: -8 },
  RS256: { create: only(-257), algorithm: -257 },
  'ML-DSA-65, which was not asked for': { create: only(-49), made: 'algorithm_not_offered', algorithm: -49 },
  'with extensions': {
    authenticator: { hasPrf: true, hasLargeBlob: true, hasCredBlob: true, hasMinPinLength: true },
    create: {
      extensions: {
        credProps: true,
        minPinLength: true,
        credentialProtectionPolicy: 'userVerificationOptional',
        largeBlob: { support: 'preferred' },
        prf: {},
      },
    },
    hasExtensions: true,
  },
  'with a statement about its model': { create: { attestation: 'direct' }, format: 'packed' },
  'of somebody else than was asked for': {
    isNamed: true,
    as: 'somebody else',
    get: { allowCredentials: [] },
    used: 'another_person',
    row: 'a passkey of another person than was asked for',
  },
  'registered in a frame of another origin': {
    createIn: 'frame',
    made: 'cross_origin',
    row: 'registered in a frame of another origin',
  },
  'used in a frame of another origin': {
    getIn: 'frame',
    used: 'cross_origin',
    row: 'used in a frame of another origin',
  },
};

/** The page, and the same page in a frame of another origin, each with authenticators of its own. */
async function views(browser, port) {
  const context = await browser.newContext();
  const [page, around] = [await context.newPage(), await context.newPage()];
  await page.goto(`http://localhost:${port}/`);
  await around.goto(`http://127.0.0.1:${port}/?frame=http://localhost:${port}/`);
  const frame = around.frames().find((frame) => frame.url().startsWith('http://localhost'));
  return {
    page: { page, frame: page, authenticators: await Authenticators.of(page) },
    frame: { page: around, frame, authenticators: await Authenticators.of(around) },
  };
}

/** What the browser answers, or the name of its error. */
async function ask({ page, frame }, kind, options, changes = {}, rest = {}) {
  // Chromium asks for a passkey on the page in front only.
  await page.bringToFront();
  return frame.evaluate(
    ([kind, options, changes, rest]) => {
      const late = new Promise((done) => setTimeout(done, 10_000, { error: 'nothing after ten seconds' }));
      return Promise.race([window.ceremony(kind, options, changes, rest), late]);
    },
    [kind, options, changes, rest],
  );
}

/** Whether Latchkey accepts an answer as expected, and whether it is alone with that: the names of who differ. */
async function judged(judges, kind, what, { tenant, origin }, { answer, options, fields = {}, cause, row }) {
  expect(answer.credential, `${what}: the browser: ${answer.error} ${answer.message}`);
  const { credential } = answer;
  const path = kind === 'create' ? 'register/verify' : 'authenticate/verify';
  const verdict = await relay(tenant, path, { browser_origin: origin, credential, ...fields });
  const seen = verdict.status === 200 ? undefined : await causeOf(verdict);
  expect(seen === cause, `${what}: ${verdict.status} ${seen} ${JSON.stringify(verdict.body)}`);
  const reasons = await judges.judge(kind, credential, options, origin);
  const outcomes = { latchkey: cause, ...reasons };
  const cells = Object.values(outcomes).map((reason) => (reason ? 'refused' : 'accepted'));
  const isOne = new Set(cells).size === 1;
  expect(isOne === !row, `${what}: ${JSON.stringify(outcomes)}`);
  return row && `${row} | ${cells.join(' | ')}`;
}

function check(what, { transports, algorithm, flags, hasExtensions, format, hasUserHandle = true }, made, used) {
  const { response } = made.credential;
  const isSo = (condition, seen) => expect(condition, `${what}: the browser gives ${seen}`);
  if (transports) isSo(`${response.transports}` === `${transports}`, response.transports);
  if (algorithm) isSo(response.publicKeyAlgorithm === algorithm, response.publicKeyAlgorithm);
  const [of] = Buffer.from(response.authenticatorData, 'base64url').subarray(32);
  if (hasExtensions) isSo(of & 0x80, 'no extensions');
  if (format) isSo(Buffer.from(response.attestationObject, 'base64url').includes(format), 'another format');
  if (!used) return;
  const { authenticatorData, userHandle } = used.credential.response;
  isSo(Boolean(userHandle) === hasUserHandle, `the user handle ${userHandle}`);
  if (!flags) return;
  const [now] = Buffer.from(authenticatorData, 'base64url').subarray(32);
  const seen = `${now & 8 ? 'BE' : 'be'} ${now & 16 ? 'BS' : 'bs'}`;
  isSo(seen === flags, seen);
}

/** One case, with an authenticator and a person of its own. The row about it, if there has to be one. */
async function run(what, of, at) {
  const { tenant, origin, page, frame } = at;
  const [judges, person] = [new Judges(), { backend_user_id: `${what}, ${randomBytes(8).toString('hex')}` }];
  let view = of.createIn ? frame : page;
  let authenticator = await view.authenticators.add(of.authenticator);
  const asked = { ...person, browser_origin: origin };
  let options = await accepted(tenant, 'register/options', { ...asked, username: 'ada@example.com' });
  const made = await ask(view, 'create', options, of.create);
  if (of.made === REFUSED_BY_BROWSER) {
    expect(made.error === of.made, `${what}: the browser: ${JSON.stringify(made)}`);
    await view.authenticators.remove(authenticator);
    return undefined;
  }
  const row = of.made && of.row;
  const registered = { answer: made, options, fields: person, cause: of.made, row };
  const differs = await judged(judges, 'create', `${what}, registered`, at, registered);
  if (of.made) {
    check(what, of, made);
    await view.authenticators.remove(authenticator);
    return differs;
  }

  await of.between?.({ ...view, authenticator, id: made.credential.id });
  if (of.getIn) {
    const [kept] = await view.authenticators.credentials(authenticator);
    await view.authenticators.remove(authenticator);
    view = frame;
    authenticator = await view.authenticators.add();
    await view.authenticators.restore(authenticator, kept);
  }
  const named = of.isNamed ? { backend_user_id: of.as ?? person.backend_user_id } : {};
  options = await accepted(tenant, 'authenticate/options', { ...named, browser_origin: origin });
  const used = await ask(view, 'get', options, of.get, of.rest);
  const login = { answer: used, options, cause: of.used, row: of.row };
  const found = await judged(judges, 'get', `${what}, used`, at, login);
  check(what, of, made, used);
  await view.authenticators.remove(authenticator);
  return found;
}

/** A registration without a browser, of a passkey that is in the authenticator: Chromium's own ids have 32 bytes. */
function byHand({ challenge }, origin, id, { x, y }) {
  const coordinate = (text) => [Buffer.from([0x58, 32]), Buffer.from(text, 'base64url')];
  const key = [Buffer.from('a5010203262001' + '21', 'hex'), ...coordinate(x), Buffer.from([0x22]), ...coordinate(y)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(id.length);
  const rpIdHash = createHash('sha256').update(RP_ID).digest();
  // UP, UV and AT, a counter of 0, and an authenticator that does not say its model.
  const data = Buffer.concat([rpIdHash, Buffer.from([0x45]), Buffer.alloc(4 + 16), length, id, ...key]);
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex');
  length.writeUInt16BE(data.length);
  const attestationObject = Buffer.concat([head, length, data]).toString('base64url');
  const client = JSON.stringify({ type: 'webauthn.create', challenge, origin, crossOrigin: false });
  const clientDataJSON = Buffer.from(client).toString('base64url');
  const [name, response] = [id.toString('base64url'), { clientDataJSON, attestationObject, transports: ['internal'] }];
  return { id: name, rawId: name, type: 'public-key', clientExtensionResults: {}, response };
}

/** A passkey with an id of that many bytes: registered by hand, used in the browser. */
async function withIdOf(bytes, at, cause, row) {
  const { tenant, origin, page } = at;
  const [judges, what] = [new Judges(), `an id of ${bytes} bytes`];
  const person = { backend_user_id: `${what}, ${randomBytes(8).toString('hex')}`, browser_origin: origin };
  let options = await accepted(tenant, 'register/options', { ...person, username: 'ada@example.com' });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(bytes);
  let answer = { credential: byHand(options, origin, id, privateKey.export({ format: 'jwk' })) };
  const found = await judged(judges, 'create', `${what}, registered`, at, { answer, options, cause, row });
  if (cause) return found;
  const authenticator = await page.authenticators.add();
  await page.authenticators.restore(authenticator, {
    credentialId: id.toString('base64'),
    isResidentCredential: true,
    rpId: RP_ID,
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    userHandle: base64(options.user.id),
    signCount: 0,
  });
  options = await accepted(tenant, 'authenticate/options', { browser_origin: origin });
  answer = await ask(page, 'get', options);
  await judged(judges, 'get', `${what}, used`, at, { answer, options });
  await page.authenticators.remove(authenticator);
  return undefined;
}

/** The rows of the table about other servers: the first cell, and what each of them does. */
function documented() {
  const [, section] = readFileSync(PAGE, 'utf8').split('\n## Other servers\n');
  const rows = section.split('\n## ')[0].split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) => line.split(' | ').slice(0, 4).join(' | ').replace(/^\| /, ''));
}

export async function combinations(browser) {
  const port = await pages();
  const origin = `http://localhost:${port}`;
  const tenant = await party('Combinations', [origin]);
  const at = { tenant, origin, ...(await views(browser, port)) };
  const rows = [];
  for (const [what, of] of Object.entries(CASES)) rows.push(await run(what, of, at));
  for (const bytes of [1, 16, 255, 1023]) rows.push(await withIdOf(bytes, at));
  rows.push(await withIdOf(1024, at, 'credential_id_length', 'a credential id of 1024 bytes'));
  const [seen, told] = [rows.filter(Boolean).sort(), documented().sort()];
  expect(`${seen}` === `${told}`, `${PAGE} has not the rows\n${seen.join('\n')}\nbut\n${told.join('\n')}`);
  console.log(`${rows.length} combinations; other servers differ in ${seen.length}`);
}
