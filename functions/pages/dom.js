// What is on the screen: one view at a time.

import { element } from './element.js';
import { texts } from './texts.js';

export { element };

const main = document.getElementById('main');
const status = document.getElementById('status');

/** Shows a view. Its heading gets the focus, so that it is read, and so that the first key leads to what is first. */
export function show(title, ...children) {
  const heading = element('h1', { tabIndex: -1, textContent: title });
  main.replaceChildren(heading, ...children.filter(Boolean));
  document.title = title;
  scrollTo(0, 0);
  heading.focus();
}

/** Shows a view that says something and offers at most some actions. */
export function showNote({ title, paragraphs }, ...actions) {
  show(title, ...paragraphs.map(paragraph), ...actions);
}

export function paragraph(text) {
  return element('p', { textContent: text });
}

let isBusy = false;

/** Does one thing at a time: a second tap is no second request, and no answer comes to a view that is gone. */
export async function busy(work, control) {
  if (isBusy) return;
  isBusy = true;
  control?.setAttribute('aria-disabled', 'true');
  status.textContent = texts.wait;
  try {
    await work();
  } finally {
    isBusy = false;
    control?.removeAttribute('aria-disabled');
    status.textContent = '';
  }
}

/** A button. `kind` is `main` for what a view is for, `bad` for what ends something, both, or empty. */
export function button(label, kind, act) {
  const made = element('button', { type: 'button', className: kind, textContent: label });
  made.onclick = () => busy(act, made);
  return made;
}

/** Who somebody deals with: logo and name. A logo that does not load leaves its box: nothing moves under a thumb. */
export function party({ name, logo }, level = 'h2') {
  const heading = element(level, { textContent: name });
  if (!logo?.startsWith('https://')) return element('div', { className: 'party' }, heading);
  const image = element('img', { alt: '', referrerPolicy: 'no-referrer', src: logo });
  image.onerror = () => image.replaceWith([...name][0]);
  const box = element('span', { className: 'logo', 'aria-hidden': 'true' }, image);
  return element('div', { className: 'party' }, box, heading);
}

/** Names and what they stand for; pairs whose second is nothing are left out. */
export function details(pairs) {
  const known = pairs.filter(([, value]) => value);
  return element(
    'dl',
    {},
    ...known.flatMap(([name, value]) => [element('dt', { textContent: name }), element('dd', {}, value)]),
  );
}

export function card(...children) {
  return element('div', { className: 'card' }, ...children);
}
