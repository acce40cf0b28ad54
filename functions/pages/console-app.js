// The frame of the console: how a session begins and ends, and which screen is shown. Its address is behind the `#`,
// which no server sees: `#/tenants`, `#/t/<tenant>/keys`.

import * as api from './console-api.js';
import { events, own } from './console-audit.js';
import { callbacks } from './console-callbacks.js';
import { keys, newKey } from './console-keys.js';
import { people, registered } from './console-people.js';
import * as store from './console-session.js';
import { setup } from './console-setup.js';
import { create, overview, settings, tenants } from './console-tenants.js';
import { t } from './console-texts.js';
import {
  badge,
  button,
  clearNotices,
  element,
  failed,
  foot,
  link,
  notice,
  paragraph,
  row,
  shownOnce,
  text,
} from './console-ui.js';
import { newKeys } from './proof.js';

const shell = document.getElementById('shell');
const main = document.getElementById('main');
const others = new BroadcastChannel('latchkey-console');
const icon = () => element('img', { alt: '', src: document.querySelector('link[rel=icon]').href });

// Each with an operation without which it is no use to the session.
const OF_ALL = {
  tenants: [tenants, 'fetch/tenants'],
  own: [own, 'fetch/audit-events'],
  new: [create, 'provision/tenant'],
};
const OF_TENANT = {
  overview: [overview, 'fetch/tenant'],
  setup: [setup, 'fetch/setup'],
  keys: [keys, 'fetch/api-keys'],
  registered: [registered, 'fetch/users'],
  people: [people, 'fetch/person'],
  callbacks: [callbacks, 'fetch/callbacks'],
  events: [events, 'fetch/audit-events'],
  settings: [settings, 'update/tenant'],
  'keys/new': [newKey, 'provision/api-key'],
};
// Screens that are no entry of the menu, but part of one.
const PARTS = { new: 'tenants', 'keys/new': 'keys' };

let session;
let turn = 0;
// The address of a screen with a secret, until it is said to be saved.
let guarded;
const later = [];
const known = new Map();

/** Begins: with the code of a link, if there is one. Nothing is redeemed before somebody says so. */
export async function start(code) {
  if (!isSecureContext || !crypto.subtle) return say(t.landing.insecure, t.landing.insecureSays);
  try {
    session = await store.find();
  } catch {
    return say(t.landing.noStorage, t.landing.noStorageSays);
  }
  others.onmessage = ({ data }) => data === session?.token && !guarded && ended();
  addEventListener('hashchange', render);
  addEventListener('beforeunload', (event) => guarded && event.preventDefault());
  if (code)
    return say(
      t.landing.title,
      t.landing.says,
      button(t.landing.open, 'main', () => open(code)),
    );
  return session ? opened() : say(t.landing.none, t.landing.noneSays);
}

function say(title, says, ...actions) {
  turn += 1;
  shell.classList.add('alone');
  show(title).replaceChildren(paragraph(says), ...actions);
  main.prepend(icon());
}

async function open(code) {
  const keys = await newKeys();
  let made;
  try {
    made = await api.open(keys, code);
  } catch (error) {
    if (error.status !== 404 && error.status !== 422) throw error;
    return say(t.landing.gone, t.landing.goneSays);
  }
  // If the one before can't be ended, its hour will.
  if (session) api.end(session).catch(() => {});
  session = made;
  await store.save(session);
  history.replaceState(null, '', location.pathname);
  opened();
}

function opened() {
  api.use(session, ended);
  shell.classList.remove('alone');
  frame();
  const clock = setInterval(() => {
    if (!session) return clearInterval(clock);
    // What is shown once stays until it is saved: nothing else can be done there.
    if (session.expiresAt <= Date.now() && !guarded) return ended();
    document.getElementById('left').textContent = left();
  }, 5000);
  render();
}

const left = () => t.shell.endsIn(Math.max(0, Math.ceil((session.expiresAt - Date.now()) / 60_000)));

/** The session is over: nothing of it stays, here, in other tabs, or in the store. */
function ended(says = t.landing.endedSays) {
  if (!session) return;
  const mine = session;
  session = guarded = undefined;
  later.length = 0;
  known.clear();
  shell.querySelectorAll('header, nav').forEach((part) => part.remove());
  document.querySelectorAll('dialog').forEach((dialog) => dialog.remove());
  clearNotices();
  history.replaceState(null, '', location.pathname);
  say(t.landing.ended, says);
  others.postMessage(mine.token);
  return store.forget(mine.token);
}

/** Leaves this browser, also if the service can’t be told. */
async function leave() {
  let says;
  try {
    await api.end(session);
  } catch (error) {
    if (error.status !== 401) says = t.landing.leftSays;
  }
  await ended(says);
}

function frame() {
  const menu = element('button', { type: 'button', className: 'menu', textContent: t.shell.menu });
  const nav = element('nav', { id: 'nav', 'aria-label': t.shell.navigation });
  menu.ariaExpanded = 'false';
  menu.onclick = () => (menu.ariaExpanded = `${nav.classList.toggle('open')}`);
  const who = element(
    'p',
    { className: 'who' },
    text(session.label),
    element('span', {}, `${t.shell.party[session.party]}, `, element('span', { id: 'left', textContent: left() })),
  );
  const home = link('#/', icon(), t.product);
  home.className = 'home';
  shell.prepend(element('header', {}, home, menu, who, button(t.shell.end, '', leave)), nav);
}

/** The screen that the address names, and the tenant that it is about. */
function route() {
  const [first, id, ...rest] = location.hash.slice(2).split('/');
  const name = first === 't' ? rest.join('/') || 'overview' : first || 'tenants';
  if (first === 't') return { name, id: session.tenant_id ?? id, of: OF_TENANT };
  return session.tenant_id ? { name: 'overview', id: session.tenant_id, of: OF_TENANT } : { name, of: OF_ALL };
}

function navigate({ name, id }) {
  const nav = document.getElementById('nav');
  const item = (href, key) => {
    const made = link(href, t.screens[key]);
    // The address stays as it is, and the screen is made anew.
    made.onclick = (event) => {
      if (href !== location.hash) return;
      event.preventDefault();
      render();
    };
    if (key === (PARTS[name] ?? name)) made.ariaCurrent = 'page';
    return element('li', {}, made);
  };
  const items = (screens, href) =>
    Object.keys(screens)
      .filter((key) => !PARTS[key] && api.has(screens[key][1]))
      .map((key) => item(href(key), key));
  const parts = [];
  if (session.party === 'operator') parts.push(element('ul', {}, ...items(OF_ALL, (key) => `#/${key}`)));
  if (id) {
    parts.push(element('p', {}, text(known.get(id)?.tenant_name ?? session.tenant_name ?? id)));
    parts.push(element('ul', {}, ...items(OF_TENANT, (key) => `#/t/${id}/${key}`)));
  }
  nav.replaceChildren(...parts);
  nav.classList.remove('open');
  shell.querySelector('.menu').ariaExpanded = 'false';
}

/** Puts a heading on the screen, with the focus, and gives the place below it. */
function show(title, tenant) {
  const heading = element('h1', { tabIndex: -1, textContent: title });
  const content = element('div', { id: 'content' });
  const head = element('div', { className: 'head' }, heading);
  main.replaceChildren(head, content);
  // A name of somebody's is kept apart from what stands around it.
  document.title = [title, tenant && `\u2068${tenant.tenant_name}\u2069`, t.product].filter(Boolean).join(' – ');
  scrollTo(0, 0);
  heading.focus();
  return content;
}

function crumb(tenant) {
  const state = tenant.status === 'suspended' && badge('bad', t.tenants.statuses.suspended);
  return element('p', { className: 'crumb' }, text(tenant.tenant_name), ' ', state);
}

async function render() {
  if (!session || shell.className) return;
  if (guarded) {
    if ((location.hash || '#/') === guarded) return;
    history.pushState(null, '', guarded);
    return notice(t.shell.unsaved, 'bad');
  }
  const mine = ++turn;
  const here = location.hash;
  const at = route();
  const [view, operation] = at.of[at.name] ?? [];
  document.querySelectorAll('dialog').forEach((dialog) => dialog.close());
  clearNotices();
  navigate(at);
  if (!view || !api.has(operation)) return show(t.shell.notFound);
  const title = t.screens[at.name] ?? t.keys.create;
  const content = show(title, known.get(at.id));
  content.append(element('div', { className: 'loading' }, paragraph(t.wait)));
  try {
    if (at.id) {
      const tenant = await api.call('fetch/tenant', { tenant_id: at.id });
      if (mine !== turn) return;
      known.set(at.id, tenant);
      content.parentNode.prepend(crumb(tenant));
      // The name alone: who has gone on to the menu keeps the focus there.
      document.querySelector('#nav > p').replaceChildren(text(tenant.tenant_name));
    }
    // A screen that was left is not made anew.
    const again = () => location.hash === here && render();
    const given = { ...at, session, tenant: known.get(at.id), go, render: again, secret };
    const { actions = [], shown } = await view(given);
    if (mine !== turn) return;
    if (actions.length > 0) content.previousSibling.append(row(...actions));
    content.replaceChildren(...shown);
  } catch (error) {
    if (mine !== turn) return;
    content.replaceChildren(failed(error, render));
  }
}

function go(address) {
  if (location.hash === address) render();
  else location.hash = address;
}

/** Shows what is shown once, and nothing else, until it is said to be saved. */
function secret(one) {
  // What came while another is on the screen waits until that one is saved.
  if (guarded !== undefined) return later.push(one);
  const { title, values, more = [], next } = one;
  turn += 1;
  guarded = location.hash || '#/';
  const content = show(title);
  // None if the session has ended meanwhile: the secret is shown all the same.
  const nav = document.getElementById('nav');
  if (nav) nav.inert = true;
  const shown = values.map(([label, value, says]) =>
    element(
      'div',
      { className: 'secret' },
      element('h2', { textContent: label }),
      ...(says ? [paragraph(says, 'quiet')] : []),
      ...shownOnce(label, value),
    ),
  );
  const saved = button(t.secret.saved, 'main', () => {
    guarded = undefined;
    if (later[0]) return secret(later.shift());
    if (!session) return say(t.landing.ended, t.landing.endedSays);
    nav.inert = false;
    content.replaceChildren();
    go(next);
  });
  const hasAny = values.some(([, value]) => value);
  content.append(paragraph(hasAny ? t.secret.says : t.secret.lost, 'note'), ...shown, ...more, foot(saved));
}
