// What a page does with passkeys. It asks its own backend only, and never Latchkey.

const $ = (id) => document.getElementById(id);
const hasPasskeys = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

/** What the backend refuses, by name as the browser's own errors, and with what the browser is to be told of it. */
class Refusal extends Error {
  constructor({ error, signals }) {
    super(error);
    Object.assign(this, { name: error, signals });
  }
}

async function ask(path, body = {}) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const data = await answer.json();
  if (!answer.ok) throw new Refusal(data);
  return data;
}

const TEXTS = {
  // The two that browsers have: everything that a person can do about the second is to try again.
  InvalidStateError: 'This device has a passkey of yours already.',
  NotAllowedError: 'That was cancelled, or took too long. Try again.',
  credential_refused: 'This passkey is not accepted. Try again, or log in with a code.',
  quota_exceeded: 'You have too many passkeys. Revoke one first.',
  wrong_code: 'The e-mail address or the code is wrong.',
};

/** Tells the browser which passkeys and names are out of date, if it wants to know. */
async function tell(signals) {
  const told = {
    signalUnknownCredential: signals?.unknown_credential,
    signalAllAcceptedCredentials: signals?.all_accepted_credentials,
    signalCurrentUserDetails: signals?.current_user_details,
  };
  for (const [method, argument] of Object.entries(told)) {
    if (argument && window.PublicKeyCredential?.[method]) await PublicKeyCredential[method](argument).catch(() => {});
  }
}

function say(text, isProblem = false) {
  $('status').textContent = text;
  $('status').classList.toggle('note', isProblem);
}

/** Does what a button is for: once at a time, and says what went wrong. */
async function act(button, action) {
  const buttons = document.querySelectorAll('button');
  say('');
  buttons.forEach((other) => (other.disabled = true));
  try {
    say((await action()) ?? '');
  } catch (error) {
    await tell(error.signals);
    if (error.name === 'logged_out') await show(null);
    else if (!$('logged-out').hidden) await beginAutofill();
    say(TEXTS[error.name] ?? 'That did not work. Try again later.', true);
  } finally {
    buttons.forEach((other) => (other.disabled = false));
    // Whoever does not see the page is told where they are now.
    (button.checkVisibility() ? button : document.querySelector('section:not([hidden]) h1')).focus();
  }
}

// --- log in ----------------------------------------------------------------------------------------------------------

async function logIn(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await ask('/login/options'));
  const credential = await navigator.credentials.get({ publicKey, ...options });
  return ask('/login/verify', { credential: credential.toJSON() });
}

// What the browser offers in the field for the e-mail address. It waits until somebody takes it.
let autofill = { end: async () => {} };

/** Before every other request to the browser: while this one is pending, all of them fail. */
const endAutofill = () => autofill.end();

async function beginAutofill() {
  await endAutofill();
  if (!hasPasskeys || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const controller = new AbortController();
  // A challenge is good for five minutes, and a form stands there for longer.
  const renewal = setTimeout(beginAutofill, 4 * 60_000);
  const login = logIn({ mediation: 'conditional', signal: controller.signal });
  const done = login.then(show, async (error) => {
    if (error.name !== 'credential_refused') return;
    await tell(error.signals);
    say(TEXTS[error.name], true);
    beginAutofill();
  });
  autofill = {
    end: () => {
      clearTimeout(renewal);
      controller.abort();
      // Not before the browser has ended it.
      return done;
    },
  };
}

// --- what is shown ---------------------------------------------------------------------------------------------------

/** The page of whoever is logged in, or of nobody. */
async function show(person) {
  $('logged-out').hidden = Boolean(person);
  $('logged-in').hidden = !person;
  if (!person) return beginAutofill();
  $('who').textContent = `${person.name} (${person.email})`;
  return list();
}

const day = (time) => new Date(time).toLocaleDateString('en', { dateStyle: 'medium' });

function entry(passkey, isLast) {
  const { name, provider_name: provider, created_at: created, last_used_at: used, backup_state: isSynced } = passkey;
  const item = document.createElement('li');
  const title = document.createElement('h2');
  title.textContent = name;
  const about = document.createElement('p');
  const parts = [provider !== name && provider, isSynced ? 'synced' : 'on one device', `added ${day(created)}`];
  about.textContent = [...parts, used ? `last used ${day(used)}` : 'not used yet'].filter(Boolean).join(' · ');
  const buttons = document.createElement('div');
  buttons.className = 'row';
  for (const [label, open] of [
    ['Rename', openRename],
    ['Revoke', openRevoke],
  ]) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.setAttribute('aria-label', `${label} ${name}`);
    button.addEventListener('click', () => open(passkey, isLast));
    buttons.append(button);
  }
  item.append(title, about, buttons);
  return item;
}

async function list() {
  const { passkeys, signals } = await ask('/passkeys');
  const used = passkeys.filter(({ revoked_at: revoked }) => !revoked);
  $('none').hidden = used.length > 0;
  $('passkeys').replaceChildren(...used.map((passkey) => entry(passkey, used.length === 1)));
  await tell(signals);
}

function openRename(passkey) {
  $('name').value = passkey.name;
  open('rename', async () => {
    const { signals } = await ask('/rename', { credential_id: passkey.credential_id, name: $('name').value });
    await tell(signals);
    await list();
    return 'Renamed.';
  });
}

function openRevoke(passkey, isLast) {
  $('revoked').textContent = passkey.name;
  $('last').hidden = !isLast;
  open('revoke', async () => {
    const { signals } = await ask('/revoke', { credential_id: passkey.credential_id });
    await tell(signals);
    await list();
    return 'Revoked.';
  });
}

/** A dialog, and what it is for. */
function open(id, action) {
  const dialog = $(id);
  const form = dialog.querySelector('form');
  form.onsubmit = (event) => {
    event.preventDefault();
    dialog.close();
    act($('add'), action);
  };
  form.querySelector('[value=cancel]').onclick = () => dialog.close();
  dialog.showModal();
}

// --- buttons ---------------------------------------------------------------------------------------------------------

$('log-in').addEventListener('click', ({ target }) =>
  act(target, async () => {
    await endAutofill();
    await show(await logIn());
  }),
);

$('by-code').addEventListener('submit', (event) => {
  event.preventDefault();
  act(event.submitter ?? $('log-in'), async () => {
    const person = await ask('/login/code', { email: $('email').value, code: $('code').value });
    await endAutofill();
    $('by-code').reset();
    await show(person);
  });
});

$('add').addEventListener('click', ({ target }) =>
  act(target, async () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await ask('/register/options'));
    const credential = await navigator.credentials.create({ publicKey });
    const { name } = await ask('/register/verify', { credential: credential.toJSON() });
    await list();
    return `Added: ${name}.`;
  }),
);

$('log-out').addEventListener('click', ({ target }) =>
  act(target, async () => {
    await ask('/logout');
    await show(null);
  }),
);

for (const id of ['log-in', 'add']) $(id).hidden = !hasPasskeys;
if (!hasPasskeys) say('This browser has no passkeys, or is too old for them. You can log in with a code.');
show(await ask('/me').catch(() => null));
