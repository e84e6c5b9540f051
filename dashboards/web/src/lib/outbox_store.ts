/**
 * Where the outbox is kept on the phone: one value in IndexedDB, changed in one transaction, so that two tabs never give one
 * number to two readings. Without IndexedDB (a private window may refuse it) nothing is taken: it would be lost.
 */
import { EMPTY, type Outbox } from './outbox';

const DATABASE = 'hemu';
const STORE = 'outbox';
const KEY = 'outbox';

export interface OutboxStore {
  read(): Promise<Outbox>;
  /** Changes it as a whole; what it is afterwards. `change` may run later, and must not wait. */
  update(change: (box: Outbox) => Outbox): Promise<Outbox>;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB does not open'));
  });
}

export class PhoneStore implements OutboxStore {
  #database: Promise<IDBDatabase> | null = null;

  read(): Promise<Outbox> {
    return this.#change('readonly', (box) => box);
  }

  update(change: (box: Outbox) => Outbox): Promise<Outbox> {
    return this.#change('readwrite', change);
  }

  async #change(mode: IDBTransactionMode, change: (box: Outbox) => Outbox): Promise<Outbox> {
    this.#database ??= open();
    const database = await this.#database.catch((error: unknown) => {
      // The next attempt may succeed.
      this.#database = null;
      throw error;
    });
    return new Promise((resolve, reject) => {
      // On the disk before it is told: a battery may end in this moment.
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const store = transaction.objectStore(STORE);
      let box = EMPTY;
      const kept = store.get(KEY);
      kept.onsuccess = () => {
        try {
          box = change((kept.result as Outbox | undefined) ?? EMPTY);
          if (mode === 'readwrite') store.put(box, KEY);
        } catch (error) {
          transaction.abort();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      transaction.oncomplete = () => resolve(box);
      transaction.onabort = () => reject(transaction.error ?? new Error('the phone did not keep it'));
    });
  }
}
