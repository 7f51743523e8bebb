// A set of texts that fits into a message: exact if it is small, otherwise a Bloom filter. It has no false
// negatives.

import { BLOOM_BITS_PER_MEMBER, BLOOM_BYTES_MAX, BLOOM_BYTES_MIN, EXACT_MEMBERS_MAX } from "./limits.ts";

/** The texts themselves, or the bits of a Bloom filter over them. The number of bits is a power of two. */
export type BloomFilter = readonly string[] | Uint8Array;

/** Bits set for each text: ten give the fewest false positives with {@link BLOOM_BITS_PER_MEMBER}. */
const HASH_COUNT = 10;

/** Builds a {@link BloomFilter}. */
export class BloomFilterBuilder {
  readonly #expectedCount: number;
  readonly #texts = new Set<string>();
  #bits: Uint8Array | null = null;
  #count = 0;

  /** With `expectedCount` texts, at most one other text in a thousand is a false positive. */
  constructor(expectedCount: number) {
    this.#expectedCount = expectedCount;
  }

  /** Texts added so far. A text that the filter already seemed to contain is not counted. */
  get count(): number {
    return this.#count;
  }

  /** Whether one more text would raise the false positives above one in a thousand. */
  get isFull(): boolean {
    return this.#bits !== null && this.#count * BLOOM_BITS_PER_MEMBER >= this.#bits.length * 8;
  }

  /** Whether the filter has the largest size that is sent. */
  get isLargest(): boolean {
    return this.#bits !== null && this.#bits.length >= BLOOM_BYTES_MAX;
  }

  /** Adds `text`. Returns whether that changed the set. */
  add(text: string): boolean {
    const isNew = this.#bits === null ? !this.#texts.has(text) : setBits(this.#bits, text);
    if (!isNew) return false;
    this.#count += 1;
    if (this.#bits === null) {
      this.#texts.add(text);
      if (this.#texts.size > EXACT_MEMBERS_MAX) this.#toBits();
    }
    return true;
  }

  /** Returns the set as it is now. */
  build(): BloomFilter {
    return this.#bits ?? Array.from(this.#texts);
  }

  #toBits(): void {
    const bytes = Math.max(this.#expectedCount, this.#texts.size) * (BLOOM_BITS_PER_MEMBER / 8);
    this.#bits = new Uint8Array(Math.min(Math.max(2 ** Math.ceil(Math.log2(bytes)), BLOOM_BYTES_MIN), BLOOM_BYTES_MAX));
    for (const text of this.#texts) setBits(this.#bits, text);
    this.#texts.clear();
  }
}

/** Returns a function that says whether a text may be in the set. False is certain. */
export function mayContain(filter: BloomFilter): (text: string) => boolean {
  if (filter instanceof Uint8Array) return (text) => hasBits(filter, text);
  const texts = new Set(filter);
  return (text) => texts.has(text);
}

/** Returns the memory that a set takes, in bytes. */
export function bytesOf(filter: BloomFilter): number {
  if (filter instanceof Uint8Array) return filter.length;
  return filter.reduce((sum, text) => sum + text.length * 2, 0);
}

/** Sets the bits of `text`. Returns whether one of them was not set before. */
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

/**
 * Ten hashes, derived from two (source: Kirsch and Mitzenmacher, "Less hashing, same performance"). The step
 * is odd, so it reaches every bit.
 */
function bitAt(bits: Uint8Array, first: number, step: number, index: number): number {
  return ((first + Math.imul(step | 1, index)) >>> 0) & (bits.length * 8 - 1);
}

/**
 * Two 32-bit hashes over the UTF-16 units, finished as MurmurHash3 does. They are not secret: a forged false
 * positive only costs its own caller a call of the object.
 */
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
