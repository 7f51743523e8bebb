// SHA-256 (FIPS 180-4) whose state can be stored. A restore hashes a backup in many calls, over which a restart loses every object of
// the platform's own hashes. It finds damage. It keeps no secret.

/** The hash of the bytes so far. */
export type Sha256State = {
  /** Eight words in hex digits. */
  readonly words: string;
  readonly byteCount: number;
  /** The last bytes, fewer than a block of 64, in hex digits. */
  readonly rest: string;
};

const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, d) => d).some((d) => d > 1 && n % d === 0),
);

/** Returns the first 32 bits of the fraction of `root`. */
function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
}

const CONSTANTS = Int32Array.from(PRIMES.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));

export const SHA256_START: Sha256State = {
  words: hexOf(
    PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    8,
  ),
  byteCount: 0,
  rest: "",
};

/** Returns the hash of the bytes so far and of `bytes`. */
export function addToSha256({ words, byteCount, rest }: Sha256State, bytes: Uint8Array): Sha256State {
  const kept = numbersIn(rest, 2);
  const all = new Uint8Array(kept.length + bytes.length);
  all.set(kept);
  all.set(bytes, kept.length);
  const hash = Int32Array.from(numbersIn(words, 8));
  const end = all.length - (all.length % 64);
  const schedule = new Int32Array(64);
  const view = new DataView(all.buffer);
  for (let offset = 0; offset < end; offset += 64) addBlock(hash, schedule, view, offset);
  return { words: hexOf(hash, 8), byteCount: byteCount + bytes.length, rest: hexOf(all.subarray(end)) };
}

/** Returns the hash in 64 hex digits. */
export function sha256Hex(state: Sha256State): string {
  const padding = new Uint8Array(((119 - (state.byteCount % 64)) % 64) + 9);
  padding[0] = 0x80;
  new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(state.byteCount) * 8n);
  return addToSha256(state, padding).words;
}

/** Returns numbers in hex digits: bytes, unless each has more digits. */
export function hexOf(numbers: Iterable<number>, digits = 2): string {
  return Array.from(numbers, (number) => (number >>> 0).toString(16).padStart(digits, "0")).join("");
}

function numbersIn(hex: string, digits: number): number[] {
  return Array.from({ length: hex.length / digits }, (_, index) => Number.parseInt(hex.slice(index * digits, (index + 1) * digits), 16));
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function addBlock(hash: Int32Array, schedule: Int32Array, view: DataView, offset: number): void {
  const at = (index: number): number => schedule[index] ?? 0;
  for (let index = 0; index < 16; index += 1) schedule[index] = view.getInt32(offset + index * 4);
  for (let index = 16; index < 64; index += 1) {
    const [early, late] = [at(index - 15), at(index - 2)];
    const low = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const high = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    schedule[index] = at(index - 16) + low + at(index - 7) + high;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + (CONSTANTS[index] ?? 0) + at(index)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
    [h, g, f, e] = [g, f, e, (d + first) | 0];
    [d, c, b, a] = [c, b, a, (first + second) | 0];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) hash[index] = (hash[index] ?? 0) + word;
}
