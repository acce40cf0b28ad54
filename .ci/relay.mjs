// Calls that a tenant's backend signs.

import { createHash, createHmac, randomUUID } from 'node:crypto';
import { call, expect, operator } from './foreign/service.mjs';

/** A tenant with the secret that it signs with. */
export async function signingTenant(name, configuration = {}) {
  const fields = { tenant_name: name, signing_version: 'v2', rate_limit_per_min: 1000, ...configuration };
  const made = await operator('provision/tenant', fields);
  return { id: made.tenant_id, secret: made.tenant_secret, webhookSecret: made.webhook_secret };
}

/** The answer to a call that is signed at that time: a POST if it has a body. */
export async function signed(tenant, path, body, headers = {}, at = Date.now()) {
  const [timestamp, nonce, target] = [`${at}`, randomUUID(), `/api/v1/relay/${path}`];
  const digest = createHash('sha256')
    .update(JSON.stringify(body) ?? '')
    .digest('hex');
  const text = `${timestamp}.${body === undefined ? 'GET' : 'POST'}.${target}.${nonce}.${digest}`;
  return call(target, body, {
    ...headers,
    'x-latchkey-tenant-id': tenant.id,
    'x-latchkey-timestamp': timestamp,
    'x-latchkey-nonce': nonce,
    'x-latchkey-signature': `v2=${createHmac('sha256', tenant.secret).update(text).digest('hex')}`,
  });
}

/** What a signed call gets that succeeds. */
export async function relay(tenant, path, body) {
  const answer = await signed(tenant, path, body);
  expect(answer.body.success, `${path}: ${answer.status} ${JSON.stringify(answer.body.error)}`);
  return answer.body.data;
}

/** What a tenant's receiver answers to an event that is signed with a webhook secret (Standard Webhooks). */
export async function received(site, flow, event, secret) {
  const [at, key, body] = [`${Math.floor(Date.now() / 1000)}`, secret.slice('whsec_'.length), JSON.stringify(event)];
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${event.event_id}.${at}.${body}`);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': event.event_id,
    'webhook-timestamp': at,
    'webhook-signature': `v1,${signature.digest('base64')}`,
  };
  return (await fetch(`${site}/relay-callbacks/${flow}`, { method: 'POST', body, headers })).status;
}
