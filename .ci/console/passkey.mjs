// A passkey of somebody's, which an authenticator of our own has made.

import { Authenticator } from '../clients/gateway.mjs';
import { operator } from '../foreign/service.mjs';
import { relay } from '../relay.mjs';

const ORIGIN = 'https://app.example.com';

/** Registers a passkey of that person with the tenant, which gets a relying party for it. */
export async function passkey(of, user, name) {
  const settings = { webauthn_rp_id: 'example.com', webauthn_origins: [ORIGIN], passkeys_enabled: true };
  await operator(`update/tenant?tenant_id=${of.id}`, settings);
  const asked = { backend_user_id: user, browser_origin: ORIGIN, username: `${user}@example.com` };
  const options = await relay(of, 'webauthn/register/options', asked);
  const credential = new Authenticator().register(options, ORIGIN);
  await relay(of, 'webauthn/register/verify', { browser_origin: ORIGIN, credential, name });
}
