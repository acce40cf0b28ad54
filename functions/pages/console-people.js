// What a tenant has registered, and the devices and passkeys of one of its people.

import { call, has } from './console-api.js';
import { form } from './console-forms.js';
import * as rules from './console-rules.js';
import { askTokens } from './console-tenant.js';
import { t } from './console-texts.js';
import { badge, button, code, details, list, paragraph, row, section, table, text, time } from './console-ui.js';
import { element } from './element.js';

// Whom the screen for people begins with. Not in the address, which browsers keep.
let asked;

export async function registered(at) {
  const r = t.registered;
  const named = { title: r.name, isName: true, cell: ({ name, display_name: shown }) => text(name ?? shown) };
  const external = { title: r.external, cell: ({ external_id: id }) => id && text(id) };
  const id = { title: r.id, cell: (of) => code(of.id) };
  const since = { title: r.since, cell: (of) => time(of.created_at) };
  const token = { title: r.token, cell: (of) => time(of.last_token_on) };
  const devices = ({ external_id: id }) => {
    asked = id;
    at.go(`#/t/${at.id}/people`);
  };
  const acts = (kind) => ({
    title: t.actions,
    cell: (of) =>
      row(
        has('revokeTokens') && button(t.tokens.action, 'small', () => askTokens(at, kind, of.id), of.name),
        kind === 'user_id' && has('fetchPerson') && of.external_id && button(r.devices, 'small', () => devices(of), of.name),
      ),
  });
  const all = [
    ['fetchOrganizations', r.organizations, 'organizations', [named, external, id, since, acts('organization_id')]],
    [
      'fetchUsers',
      r.users,
      'users',
      [named, external, { title: r.organization, cell: (of) => code(of.organization_id) }, since, token, acts('user_id')],
    ],
    [
      'fetchRegisteredTenants',
      r.customers,
      'registered_tenants',
      [named, { title: r.key, cell: ({ key }) => key && text(key) }, since, token],
    ],
  ];
  const shown = all.map(async ([operation, title, member, columns]) => {
    const load = async (cursor) => {
      const page = await call(operation, { tenant_id: at.id, cursor });
      return { rows: page[member], next: page.next_cursor };
    };
    const usable = columns.filter(({ title }) => title !== t.actions || has('revokeTokens'));
    return section(title, await list({ label: title, columns: usable, load, empty: paragraph(r.none) }));
  });
  return { shown: await Promise.all(shown) };
}

export async function people(at) {
  const p = t.people;
  const found = element('div', { 'aria-live': 'polite' });
  const look = async ({ by, id }) => {
    found.replaceChildren();
    const person = await call('fetchPerson', { tenant_id: at.id, [by]: id });
    found.replaceChildren(...shownOf(person));
  };
  const made = form({
    fields: [
      { name: 'by', label: p.by, type: 'select', options: Object.entries(p.kinds) },
      { name: 'id', label: p.id, value: asked, check: rules.externalId, required: true },
    ],
    submit: p.find,
    act: look,
  });
  made.className = 'inline';
  if (asked) setTimeout(() => made.requestSubmit());
  asked = undefined;
  return { shown: [paragraph(p.says, 'quiet'), made, found] };
}

function shownOf({ linked_account_id: linked, backend_user_id: own, devices, passkeys }) {
  const p = t.people;
  const named = { title: p.name, isName: true, cell: ({ name }) => text(name) };
  const used = { title: p.used, cell: (of) => time(of.last_used_at) };
  const deviceColumns = [
    named,
    { title: p.platform, cell: ({ platform }) => platform },
    { title: p.paired, cell: (of) => time(of.created_at) },
    used,
    { title: p.until, cell: (of) => time(of.session_expires_at) },
  ];
  const passkeyColumns = [
    named,
    { title: p.state, cell: (of) => (of.revoked_at ? badge('bad', p.revoked) : badge('good', p.good)) },
    { title: p.provider, cell: (of) => of.provider_name ?? null },
    { title: p.synced, cell: (of) => (of.backup_state ? t.yes : t.no) },
    { title: p.rp, cell: (of) => text(of.rp_id) },
    { title: p.made, cell: (of) => time(of.created_at) },
    used,
  ];
  const rows = (title, columns, of, empty) =>
    section(title, of.length > 0 ? table(title, columns, of).made : element('div', { className: 'empty' }, paragraph(empty)));
  return [
    details([
      [p.own, own && text(own)],
      [p.linked, linked && code(linked)],
    ]),
    rows(p.devices, deviceColumns, devices, p.noDevices),
    rows(p.passkeys, passkeyColumns, passkeys, p.noPasskeys),
  ];
}
