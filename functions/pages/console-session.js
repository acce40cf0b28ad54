// The session of this browser, in IndexedDB: the only store that keeps a key which can't be read. A reload and another
// tab find it there.

const SESSIONS = 'sessions';
// A proxy has one address for all APIs that it signs for: each has a session of its own.
const ONLY = document.documentElement.dataset.base ?? 'only';

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within(mode, use) {
  const opening = indexedDB.open('latchkey-console', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(SESSIONS);
  const database = await settled(opening);
  try {
    return await settled(use(database.transaction(SESSIONS, mode).objectStore(SESSIONS)));
  } finally {
    database.close();
  }
}

const kept = () => within('readonly', (sessions) => sessions.get(ONLY));

/** The session, if it has not ended and its key is there: a restored backup has none. */
export async function find() {
  const session = await kept();
  const isGood = session?.keys?.privateKey instanceof CryptoKey && session.expiresAt > Date.now();
  if (session && !isGood) await forget(session.token);
  return isGood ? session : undefined;
}

export const save = (session) => within('readwrite', (sessions) => sessions.put(session, ONLY));

/** Deletes the session, unless another has taken its place by now. */
export async function forget(token) {
  if ((await kept())?.token === token) await within('readwrite', (sessions) => sessions.delete(ONLY));
}
