// Forms and dialogs. A form says the rule of each field before anything is sent, and puts a refusal at its field.

import { button, code, element, foot, once, paragraph, reason, select, text } from './console-ui.js';
import { t } from './console-texts.js';

let ids = 0;

const asLines = (text) =>
  text
    .trim()
    .split(/\s*\n\s*/)
    .filter(Boolean);

function control(field, id) {
  const { type = 'text', options, value } = field;
  if (type === 'select' || type === 'flag') return select(id, options, `${value ?? ''}`);
  if (type === 'check') return element('input', { id, type: 'checkbox', checked: Boolean(value) });
  if (type === 'lines') return element('textarea', { id, rows: 3, spellcheck: false, value: (value ?? []).join('\n') });
  const kind = { type: type === 'date' ? 'date' : 'text', inputMode: type === 'number' ? 'numeric' : 'text' };
  return element('input', { id, ...kind, autocomplete: 'off', spellcheck: false, value: `${value ?? ''}` });
}

function read({ type }, input) {
  if (type === 'check') return input.checked;
  if (type === 'lines') return asLines(input.value);
  if (input.value === '') return null;
  if (type === 'flag') return input.value === 'true';
  return type === 'number' ? Number(input.value) : input.value;
}

function wrong(field, input) {
  if (field.type === 'lines') return field.check(asLines(input.value));
  if (input.value === '') return field.required ? t.rules.required : undefined;
  return field.check?.(input.value);
}

function fieldOf(field) {
  const id = `field-${++ids}`;
  const input = control(field, id);
  const problem = element('p', { id: `${id}-problem`, className: 'problem' });
  const hint = field.hint && element('p', { id: `${id}-hint`, className: 'hint', textContent: field.hint });
  input.setAttribute('aria-describedby', `${problem.id}${hint ? ` ${hint.id}` : ''}`);
  input.ariaRequired = `${Boolean(field.required)}`;
  const say = (message = '') => {
    problem.textContent = message;
    input.ariaInvalid = message ? 'true' : null;
    return !message;
  };
  // Whoever leaves a field has finished it.
  input.addEventListener('change', () => say(wrong(field, input)));
  input.addEventListener('input', () => problem.textContent && say(wrong(field, input)));
  const label = element('label', { htmlFor: id, textContent: field.label });
  const parts = field.type === 'check' ? [element('div', { className: 'check' }, input, label)] : [label, input];
  return { field, input, say, made: element('div', { className: 'field' }, ...parts, problem, hint) };
}

/**
 * A form. `act` gets the values and an object that stays the same while they are tried (see `call`), and its refusal is
 * said here. Groups that are not open are behind their title.
 */
export function form({ fields = [], groups = [{ fields, isOpen: true }], submit, kind = 'main', act, cancel }) {
  const attempt = {};
  const all = [];
  const problem = element('p', { className: 'problem', role: 'alert' });
  const made = element('form', { noValidate: true });
  for (const { title, fields: members, isOpen } of groups) {
    const parts = members.map(fieldOf);
    all.push(...parts);
    const content = parts.map((part) => part.made);
    const inner = element('div', { className: 'fields' }, ...content);
    const summary = element('summary', { textContent: title ?? '' });
    made.append(title ? element('details', { open: isOpen }, summary, inner) : inner);
  }
  const point = ({ input }) => {
    const around = input.closest('details');
    if (around) around.open = true;
    input.focus();
  };
  const sent = element('button', { type: 'submit', className: kind, textContent: submit });
  made.append(problem, foot(sent, cancel));
  made.onsubmit = (event) => {
    event.preventDefault();
    return once(sent, async () => {
      problem.textContent = '';
      const bad = all.filter(({ field, input, say }) => !say(wrong(field, input)));
      if (bad.length > 0) return point(bad[0]);
      const values = Object.fromEntries(all.map(({ field, input }) => [field.name, read(field, input)]));
      try {
        if (cancel) cancel.disabled = true;
        await act(values, attempt);
      } catch (error) {
        const said = reason(error);
        const at = all.find(({ field }) => field.name === error.field?.replace(/[[.].*/, ''));
        if (!at) problem.textContent = said;
        else {
          at.say(said);
          point(at);
        }
      } finally {
        if (cancel) cancel.disabled = false;
      }
    });
  };
  return made;
}

function dialogOf(title) {
  const id = `title-${++ids}`;
  const heading = element('h2', { id, textContent: title, tabIndex: -1 });
  const dialog = element('dialog', { 'aria-labelledby': id }, heading);
  // What is in it may be a secret: nothing of it is left behind.
  dialog.onclose = () => dialog.remove();
  const open = () => {
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector('input, select') ?? heading).focus();
  };
  const close = (label) => button(label, '', () => dialog.close());
  return { dialog, open, close };
}

export function ask({ title, says = [], fields, submit, kind, act }) {
  const { dialog, open, close } = dialogOf(title);
  const cancel = close(t.cancel);
  // What runs is not stopped by looking away: it could only be sent once more.
  dialog.oncancel = (event) => void (cancel.disabled && event.preventDefault());
  const made = form({
    fields,
    submit,
    kind,
    cancel,
    act: async (values, attempt) => {
      const then = await act(values, attempt);
      dialog.close();
      await then?.();
    },
  });
  dialog.append(...says.map((part) => (typeof part === 'string' ? paragraph(part) : part)), made);
  open();
}

export function show(title, ...children) {
  const { dialog, open, close } = dialogOf(title);
  dialog.append(...children, foot(close(t.close)));
  open();
}

export const subject = (name, id) => element('p', {}, text(name), ' ', code(id));
