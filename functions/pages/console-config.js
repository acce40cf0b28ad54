// The configuration of a tenant: its fields in groups, each with its rule.

import * as rules from './console-rules.js';
import { t } from './console-texts.js';

const unset = ['', t.unset];
const same = (value) => [value, value];
const choice = (name, options, more) => ({ name, type: 'select', options: options.map(same), ...more });
const flag = (name) => ({ name, type: 'flag', options: [unset, ['true', t.yes], ['false', t.no]] });
const number = (name, least, most, more) => ({ name, type: 'number', check: rules.whole(least, most), ...more });
const list = (name, most, rule) => ({ name, type: 'lines', check: rules.lines(most, rule) });
const text = (name, check) => ({ name, check });

const GROUPS = [
  [
    'basics',
    [
      { name: 'tenant_name', check: rules.name, required: true },
      number('rate_limit_per_min', 1, 10_000, { required: true, initial: 60 }),
      choice('signing_version', ['v1', 'v2'], { orUnset: true }),
    ],
  ],
  [
    'limits',
    [
      flag('require_end_user'),
      number('rows_per_end_user', 1, 100_000_000),
      number('rows_per_tenant', 8, 100_000_000),
      number('calls_per_min_per_key', 1, 10_000),
      number('calls_per_min_per_end_user', 1, 10_000),
    ],
  ],
  ['callbacks', [text('callback_url_base', rules.callbackBase), list('callback_types', 20, rules.callbackType)]],
  ['branding', [text('branding_display_name', rules.name), text('branding_logo_url', rules.logo)]],
  [
    'qr',
    [
      list('qr_login_allowed_origins', 50, rules.origin),
      choice('qr_rotation', ['allowed', 'required']),
      choice('qr_number_matching', ['always', 'never']),
      choice('qr_distant', ['confirm', 'inform', 'deny']),
      number('qr_expiry_seconds', 60, 300, { required: true, initial: 120 }),
      number('qr_sessions_per_address', 1, 500, { required: true, initial: 50 }),
    ],
  ],
  [
    'passkeys',
    [text('webauthn_rp_id', rules.rpId), list('webauthn_origins', 50, rules.passkeyOrigin), flag('passkeys_enabled')],
  ],
];

export function groups(tenant) {
  const valueOf = ({ name, initial, type, orUnset, options }) =>
    tenant ? tenant[name] : (initial ?? (type === 'select' && !orUnset ? options[0][0] : undefined));
  const shown = (field) => ({
    ...field,
    label: t.fields[field.name][0],
    hint: t.fields[field.name][1],
    options: field.orUnset && !tenant ? [unset, ...field.options] : field.options,
    value: valueOf(field),
  });
  return GROUPS.map(([group, fields]) => ({
    title: t.groups[group],
    isOpen: Boolean(tenant) || group === 'basics',
    fields: fields.map(shown),
  }));
}

/** What a new tenant's body has of a form: what is empty is left out. */
export function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && `${value}` !== ''));
}

export function changed(values, tenant) {
  const differs = ([name, value]) => JSON.stringify(value) !== JSON.stringify(tenant[name] ?? null);
  return Object.fromEntries(Object.entries(values).filter(differs));
}
