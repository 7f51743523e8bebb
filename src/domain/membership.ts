// A set of texts that can be handed around: exact while it is small, a Bloom filter once it is large. It never denies a member.

import { MEMBERS_EXACT_MAX, MEMBERSHIP_BITS_PER_TEXT, MEMBERSHIP_BYTES_MAX, MEMBERSHIP_BYTES_MIN } from "./limits.ts";

/** The texts themselves, or the bits of a Bloom filter over them, whose number is a power of two. */
export type Membership = readonly string[] | Uint8Array;

/** Bits set for each text: with {@link MEMBERSHIP_BITS_PER_TEXT} bits a text, ten give the fewest false positives. */
const HASH_COUNT = 10;

/** Gathers texts. */
export class Members {
  readonly #expectedCount: number;
  /** Those of them that were told apart from all before. */
  #count = 0;
  #texts: Set<string> | null = new Set();
  #bits: Uint8Array | null = null;

  /** `expectedCount` texts will fit. Some more are taken until {@link Members.isFull}. */
  constructor(expectedCount: number) {
    this.#expectedCount = expectedCount;
  }

  /** Whether one more would make false positives more frequent than one in a thousand. */
  get isFull(): boolean {
    return this.#bits !== null && this.#count * MEMBERSHIP_BITS_PER_TEXT >= this.#bits.length * 8;
  }

  /** Whether no larger filter may be made than this one. */
  get isLargest(): boolean {
    return this.#bits !== null && this.#bits.length >= MEMBERSHIP_BYTES_MAX;
  }

  add(text: string): void {
    if (this.#bits !== null) {
      if (setBits(this.#bits, text)) this.#count += 1;
      return;
    }
    this.#texts?.add(text);
    if (this.#texts !== null && this.#texts.size > MEMBERS_EXACT_MAX) this.#becomeFilter(this.#texts);
  }

  /** The set as it is now, to be handed on. */
  membership(): Membership {
    return this.#bits ?? Array.from(this.#texts ?? []);
  }

  #becomeFilter(texts: ReadonlySet<string>): void {
    const bytes = Math.max(this.#expectedCount, texts.size) * (MEMBERSHIP_BITS_PER_TEXT / 8);
    const size = Math.min(Math.max(2 ** Math.ceil(Math.log2(bytes)), MEMBERSHIP_BYTES_MIN), MEMBERSHIP_BYTES_MAX);
    this.#bits = new Uint8Array(size);
    this.#texts = null;
    for (const text of texts) this.add(text);
  }
}

/** Answers a function that tells whether a text may be in the set: false is certain. */
export function mayContain(membership: Membership): (text: string) => boolean {
  if (membership instanceof Uint8Array) return (text) => hasBits(membership, text);
  const texts = new Set(membership);
  return (text) => texts.has(text);
}

/** What a set takes in memory, in bytes. */
export function bytesOf(membership: Membership): number {
  if (membership instanceof Uint8Array) return membership.length;
  return membership.reduce((sum, text) => sum + text.length * 2, 0);
}

/** Sets the bits of `text`; answers whether one of them was not set yet. */
function setBits(bits: Uint8Array, text: string): boolean {
  const [first, step] = hashesOf(text);
  let isNew = false;
  for (let index = 0; index < HASH_COUNT; index += 1) {
    const bit = bitAt(bits, first, step, index);
    const byte = bits[bit >>> 3] ?? 0;
    const mask = 1 << (bit & 7);
    isNew ||= (byte & mask) === 0;
    bits[bit >>> 3] = byte | mask;
  }
  return isNew;
}

function hasBits(bits: Uint8Array, text: string): boolean {
  const [first, step] = hashesOf(text);
  for (let index = 0; index < HASH_COUNT; index += 1) {
    const bit = bitAt(bits, first, step, index);
    if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Two hashes stand for all ten (source: Kirsch and Mitzenmacher, "Less hashing, same performance"). An odd step meets every bit. */
function bitAt(bits: Uint8Array, first: number, step: number, index: number): number {
  return ((first + Math.imul(step | 1, index)) >>> 0) & (bits.length * 8 - 1);
}

/** Two 32-bit hashes over the UTF-16 units, finished as MurmurHash3 does. Not secret: a forged hit costs the forger a hop. */
function hashesOf(text: string): readonly [number, number] {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    first = Math.imul(first ^ unit, 0x9e3779b1);
    second = Math.imul(second ^ unit, 0x5f356495);
  }
  return [finish(first ^ (second >>> 15)), finish(second ^ (first >>> 15))];
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const again = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (again ^ (again >>> 16)) >>> 0;
}
