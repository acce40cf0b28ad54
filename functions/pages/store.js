// The pairings of this phone, in IndexedDB: the only store that keeps a key which can't be read. One a tenant.

const NAME = 'latchkey';
const PAIRINGS = 'pairings';

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within(mode, use) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(PAIRINGS, { keyPath: 'tenant.id' });
  const database = await settled(opening);
  try {
    const transaction = database.transaction(PAIRINGS, mode, { durability: 'strict' });
    const result = await settled(use(transaction.objectStore(PAIRINGS)));
    if (mode === 'readwrite') {
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
    return result;
  } finally {
    database.close();
  }
}

export const all = () => within('readonly', (pairings) => pairings.getAll());
export const find = (tenantId) => within('readonly', (pairings) => pairings.get(tenantId));
export const save = (pairing) => within('readwrite', (pairings) => pairings.put(pairing));
export const remove = (tenantId) => within('readwrite', (pairings) => pairings.delete(tenantId));
