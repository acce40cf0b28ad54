// The tokens that every verifier gets: one that it has to accept, and those that it must refuse.

import { decodeProtectedHeader } from 'jose';
import { otherKinds } from '../foreign/kinds.mjs';
import { forgeries, provision, userToken } from '../foreign/service.mjs';

export const GOOD = 'a token';

/** The tenant, the key that signs its tokens, and the tokens by what they are. */
export async function presented() {
  const [tenant, other] = [await provision('Verifiers'), await provision('Other')];
  const token = await userToken(tenant);
  const bad = { ...(await forgeries(tenant, other)), ...(await otherKinds(tenant)) };
  return { tenant, kid: decodeProtectedHeader(token).kid, tokens: { [GOOD]: token, ...bad } };
}
