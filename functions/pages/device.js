// This phone's pairings as they are kept and renewed.

import * as api from './api.js';
import { deviceName, platformCode } from './browser.js';
import { newKeys } from './proof.js';
import * as store from './store.js';

/** A session is renewed when less than this is left of its 30 days, in milliseconds. */
const RENEWED_BELOW = 15 * 24 * 60 * 60 * 1000;

/** Pairs this phone, with a key of its own. What it was paired with at the same tenant ends. */
export async function pair(handle, offered, name) {
  // Refused, the browser may delete the key one day. That is said when it has happened.
  await navigator.storage?.persist?.().catch(() => false);
  const former = await store.find(offered.tenant.id);
  const keys = await newKeys();
  const chosen = name.trim() || deviceName();
  const session = await api.register(keys, { handle, name: chosen, platform: platformCode() });
  const pairing = { ...session, keys, name: chosen, person: offered.person };
  await store.save(pairing);
  // It has no key any more that could use it, and the tenant can end it, too.
  if (former && hasKey(former)) await api.unpair(former).catch(() => undefined);
  return pairing;
}

/** Whether the key is there: a record that was restored from a backup has none. */
export function hasKey(pairing) {
  return pairing.keys?.privateKey instanceof CryptoKey;
}

/** The pairing with a session that is good for a while. One tab at a time: the session before is void. */
export function renewed(tenantId) {
  return navigator.locks.request(`latchkey ${tenantId}`, async () => {
    const pairing = await store.find(tenantId);
    if (!pairing || !hasKey(pairing)) throw new api.Refusal(401, 'key_gone');
    if (pairing.expiresAt - Date.now() > RENEWED_BELOW) return pairing;
    const next = { ...pairing, ...(await api.refresh(pairing)) };
    await store.save(next);
    return next;
  });
}

/** The pairing with something new, which is kept with it unless another tab has ended or replaced it. */
function changed(pairing, changes) {
  return navigator.locks.request(`latchkey ${pairing.tenant.id}`, async () => {
    const kept = await store.find(pairing.tenant.id);
    if (kept?.deviceId !== pairing.deviceId) return { ...pairing, ...changes };
    const next = { ...kept, ...changes };
    await store.save(next);
    return next;
  });
}

/** Gives this phone another name, here and at the service. */
export async function rename(pairing, name) {
  return changed(pairing, { name: await api.rename(pairing, name.trim() || deviceName()) });
}

/** Those of its person's devices that were added since the person saw the list: none before it was seen at all. */
export function added({ deviceId, known }, devices) {
  return known ? devices.filter((device) => device.deviceId !== deviceId && !known.includes(device.deviceId)) : [];
}

/** Remembers that the person has seen these devices. */
export function remember(pairing, devices) {
  return changed(pairing, { known: devices.map(({ deviceId }) => deviceId) });
}

/** Ends a pairing here and at the service. That it has ended there already is no obstacle. */
export async function unpair(pairing) {
  try {
    if (hasKey(pairing)) await api.unpair(pairing);
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  await store.remove(pairing.tenant.id);
}
