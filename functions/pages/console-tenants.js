// The list of tenants, and how one is made.

import { call } from './console-api.js';
import { given, groups } from './console-config.js';
import { form } from './console-forms.js';
import { t } from './console-texts.js';
import { badge, button, code, link, list, paragraph, reason, row, text, time } from './console-ui.js';
import { element } from './element.js';

const TYPED = 250;
// What was looked for is looked for again when somebody comes back from a tenant.
const wanted = { search: '', status: '' };

export async function tenants(at) {
  const make = () => at.go('#/new');
  const results = element('div', { 'aria-live': 'polite' });
  let turn = 0;
  const load = async (cursor) => {
    const page = await call('fetchTenants', { ...wanted, limit: 50, cursor });
    return { rows: page.tenants, next: page.next_cursor };
  };
  const columns = [
    { title: t.tenants.name, isName: true, cell: ({ tenant_id: id, tenant_name }) => link(`#/t/${id}/overview`, text(tenant_name)) },
    { title: t.tenants.state, cell: ({ status }) => state(status) },
    { title: t.tenants.id, cell: ({ tenant_id }) => code(tenant_id) },
    { title: t.tenants.rate, cell: (tenant) => `${tenant.rate_limit_per_min}` },
    { title: t.tenants.created, cell: (tenant) => time(tenant.created_at) },
  ];
  const found = () => {
    const isAll = !wanted.search && !wanted.status;
    const [title, says] = isAll ? [t.tenants.empty, t.tenants.emptySays] : [t.tenants.noMatch, t.tenants.noMatchSays];
    const empty = [element('h2', { textContent: title }), paragraph(says)];
    return list({ label: t.screens.tenants, columns, load, empty });
  };
  const look = async () => {
    const mine = ++turn;
    const made = await found().catch((error) => paragraph(reason(error), 'problem'));
    // What was asked for later may have come before.
    if (mine === turn) results.replaceChildren(made);
  };
  const search = element('input', { id: 'search', type: 'search', autocomplete: 'off', spellcheck: false, value: wanted.search });
  let typed;
  search.oninput = () => {
    wanted.search = search.value.trim();
    clearTimeout(typed);
    typed = setTimeout(look, TYPED);
  };
  const options = [['', t.any], ...Object.entries(t.tenants.statuses)];
  const status = element(
    'select',
    { id: 'status-filter' },
    ...options.map(([value, label]) => element('option', { value, textContent: label, selected: value === wanted.status })),
  );
  status.onchange = () => {
    wanted.status = status.value;
    return look();
  };
  const field = (label, input) =>
    element('div', { className: 'field' }, element('label', { htmlFor: input.id, textContent: label }), input);
  results.append(await found());
  const filters = element('div', { className: 'filters', role: 'search' }, field(t.tenants.search, search), field(t.tenants.status, status));
  return { actions: [button(t.screens.new, 'main', make)], shown: [filters, results] };
}

export const state = (status) => badge(status === 'active' ? 'good' : 'bad', t.tenants.statuses[status] ?? status);

export async function create(at) {
  const made = form({
    groups: groups(),
    submit: t.tenants.create,
    cancel: button(t.cancel, '', () => at.go('#/tenants')),
    act: async (values, attempt) => {
      const tenant = await call('provisionTenant', { body: given(values), attempt });
      const { tenant_id: id, tenant_name: name, tenant_secret: secret, webhook_secret: webhook } = tenant;
      at.secret({
        title: t.tenants.made(`\u2068${name}\u2069`),
        values: [
          [t.tenants.secret, secret, t.tenants.secretSays],
          [t.tenants.webhook, webhook, t.tenants.webhookSays],
        ],
        next: `#/t/${id}/keys/new`,
      });
    },
  });
  return { shown: [made] };
}
