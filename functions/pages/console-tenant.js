// One tenant: what it is, what may be done to it, and its configuration.

import { Refusal, call, has } from './console-api.js';
import { changed, groups } from './console-config.js';
import { ask, form, show } from './console-forms.js';
import * as rules from './console-rules.js';
import { state } from './console-tenants.js';
import { t } from './console-texts.js';
import { button, code, copyButton, details, notice, paragraph, row, section, text, time } from './console-ui.js';
import { element } from './element.js';

/** Says something once the screen is there again. */
async function renewed(at, message) {
  await at.render();
  notice(message);
}

/** What is asked before a secret or a key is rotated. */
export function askRotation({ what, about, act }) {
  const { overlaps, overlap, overlapHint, submit, says, title } = t.rotate;
  ask({
    title: title(what),
    says: [...(about ? [about] : []), says],
    fields: [{ name: 'overlap', label: overlap, hint: overlapHint, type: 'select', options: overlaps }],
    submit,
    act: async (values, attempt) => {
      const body = values.overlap ? { overlap_seconds: Number(values.overlap) } : {};
      return act(body, attempt);
    },
  });
}

/** What becomes of the old one. */
export function afterRotation({ previous_valid_until: until }) {
  if (!until) return paragraph(t.rotate.gone);
  return element('p', {}, `${t.rotate.until}: `, time(until));
}

function rotateSecret(at) {
  askRotation({
    what: t.tenants.secret.toLowerCase(),
    act: async (body, attempt) => {
      const rotated = await call('rotateTenantSecret', { tenant_id: at.id, body, attempt });
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
  const { title, how, hint, ways, done, cached } = t.signing;
  ask({
    title,
    fields: [{ name: 'way', label: how, hint, type: 'select', options: ways }],
    submit: t.rotate.submit,
    kind: 'main',
    act: async ({ way }, attempt) => {
      const rotated = await call('rotateSigningKey', { tenant_id: at.id, body: way ? { [way]: true } : {}, attempt });
      const until = rotated.caches_may_refuse_until;
      return () => renewed(at, `${done(rotated.kid)} ${until ? cached(until) : ''}`);
    },
  });
}

function suspend(at) {
  const { title, says, reason: label, hint, done } = t.suspend;
  ask({
    title,
    says: [says],
    fields: [{ name: 'reason', label, hint, check: rules.name }],
    submit: t.overview.suspend,
    kind: 'main bad',
    act: async ({ reason }, attempt) => {
      await call('suspendTenant', { tenant_id: at.id, body: reason ? { reason } : {}, attempt });
      return () => renewed(at, done);
    },
  });
}

function reactivate(at) {
  ask({
    title: t.suspend.undo,
    says: [t.suspend.undoSays],
    submit: t.overview.reactivate,
    act: async (_, attempt) => {
      await call('reactivateTenant', { tenant_id: at.id, attempt });
      return () => renewed(at, t.suspend.undone);
    },
  });
}

function makeLink(at) {
  const { title, says, label, hint, submit, made, once, until } = t.link;
  ask({
    title,
    says: [says],
    fields: [{ name: 'label', label, hint, check: rules.name, required: true }],
    submit,
    act: async (body, attempt) => {
      const answer = await call('provisionConsoleLink', { tenant_id: at.id, body, attempt });
      return () =>
        show(
          made,
          paragraph(once, 'note'),
          ...(answer.link
            ? [element('output', { textContent: answer.link, 'aria-label': made }), copyButton(answer.link)]
            : [paragraph(t.secret.lost)]),
          details([
            [label, text(answer.label)],
            [until, time(answer.expires_at)],
          ]),
        );
    },
  });
}

const KINDS = { user_id: rules.uuid, organization_id: rules.uuid, key_id: rules.keyId, external_user_id: rules.externalId };

/** Asks whose tokens are revoked: `kind` and `id` are what it begins with. */
export function askTokens(at, kind = 'external_user_id', id = '') {
  const { title, says, whose, kinds, hint, submit, done, unknown } = t.tokens;
  ask({
    title,
    says: [says],
    fields: [
      { name: 'kind', label: whose, type: 'select', options: Object.entries(kinds), value: kind },
      { name: 'id', label: t.tokens.id, hint, value: id },
    ],
    submit,
    kind: 'main bad',
    act: async (values, attempt) => {
      const body = { [values.kind]: values.kind === 'all' ? true : (values.id ?? '') };
      const problem = values.kind !== 'all' && (values.id ? KINDS[values.kind](values.id) : t.rules.required);
      if (problem) throw new Refusal(422, 'invalid_field', problem, 'id');
      try {
        const { known } = await call('revokeTokens', { tenant_id: at.id, body, attempt });
        return () => notice(known ? done : unknown);
      } catch (error) {
        // In the form it is one field, whatever it names.
        if (error.field) error.field = 'id';
        throw error;
      }
    },
  });
}

export async function overview(at) {
  const { tenant } = at;
  const o = t.overview;
  const isSuspended = tenant.status === 'suspended';
  const isRotating = Date.parse(tenant.previous_secret_valid_until) > Date.now();
  const may = (name, label, act, kind = '') => has(name) && button(label, kind, () => act(at));
  const facts = details([
    [t.tenants.state, state(tenant.status)],
    [o.suspended, isSuspended ? time(tenant.suspended_at) : undefined],
    [o.reason, isSuspended ? tenant.suspended_reason && text(tenant.suspended_reason) : undefined],
    [t.tenants.id, [code(tenant.tenant_id), ' ', copyButton(tenant.tenant_id, t.tenants.id)]],
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
  ]);
  const wide = details([
    [o.wideCall, time(tenant.last_account_wide_call_at)],
    [o.wideToken, time(tenant.last_account_wide_token_at)],
  ]);
  const actions = [
    may('provisionConsoleLink', o.link, makeLink),
    may('revokeTokens', o.tokens, (of) => askTokens(of)),
    isSuspended ? may('reactivateTenant', o.reactivate, reactivate, 'main') : may('suspendTenant', o.suspend, suspend, 'bad'),
  ];
  const rotations = [
    may('rotateTenantSecret', o.rotateSecret, rotateSecret),
    may('rotateSigningKey', o.rotateSigning, rotateSigningKey),
  ];
  return {
    actions: actions.filter(Boolean),
    shown: [
      section(o.facts, facts),
      section(o.credentials, credentials, row(...rotations)),
      section(o.wide, wide),
    ],
  };
}

export async function settings(at) {
  const save = async (body, attempt, force) => {
    await call('updateTenant', { tenant_id: at.id, force, body, attempt });
    return () => renewed(at, t.settings.done);
  };
  const made = form({
    groups: groups(at.tenant),
    submit: t.settings.save,
    act: async (values, attempt) => {
      const body = changed(values, at.tenant);
      if (Object.keys(body).length === 0) return notice(t.settings.same);
      try {
        await (await save(body, attempt))();
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
