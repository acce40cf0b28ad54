// What a tenant has registered, and the devices and passkeys of one of its people.

import { call, has, pages } from './console-api.js';
import { form } from './console-forms.js';
import * as rules from './console-rules.js';
import { askTokens } from './console-tenants.js';
import { t } from './console-texts.js';
import {
  badge,
  button,
  code,
  details,
  element,
  list,
  paragraph,
  row,
  section,
  table,
  text,
  time,
} from './console-ui.js';

// Not in the address, which browsers keep.
let asked;

export async function registered(at) {
  const r = t.registered;
  const named = [t.name, ({ name, display_name: shown }) => text(name ?? shown)];
  const external = [r.external, ({ external_id: id }) => id && text(id)];
  const id = [t.id, (of) => code(of.id)];
  const since = [r.since, (of) => time(of.created_at)];
  const token = [r.token, (of) => time(of.last_token_on)];
  const devices = ({ external_id: id }) => {
    asked = id;
    at.go(`#/t/${at.id}/people`);
  };
  const acts = (kind) => [
    t.actions,
    (of) =>
      row(
        has('revoke/tokens') && button(t.tokens.action, 'small', () => askTokens(at, kind, of.id), of.name),
        kind === 'user_id' && of.external_id && button(r.devices, 'small', () => devices(of), of.name),
      ),
  ];
  const all = [
    ['fetch/organizations', r.organizations, 'organizations', [named, external, id, since, token, acts('organization_id')]],
    [
      'fetch/users',
      r.users,
      'users',
      [named, external, [r.organization, (of) => code(of.organization_id)], since, token, acts('user_id')],
    ],
    [
      'fetch/registered-tenants',
      r.customers,
      'registered_tenants',
      [named, [r.key, ({ key }) => key && text(key)], since, token],
    ],
  ];
  const shown = all.map(async ([operation, title, member, columns]) => {
    const load = pages(operation, member, { tenant_id: at.id });
    const usable = columns.filter(([title]) => title !== t.actions || has('revoke/tokens'));
    return section(title, await list({ label: title, columns: usable, load, empty: paragraph(r.none) }));
  });
  return { shown: await Promise.all(shown) };
}

export async function people(at) {
  const p = t.people;
  const found = element('div', { 'aria-live': 'polite' });
  const look = async ({ by, id }) => {
    found.replaceChildren();
    const person = await call('fetch/person', { tenant_id: at.id, [by]: id });
    found.replaceChildren(...shownOf(person));
  };
  const made = form({
    fields: [
      { name: 'by', label: p.by, type: 'select', options: Object.entries(p.kinds) },
      { name: 'id', label: t.id, value: asked, check: rules.externalId, required: true },
    ],
    submit: p.find,
    act: look,
  });
  made.className = 'inline';
  if (asked) setTimeout(() => made.requestSubmit());
  asked = undefined;
  return { shown: [made, found] };
}

function shownOf({ relay_user_linked_id: linked, backend_user_id: own, devices, passkeys }) {
  const p = t.people;
  const named = [t.name, ({ name }) => text(name)];
  const used = [t.used, (of) => time(of.last_used_at)];
  const deviceColumns = [
    named,
    [p.platform, ({ platform }) => platform],
    [p.paired, (of) => time(of.created_at)],
    used,
    [p.until, (of) => time(of.session_expires_at)],
  ];
  const passkeyColumns = [
    named,
    [t.state, (of) => (of.revoked_at ? badge('bad', t.keys.states.revoked) : badge('good', p.good))],
    [p.provider, (of) => of.provider_name ?? null],
    [p.synced, (of) => (of.backup_state ? t.yes : t.no)],
    [p.rp, (of) => text(of.rp_id)],
    [p.made, (of) => time(of.created_at)],
    used,
  ];
  const rows = (title, columns, of) =>
    section(title, of.length > 0 ? table(title, columns, of).made : paragraph(t.registered.none));
  return [
    details([
      [p.kinds.backend_user_id, own && text(own)],
      [p.kinds.relay_user_linked_id, linked && code(linked)],
    ]),
    rows(p.devices, deviceColumns, devices),
    rows(t.groups.passkeys, passkeyColumns, passkeys),
  ];
}
