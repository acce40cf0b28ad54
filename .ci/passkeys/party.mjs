// What the checks with passkeys need: tenants that sign, pages that have passkeys, and virtual authenticators.

import { readFileSync } from 'node:fs';
import { expect } from '../foreign/service.mjs';
import { signed, signingTenant } from '../relay.mjs';
import { listen, until } from '../running.mjs';

export const RP_ID = 'localhost';

/** A tenant whose passkeys belong to `localhost`, with pages at these origins. */
export function party(name, origins, rest = {}) {
  const passkeys = { webauthn_rp_id: RP_ID, webauthn_origins: origins, passkeys_enabled: true };
  return signingTenant(name, { rate_limit_per_min: 10_000, ...passkeys, ...rest });
}

/** A signed call about passkeys: status, JSON and request id. */
export function relay(tenant, path, fields) {
  return signed(tenant, `webauthn/${path}`, fields);
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
  const origin = await listen((request, response) => {
    const frame = new URL(request.url, 'http://localhost').searchParams.get('frame');
    const allow = 'publickey-credentials-create *; publickey-credentials-get *';
    response.setHeader('content-type', 'text/html');
    response.end(PAGE + (frame ? `<iframe allow="${allow}" src="${encodeURI(frame)}"></iframe>` : ''));
  });
  return Number(new URL(origin).port);
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
