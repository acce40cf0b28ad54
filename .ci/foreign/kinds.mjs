// Tokens of the kinds that are no user's, each as it is issued. All are signed with the tenant's key.

import { decodeJwt } from 'jose';
import { relay } from '../relay.mjs';
import { expect, legacyToken, scopedToken } from './service.mjs';

export async function otherKinds(tenant) {
  // For the same audience: only their scope is another.
  const scopes = {
    registered_tenant: await legacyToken(tenant),
    end_user: await scopedToken(tenant, { external_user_id: 'ada' }),
    account: await scopedToken(tenant),
  };
  for (const [scope, token] of Object.entries(scopes)) expect(decodeJwt(token).scope === scope, `no ${scope}`);
  const { pairing_proof: proof } = await relay(tenant, 'prepare-pairing', {
    user_socket_hash: 'socket',
    backend_user_id: 'ada',
    display_name: 'Ada',
    user_email: 'ada@example.com',
  });
  expect(decodeJwt(proof).aud !== tenant.id, 'a pairing proof for the audience of tokens');
  return { ...scopes, 'pairing proof': proof };
}
