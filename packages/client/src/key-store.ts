// Where the idempotency keys of claims without a final answer are kept.

/** Returns a fresh key of 32 hexadecimal digits. A page without HTTPS has no `crypto.randomUUID`. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keeps a text for a name. Each function may return a promise. */
export type KeyStore = {
  get(name: string): string | null | undefined | Promise<string | null | undefined>;
  set(name: string, key: string): void | Promise<void>;
  delete(name: string): void | Promise<void>;
};

/** What `localStorage` and `sessionStorage` are. */
export type TextStorage = {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
  removeItem(name: string): void;
};

const KEYS_MAX = 10_000;

/** Keeps keys in memory, at most 10,000. A reload of the page forgets them. */
export function memoryKeys(): KeyStore {
  const keys = new Map<string, string>();
  return {
    get: (name) => keys.get(name),
    set(name, key) {
      keys.set(name, key);
      const [oldest] = keys.keys();
      if (keys.size > KEYS_MAX && oldest !== undefined) keys.delete(oldest);
    },
    delete: (name) => void keys.delete(name),
  };
}

/**
 * Keeps keys in `localStorage` or `sessionStorage`, so that a reloaded page retries with the same key. Where the
 * browser refuses, as in some private windows, memory keeps them.
 */
export function storageKeys(storage: () => TextStorage = () => localStorage): KeyStore {
  const memory = memoryKeys();
  function attempt<T>(use: (of: TextStorage) => T): T | null {
    try {
      return use(storage());
    } catch {
      return null;
    }
  }
  return {
    get: (name) => memory.get(name) ?? attempt((of) => of.getItem(name)),
    set(name, key) {
      void memory.set(name, key);
      attempt((of) => of.setItem(name, key));
    },
    delete(name) {
      void memory.delete(name);
      attempt((of) => of.removeItem(name));
    },
  };
}
