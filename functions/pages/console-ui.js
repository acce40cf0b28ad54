// What screens are made of. Everything that somebody stored goes through `text`, and stays within its own direction.

import { element } from './element.js';
import { Refusal } from './console-api.js';
import { t } from './console-texts.js';

export { element };

const status = document.getElementById('status');
const notices = document.getElementById('notices');

export const text = (value) => element('bdi', { className: 'text', textContent: value });
// A long one may break.
export const code = (value) => element('code', { textContent: value, className: value.length > 24 ? 'long' : '' });
export const paragraph = (value, className = '') => element('p', { className, textContent: value });
export const link = (href, ...children) => element('a', { href }, ...children);
export const row = (...children) => element('div', { className: 'row' }, ...children);
export const foot = (...children) => element('div', { className: 'row foot' }, ...children);
export const badge = (kind, label) => element('span', { className: `badge ${kind}`, textContent: label });
export const none = () => element('span', { className: 'quiet', textContent: t.none });

export function section(title, ...children) {
  return element('section', {}, element('h2', { textContent: title }), ...children.filter(Boolean));
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

function since(seconds) {
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return Math.abs(seconds) < 10 ? t.now : relative.format(Math.round(seconds / length), unit);
}

/** A time, as far away as it is, with the exact one for whoever points at it. */
export function time(value) {
  if (!value) return none();
  const isDay = value.length === 10;
  const today = new Date().toISOString().slice(0, 10);
  const days = (Date.parse(value) - Date.parse(today)) / 86_400_000;
  const said = isDay ? relative.format(days, 'day') : since((Date.parse(value) - Date.now()) / 1000);
  const exact = isDay ? value : `${value.slice(0, 10)} ${value.slice(11, 19)} UTC`;
  return element('time', { dateTime: value, title: exact, textContent: said });
}

export function notice(message, kind = '') {
  const made = element('div', { className: `notice ${kind}` }, text(message));
  made.append(button(t.dismiss, 'small', () => made.remove()));
  notices.replaceChildren(made);
  status.textContent = message;
}

export function clearNotices() {
  notices.replaceChildren();
  status.textContent = '';
}

export function reason(error) {
  if (!(error instanceof Refusal)) throw error;
  const { status, code, message } = error;
  if (t.refusals[code]) return t.refusals[code];
  if (status >= 500) return t.refusals.unavailable;
  return code === 'invalid_field' ? message : t.refused(message, code);
}

/** Does one thing at a time: while it runs, its control says so, and does nothing. */
export async function once(control, work) {
  if (control.ariaDisabled) return;
  control.ariaDisabled = 'true';
  const said = control.firstChild;
  const label = said.data;
  said.data = status.textContent = t.wait;
  try {
    return await work();
  } finally {
    control.ariaDisabled = null;
    said.data = label;
    if (status.textContent === t.wait) status.textContent = '';
  }
}

/** Says why something was not done, in its dialog if there is one. */
function complain(control, message) {
  const dialog = control.closest('dialog');
  if (!dialog) return notice(message, 'bad');
  dialog.querySelector(':scope > .problem')?.remove();
  dialog.append(element('p', { className: 'problem', role: 'alert', textContent: message }));
}

function plainButton(label, className, about) {
  const more = about ? element('span', { className: 'hidden', textContent: `: ${about}` }) : '';
  return element('button', { type: 'button', className }, label, more);
}

/** A button. `kind` is `main`, `bad`, `plain`, or empty; `about` tells it from its neighbours. */
export function button(label, kind, act, about) {
  const made = plainButton(label, kind, about);
  made.onclick = async () => {
    try {
      await once(made, act);
    } catch (error) {
      complain(made, reason(error));
    }
  };
  return made;
}

/** A button that copies, and says so itself: a dialog hides what is said elsewhere. */
export function copyButton(value, about) {
  const made = plainButton(t.copy, 'small', about);
  made.onclick = async () => {
    const said = await navigator.clipboard.writeText(value).then(
      () => t.copied,
      () => t.notCopied,
    );
    made.firstChild.data = status.textContent = said;
    setTimeout(() => (made.firstChild.data = t.copy), 2000);
  };
  return made;
}

/** A secret with a way to copy it, or what is said if it can't be shown any more. */
export function shownOnce(label, value) {
  if (!value) return [paragraph(t.secret.lost)];
  return [element('output', { textContent: value, 'aria-label': label }), copyButton(value, label)];
}

export function lines(value, label) {
  const block = element('pre', { tabIndex: 0, textContent: value, role: 'group', 'aria-label': label });
  return element('div', {}, block, copyButton(value, label));
}

/** Names and what they stand for, if it is known. */
export function details(pairs) {
  const known = pairs.filter(([, value]) => value !== undefined);
  const shown = (value) => (value === null || value === '' ? none() : value);
  return element(
    'dl',
    {},
    ...known.map(([name, value]) =>
      element('div', {}, element('dt', { textContent: name }), element('dd', {}, ...[shown(value)].flat())),
    ),
  );
}

/**
 * A table, which is cards on a narrow screen. A column is a title and what it has for a row; the first is the name. Roles
 * are said, since such a style takes them from a table.
 */
export function table(label, columns, rows) {
  const cell =
    ([title, contentOf], index) =>
    (of) => {
      const content = [contentOf(of)].flat().filter((part) => part !== undefined && part !== false);
      const [name, more] = index ? ['td', { role: 'cell' }] : ['th', { role: 'rowheader', scope: 'row' }];
      return element(name, { ...more, 'data-label': title }, ...content.map((part) => part ?? none()));
    };
  const cells = columns.map(cell);
  const line = (of) => element('tr', { role: 'row' }, ...cells.map((made) => made(of)));
  const head = columns.map(([title]) => element('th', { role: 'columnheader', scope: 'col', textContent: title }));
  const body = element('tbody', { role: 'rowgroup' }, ...rows.map(line));
  const made = element(
    'table',
    { role: 'table', 'aria-label': label },
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...head)),
    body,
  );
  return { made, add: (more) => body.append(...more.map(line)) };
}

export function labelled(label, control) {
  return element('div', { className: 'field' }, element('label', { htmlFor: control.id, textContent: label }), control);
}

export function select(id, options, chosen) {
  const option = ([value, said]) => element('option', { value, textContent: said, selected: value === chosen });
  return element('select', { id }, ...options.map(option));
}

export function chooser(id, label, options, chosen, act) {
  const made = select(id, options, chosen);
  made.onchange = () => act(made.value);
  return labelled(label, made);
}

export function failed(error, again) {
  return element('div', {}, paragraph(reason(error), 'problem'), button(t.tryAgain, 'main', again));
}

/** A place for what `make` gives, anew at each look. What was asked for last stays. */
export function place(make) {
  const made = element('div');
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const content = await make().catch((error) => failed(error, look));
    if (mine !== turn) return;
    made.replaceChildren(content);
    status.textContent = (content.querySelector('.foot span') ?? content).textContent;
  };
  return { made, look };
}

/**
 * A list that grows: `load` gives rows and the cursor of what follows. It is there when its first rows are, so that a
 * screen does not jump.
 */
export async function list({ label, columns, load, empty }) {
  const { rows, next } = await load();
  if (rows.length === 0 && !next) return element('div', { className: 'empty' }, ...[empty].flat());
  const { made, add } = table(label, columns, rows);
  let cursor = next;
  let shown = rows.length;
  const count = element('span', { className: 'quiet', tabIndex: -1 });
  const more = button(t.more, '', async () => {
    const page = await load(cursor);
    add(page.rows);
    shown += page.rows.length;
    cursor = page.next;
    const isHere = document.activeElement === more;
    say();
    if (isHere && !cursor) count.focus();
  });
  const say = () => {
    count.textContent = t.shown(shown, Boolean(cursor));
    more.hidden = !cursor;
  };
  say();
  return element('div', {}, made, foot(count, more));
}
