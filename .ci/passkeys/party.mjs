// What the checks with passkeys need: tenants that sign, pages that have passkeys, and virtual authenticators.

import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, operator, url } from '../foreign/service.mjs';
import { atEnd, until } from '../running.mjs';

export const RP_ID = 'localhost';

/** A tenant whose passkeys belong to `localhost`, with pages at these origins. */
export async function party(name, origins, rest = {}) {
  const { tenant_id: id, tenant_secret: secret } = await operator('provision/tenant', {
    tenant_name: name,
    webauthn_rp_id: RP_ID,
    webauthn_origins: origins,
    passkeys_enabled: true,
    rate_limit_per_min: 10_000,
    ...rest,
  });
  return { id, secret };
}

/** A signed call about passkeys: status, JSON and request id. */
export async function relay(tenant, path, fields) {
  const target = `/api/v1/relay/webauthn/${path}`;
  const [timestamp, nonce, body] = [`${Date.now()}`, randomUUID(), JSON.stringify(fields)];
  const digest = createHash('sha256').update(body).digest('hex');
  const signed = [timestamp, 'POST', target, nonce, digest].join('.');
  const headers = {
    'content-type': 'application/json',
    'x-latchkey-tenant-id': tenant.id,
    'x-latchkey-timestamp': timestamp,
    'x-latchkey-nonce': nonce,
    'x-latchkey-signature': `v2=${createHmac('sha256', tenant.secret).update(signed).digest('hex')}`,
  };
  const answer = await fetch(url + target, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) });
  return { status: answer.status, body: await answer.json(), requestId: answer.headers.get('x-request-id') };
}

/** Why the service's log says that a call was refused. */
export function causeOf({ requestId }) {
  return until(10, () => {
    const lines = readFileSync(process.env.SERVICE_LOG, 'utf8').split('\n');
    const line = lines.find((text) => text.includes(requestId) && text.includes('"cause"'));
    expect(line, `no cause of request ${requestId}`);
    return JSON.parse(line).cause;
  });
}

/** `data` of a call that has to be accepted. */
export async function accepted(tenant, path, fields) {
  const { status, body } = await relay(tenant, path, fields);
  expect(status === 200, `${path}: ${status} ${JSON.stringify(body)}`);
  return body.data;
}

// What a page does with options: the browser's answer as JSON, or the name of its error.
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Passkeys</title><script>
  async function ceremony(kind, json, changes, rest) {
    try {
      const parsed = kind === 'create'
        ? PublicKeyCredential.parseCreationOptionsFromJSON(json)
        : PublicKeyCredential.parseRequestOptionsFromJSON(json);
      const credential = await navigator.credentials[kind]({ publicKey: { ...parsed, ...changes }, ...rest });
      return { credential: credential.toJSON() };
    } catch (error) {
      return { error: error.name, message: error.message };
    }
  }
</script>`;

/** A server of that page, which can be opened by several names. Its port. */
export async function pages() {
  const server = createServer((request, response) => {
    const frame = new URL(request.url, 'http://localhost').searchParams.get('frame');
    const allow = 'publickey-credentials-create *; publickey-credentials-get *';
    response.setHeader('content-type', 'text/html');
    response.end(PAGE + (frame ? `<iframe allow="${allow}" src="${encodeURI(frame)}"></iframe>` : ''));
  }).listen(0, '127.0.0.1');
  atEnd(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  return server.address().port;
}

/** The authenticators of a page. */
export class Authenticators {
  static async of(page) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable', { enableUI: false });
    return Object.assign(new Authenticators(), { cdp, deleted: [] });
  }

  /** One as phones and computers have it built in, but for these options. */
  async add(options = {}) {
    const { authenticatorId } = await this.cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        ...options,
      },
    });
    return authenticatorId;
  }

  remove(authenticatorId) {
    return this.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  }

  /** Whether somebody touches it when it asks. */
  touched(authenticatorId, enabled) {
    return this.cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  }

  /** What it keeps. */
  async credentials(authenticatorId) {
    return (await this.cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  }

  /** Puts a passkey into it, private key and all. */
  restore(authenticatorId, credential) {
    return this.cdp.send('WebAuthn.addCredential', { authenticatorId, credential });
  }

  set(method, authenticatorId, rest) {
    return this.cdp.send(`WebAuthn.${method}`, { authenticatorId, ...rest });
  }
}
