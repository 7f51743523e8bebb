// The pseudonyms of erased users, and what they stand for.

import { createHmac } from "node:crypto";

const PSEUDONYM = /^erased:[0-9a-f]{32}$/;

export function isPseudonym(text: string): boolean {
  return PSEUDONYM.test(text);
}

/** The names of one coupon: pseudonyms by its key, and what they stand for. */
export class Pseudonyms {
  readonly #key: string | null;
  readonly #texts = new Map<string, string>();

  /** `key` is the coupon's stored one, null while no user is erased. */
  constructor(key: string | null) {
    this.#key = key;
  }

  /** The pseudonym of a text. */
  of(text: string): string {
    if (this.#key === null) return text;
    const pseudonym = `erased:${createHmac("sha256", this.#key).update(text).digest("hex").slice(0, 32)}`;
    this.#texts.set(pseudonym, text);
    return pseudonym;
  }

  /** The pseudonym of a user's idempotency key. */
  ofKey(userId: string, key: string): string {
    const pseudonym = this.of(JSON.stringify([userId, key]));
    this.#texts.set(pseudonym, key);
    return pseudonym;
  }

  /** What a pseudonym stands for, if it was asked for; any other text as it is. */
  textOf(name: string): string {
    return this.#texts.get(name) ?? name;
  }
}
