/** Drafts and edits on their way, kept in this browser so that neither a crash nor a lost connection costs a word. */

const name = 'earwitness';
const version = 1;
export type Store = 'drafts' | 'outbox';

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const r = indexedDB.open(name, version);
    r.onupgradeneeded = () => {
      for (const store of ['drafts', 'outbox'] satisfies Store[]) {
        if (!r.result.objectStoreNames.contains(store)) r.result.createObjectStore(store, { keyPath: 'key' });
      }
    };
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  }).catch((e: unknown) => {
    opened = undefined; // a later try may find the disk free again
    throw e;
  });
  return opened;
}

/** Puts a record; durable when it resolves. */
export function put(store: Store, record: { key: string }): Promise<void> {
  return change(store, (s) => s.put(record));
}

export function remove(store: Store, key: string): Promise<void> {
  return change(store, (s) => s.delete(key));
}

/** All records whose key begins so, in the order of their keys. */
export async function all<T extends { key: string }>(store: Store, prefix: string): Promise<T[]> {
  const db = await open();
  return new Promise((resolve, reject) => {
    const r = db.transaction(store).objectStore(store).getAll(IDBKeyRange.bound(prefix, prefix + '\uffff'));
    r.onsuccess = () => resolve(r.result as T[]);
    r.onerror = () => reject(r.error);
  });
}

async function change(store: Store, f: (s: IDBObjectStore) => IDBRequest): Promise<void> {
  const db = await open();
  return new Promise((resolve, reject) => {
    // An edit survives a power cut; of a draft, whose every key stroke is a write, a crash of the browser is enough.
    const t = db.transaction(store, 'readwrite', { durability: store === 'outbox' ? 'strict' : 'relaxed' });
    f(t.objectStore(store));
    t.oncomplete = () => resolve();
    t.onerror = () => reject(t.error);
    t.onabort = () => reject(t.error);
  });
}
