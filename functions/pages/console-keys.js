// API keys: made, rotated, revoked, and how they are used.

import { call, has, pages } from './console-api.js';
import { form, show, subject } from './console-forms.js';
import * as rules from './console-rules.js';
import { snippets } from './console-snippets.js';
import { afterRotation, askRotation, askTokens, change } from './console-tenants.js';
import { t } from './console-texts.js';
import { badge, button, code, element, list, paragraph, row, section, text, time } from './console-ui.js';

const STATES = { active: 'good', expired: 'quiet', revoked: 'bad' };

function ready(kind, key, tenant) {
  return section(t.secret.use, paragraph(t.secret.useSays, 'quiet'), ...snippets(kind, key, tenant.project_id));
}

const origins = rules.lines(50, rules.origin);

export async function newKey(at) {
  const k = t.keys;
  const made = form({
    fields: [
      { name: 'name', label: t.name, hint: k.nameHint, value: k.nameFirst, check: rules.name, required: true },
      { name: 'kind', label: k.kind, hint: k.kindHint, type: 'select', options: k.kinds },
      { name: 'expires_in', label: k.lifetime, type: 'select', options: k.lifetimes },
      { name: 'allowed_origins', label: k.origins, hint: k.originsHint, type: 'lines', check: origins },
      { name: 'origins_apply_to_tokens', label: k.toTokens, type: 'check', value: true },
    ],
    submit: k.make,
    cancel: button(t.cancel, '', () => at.go(`#/t/${at.id}/keys`)),
    act: async (values, attempt) => {
      const body = { ...values, expires_in: values.expires_in && Number(values.expires_in) };
      const made = await call('provision/api-key', { tenant_id: at.id, body, attempt });
      at.secret({
        title: k.made,
        values: [[k.of(made.kind), made.api_key]],
        more: made.api_key ? [ready(made.kind, made.api_key, at.tenant)] : [],
        next: `#/t/${at.id}/keys`,
      });
    },
  });
  made.className = 'only';
  return { shown: [made] };
}

export async function keys(at) {
  const k = t.keys;
  const rotate = (key) =>
    askRotation({
      what: k.one,
      about: subject(key.name, key.key_id),
      act: async (body, attempt) => {
        const rotated = await call('rotate/api-key', { tenant_id: at.id, key_id: key.key_id, body, attempt });
        return () =>
          at.secret({
            title: t.rotate.newKey,
            values: [[k.of(key.kind), rotated.api_key]],
            more: [afterRotation(rotated), ...(rotated.api_key ? [ready(key.kind, rotated.api_key, at.tenant)] : [])],
            next: `#/t/${at.id}/keys`,
          });
      },
    });
  const revoke = (key) =>
    change(at, 'revoke/api-key', {
      title: k.revokeTitle,
      says: [subject(key.name, key.key_id), k.revokeSays],
      submit: k.revoke,
      kind: 'main bad',
      key_id: key.key_id,
      done: () => k.revoked,
    });
  const use = ({ name, key_id, kind }) =>
    show(k.lines, subject(name, key_id), ...snippets(kind, 'YOUR_API_KEY', at.tenant.project_id));
  const acts = (key) => {
    if (key.state !== 'active') return [];
    return [
      button(k.rotate, 'small', () => rotate(key), key.name),
      button(k.revoke, 'small bad', () => revoke(key), key.name),
      has('revoke/tokens') && button(t.tokens.action, 'small', () => askTokens(at, 'key_id', key.key_id), key.name),
      button(k.how, 'small', () => use(key), key.name),
    ];
  };
  const isOverlapping = (key) => Date.parse(key.previous_valid_until) > Date.now();
  const columns = [
    [t.name, (key) => [text(key.name), element('br'), code(key.key_id)]],
    [k.kind, (key) => key.kind],
    [t.state, (key) => badge(STATES[key.state] ?? 'quiet', k.states[key.state] ?? key.state)],
    [k.start, (key) => code(`${key.start}…`)],
    [t.used, (key) => time(key.last_used_at)],
    [
      k.expires,
      (key) => [
        key.expires_at ? time(key.expires_at) : k.never,
        isOverlapping(key) && element('div', { className: 'quiet' }, `${k.overlap}: `, time(key.previous_valid_until)),
      ],
    ],
    [t.actions, (key) => row(...acts(key))],
  ];
  const load = pages('fetch/api-keys', 'api_keys', { tenant_id: at.id });
  const create = button(k.create, 'main', () => at.go(`#/t/${at.id}/keys/new`));
  const empty = element('h2', { textContent: k.empty });
  return { actions: [create], shown: [await list({ label: t.screens.keys, columns, load, empty })] };
}
