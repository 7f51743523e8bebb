// HMAC-SHA-256 (RFC 2104, FIPS 180-4), because the platform's own is asynchronous and the rules are not.

const BLOCK_BYTES = 64;

const PRIMES = Array.from({ length: 312 }, (_, index) => index).filter(isPrime);
/** The first 32 bits of the fractional part of `root` of each of the first primes. */
const fractions = (count: number, root: (prime: number) => number): number[] =>
  PRIMES.slice(0, count).map((prime) => ((root(prime) % 1) * 2 ** 32) | 0);
const INITIAL = fractions(8, Math.sqrt);
const ROUND = Int32Array.from(fractions(64, Math.cbrt));

/** Returns the 32 bytes of the HMAC. A key of more than 64 bytes is a bug. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  if (key.length > BLOCK_BYTES) throw new RangeError("the key is longer than a block");
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key);
  const padded = (pad: number): Uint8Array => block.map((byte) => byte ^ pad);
  return sha256(joined(padded(0x5c), sha256(joined(padded(0x36), message))));
}

function sha256(message: Uint8Array): Uint8Array {
  const blockCount = Math.ceil((message.length + 9) / BLOCK_BYTES);
  const view = new DataView(new ArrayBuffer(blockCount * BLOCK_BYTES));
  new Uint8Array(view.buffer).set(message);
  view.setUint8(message.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(message.length) * 8n);
  const state = Int32Array.from(INITIAL);
  for (let offset = 0; offset < view.byteLength; offset += BLOCK_BYTES) compress(state, view, offset);
  const digest = new DataView(new ArrayBuffer(32));
  for (const [index, word] of state.entries()) digest.setInt32(index * 4, word);
  return new Uint8Array(digest.buffer);
}

function compress(state: Int32Array, view: DataView, offset: number): void {
  const words = new Int32Array(64);
  for (let index = 0; index < 64; index += 1) {
    if (index < 16) words[index] = view.getInt32(offset + index * 4);
    else {
      const early = words[index - 15] ?? 0;
      const late = words[index - 2] ?? 0;
      const low = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
      const high = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
      words[index] = (words[index - 16] ?? 0) + low + (words[index - 7] ?? 0) + high;
    }
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + (ROUND[index] ?? 0) + (words[index] ?? 0)) | 0;
    const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + word;
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) return false;
  return number > 1;
}
