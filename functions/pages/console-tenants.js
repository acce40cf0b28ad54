// Tenants: the list, how one is made, what it is, what may be done to it, and its configuration.

import { Refusal, call, has, pages } from './console-api.js';
import { changed, given, groups } from './console-config.js';
import { ask, form, show } from './console-forms.js';
import * as rules from './console-rules.js';
import { t } from './console-texts.js';
import {
  badge,
  button,
  chooser,
  code,
  copyButton,
  details,
  element,
  labelled,
  link,
  list,
  notice,
  paragraph,
  place,
  row,
  section,
  shownOnce,
  text,
  time,
} from './console-ui.js';

const TYPED = 250;
// Kept for whoever comes back from a tenant.
const wanted = { search: '', status: '', limit: 50 };

export async function tenants(at) {
  const columns = [
    [t.name, ({ tenant_id: id, tenant_name }) => link(`#/t/${id}/overview`, text(tenant_name))],
    [t.state, ({ status }) => state(status)],
    [t.id, ({ tenant_id }) => code(tenant_id)],
    [t.tenants.rate, (tenant) => `${tenant.rate_limit_per_min}`],
    [t.tenants.created, (tenant) => time(tenant.created_at)],
  ];
  const { made, look } = place(() => {
    const isAll = !wanted.search && !wanted.status;
    const title = element('h2', { textContent: isAll ? t.tenants.empty : t.tenants.noMatch });
    const empty = [title, isAll ? paragraph(t.tenants.emptySays) : ''];
    return list({ label: t.screens.tenants, columns, load: pages('fetch/tenants', 'tenants', wanted), empty });
  });
  const search = element('input', { id: 'search', type: 'search', autocomplete: 'off', value: wanted.search });
  let typed;
  search.oninput = () => {
    wanted.search = search.value.trim();
    clearTimeout(typed);
    typed = setTimeout(look, TYPED);
  };
  const statuses = [['', t.any], ...Object.entries(t.tenants.statuses)];
  const status = chooser('with-status', t.state, statuses, wanted.status, (chosen) => {
    wanted.status = chosen;
    return look();
  });
  await look();
  const filters = element('div', { className: 'filters', role: 'search' }, labelled(t.tenants.search, search), status);
  return { actions: [button(t.screens.new, 'main', () => at.go('#/new'))], shown: [filters, made] };
}

const state = (status) => badge(status === 'active' ? 'good' : 'bad', t.tenants.statuses[status] ?? status);

export async function create(at) {
  const made = form({
    groups: groups(),
    submit: t.tenants.create,
    cancel: button(t.cancel, '', () => at.go('#/tenants')),
    act: async (values, attempt) => {
      const tenant = await call('provision/tenant', { body: given(values), attempt });
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

export async function renewed(at, message, kind) {
  await at.render();
  notice(message, kind);
}

export function change(at, path, { bodyOf = () => undefined, key_id, done, ...asked }) {
  ask({
    ...asked,
    act: async (values, attempt) => {
      const answer = await call(path, { tenant_id: at.id, key_id, body: bodyOf(values), attempt });
      return () => renewed(at, done(answer));
    },
  });
}

export function askRotation({ what, about, act }) {
  const { overlaps, overlap, overlapHint, submit, says, title } = t.rotate;
  ask({
    title: title(what),
    says: [...(about ? [about] : []), says],
    fields: [{ name: 'overlap', label: overlap, hint: overlapHint, type: 'select', options: overlaps }],
    submit,
    act: (values, attempt) => act(values.overlap ? { overlap_seconds: Number(values.overlap) } : {}, attempt),
  });
}

export function afterRotation({ previous_valid_until: until }) {
  if (!until) return paragraph(t.rotate.gone);
  return element('p', {}, `${t.rotate.until}: `, time(until));
}

function rotateSecret(at) {
  askRotation({
    what: t.tenants.secret.toLowerCase(),
    act: async (body, attempt) => {
      const rotated = await call('rotate/tenant-secret', { tenant_id: at.id, body, attempt });
      return () =>
        at.secret({
          title: t.rotate.newSecret,
          values: [
            [t.tenants.secret, rotated.tenant_secret, t.tenants.secretSays],
            [t.tenants.webhook, rotated.webhook_secret, t.tenants.webhookSays],
          ],
          more: [afterRotation(rotated)],
          next: `#/t/${at.id}/overview`,
        });
    },
  });
}

function rotateSigningKey(at) {
  const { title, how, hint, ways, done } = t.signing;
  change(at, 'rotate/signing-key', {
    title,
    fields: [{ name: 'way', label: how, hint, type: 'select', options: ways }],
    submit: t.rotate.submit,
    bodyOf: ({ way }) => (way ? { [way]: true } : {}),
    done: ({ kid, caches_may_refuse_until: until }) => done(kid, until),
  });
}

function suspend(at) {
  const { title, says, reason, hint, done } = t.suspend;
  change(at, 'suspend/tenant', {
    title,
    says: [says],
    fields: [{ name: 'reason', label: reason, hint, check: rules.name }],
    submit: t.overview.suspend,
    kind: 'main bad',
    bodyOf: (values) => values,
    done: () => done,
  });
}

function reactivate(at) {
  const { undo, undoSays, undone } = t.suspend;
  change(at, 'reactivate/tenant', { title: undo, says: [undoSays], submit: t.overview.reactivate, done: () => undone });
}

function makeLink(at) {
  const { title, says, label, hint, submit, made, once, until } = t.link;
  ask({
    title,
    says: [says],
    fields: [{ name: 'label', label, hint, check: rules.name, required: true }],
    submit,
    act: async (body, attempt) => {
      const answer = await call('provision/console-link', { tenant_id: at.id, body, attempt });
      return () =>
        show(
          made,
          paragraph(once, 'note'),
          ...shownOnce(made, answer.link ?? (answer.code && t.link.address(answer.code))),
          details([
            [label, text(answer.label)],
            [until, time(answer.expires_at)],
          ]),
        );
    },
  });
}

const { uuid, keyId, externalId } = rules;
const KINDS = { user_id: uuid, organization_id: uuid, key_id: keyId, external_user_id: externalId };

/** Asks whose tokens are revoked: `kind` and `id` are what it begins with. */
export function askTokens(at, kind = 'external_user_id', id = '') {
  const { title, says, whose, kinds, hint, submit, done, unknown } = t.tokens;
  change(at, 'revoke/tokens', {
    title,
    says: [says],
    fields: [
      { name: 'kind', label: whose, type: 'select', options: Object.entries(kinds), value: kind },
      { name: 'id', label: t.id, hint, value: id },
    ],
    submit,
    kind: 'main bad',
    bodyOf: (values) => {
      if (values.kind === 'all') return { all: true };
      const problem = values.id ? KINDS[values.kind](values.id) : t.rules.required;
      if (problem) throw new Refusal(422, 'invalid_field', problem, 'id');
      return { [values.kind]: values.id };
    },
    done: ({ known }) => (known ? done : unknown),
  });
}

export async function overview(at) {
  const { tenant } = at;
  const o = t.overview;
  const isSuspended = tenant.status === 'suspended';
  const isRotating = Date.parse(tenant.previous_secret_valid_until) > Date.now();
  const may = (name, label, act, kind = '') => has(name) && button(label, kind, () => act(at));
  const facts = details([
    [t.state, state(tenant.status)],
    [t.tenants.statuses.suspended, isSuspended ? time(tenant.suspended_at) : undefined],
    [t.suspend.reason, isSuspended ? tenant.suspended_reason && text(tenant.suspended_reason) : undefined],
    [t.id, [code(tenant.tenant_id), ' ', copyButton(tenant.tenant_id, t.id)]],
    [o.project, tenant.project_id && [code(tenant.project_id), ' ', copyButton(tenant.project_id, o.project)]],
    [t.tenants.rate, `${tenant.rate_limit_per_min}`],
    [o.strikes, `${tenant.abuse_strikes}`],
    [t.tenants.created, time(tenant.created_at)],
    [o.updated, time(tenant.updated_at)],
  ]);
  const used = tenant.previous_secret_last_used_at;
  const credentials = details([
    [o.rotated, time(tenant.secret_rotated_at)],
    [o.previous, isRotating ? time(tenant.previous_secret_valid_until) : undefined],
    [o.previousUsed, isRotating ? (used ? time(used) : o.nobody) : undefined],
    [o.kid, code(tenant.signing_kid)],
    [o.standby, tenant.standby_kid && code(tenant.standby_kid)],
    [o.ready, time(tenant.standby_promotable_at)],
    [o.revokedBefore, time(tenant.tokens_revoked_before)],
    [o.wideCall, time(tenant.last_account_wide_call_at)],
    [o.wideToken, time(tenant.last_account_wide_token_at)],
  ]);
  const actions = [
    may('provision/console-link', o.link, makeLink),
    may('revoke/tokens', o.tokens, (of) => askTokens(of)),
    isSuspended
      ? may('reactivate/tenant', o.reactivate, reactivate, 'main')
      : may('suspend/tenant', o.suspend, suspend, 'bad'),
  ];
  const rotations = [
    may('rotate/tenant-secret', o.rotateSecret, rotateSecret),
    may('rotate/signing-key', o.rotateSigning, rotateSigningKey),
  ];
  return {
    actions: actions.filter(Boolean),
    shown: [section(o.facts, facts), section(o.credentials, credentials, row(...rotations))],
  };
}

export async function settings(at) {
  const save = async (body, attempt, force) => {
    await call('update/tenant', { tenant_id: at.id, force, body, attempt });
    return () => renewed(at, t.settings.done);
  };
  const made = form({
    groups: groups(at.tenant),
    submit: t.settings.save,
    act: async (values, attempt) => {
      const body = changed(values, at.tenant);
      if (Object.keys(body).length === 0) return notice(t.settings.same);
      try {
        await (
          await save(body, attempt)
        )();
      } catch (error) {
        if (error.code !== 'passkeys_in_use') throw error;
        ask({
          title: t.settings.inUse,
          says: [t.settings.inUseSays],
          submit: t.settings.force,
          kind: 'main bad',
          act: (_, again) => save(body, again, true),
        });
      }
    },
  });
  return { shown: [paragraph(t.settings.says, 'quiet'), made] };
}
