// SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash. It is synchronous. The platform's own hashes are not,
// and cost ten times as much.

import { hmacSha256 } from "./hmac.ts";

/** A key of 128 bits, as four words with the lowest first. Without it, no hash can be computed or checked. */
export type SipKey = readonly [number, number, number, number];

const utf8 = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Returns the key that a secret has for one purpose. */
export function sipKeyOf(secret: string, purpose: string): SipKey {
  const view = new DataView(hmacSha256(utf8.encode(purpose), utf8.encode(secret)).buffer);
  return [view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true), view.getInt32(12, true)];
}

/**
 * Returns the hash of a text in UTF-16LE, in 16 hex digits. With an array or destructuring in place of the local
 * variables, it is five times as slow.
 */
export function sipHash(key: SipKey, text: string): string {
  // The constants are the text "somepseudorandomlygeneratedbytes".
  let v0 = key[0] ^ 0x70736575;
  let v0High = key[1] ^ 0x736f6d65;
  let v1 = key[2] ^ 0x6e646f6d;
  let v1High = key[3] ^ 0x646f7261;
  let v2 = key[0] ^ 0x6e657261;
  let v2High = key[1] ^ 0x6c796765;
  let v3 = key[2] ^ 0x79746573;
  let v3High = key[3] ^ 0x74656462;
  for (let at = 0; at - text.length < 5; at += 4) {
    // Behind the last block, which ends with the number of bytes, comes the end of the hash.
    const isEnd = at > text.length;
    const low = unitsAt(text, at);
    const high = unitsAt(text, at + 2) | (!isEnd && at + 4 > text.length ? text.length << 25 : 0);
    v3 ^= low;
    v3High ^= high;
    if (isEnd) v2 ^= 0xff;
    for (let round = isEnd ? 4 : 2; round > 0; round -= 1) {
      const a = (v0 + v1) | 0;
      const aHigh = (v0High + v1High + carry(a, v0)) | 0;
      const b = ((v1 << 13) | (v1High >>> 19)) ^ a;
      const bHigh = ((v1High << 13) | (v1 >>> 19)) ^ aHigh;
      const c = (v2 + v3) | 0;
      const cHigh = (v2High + v3High + carry(c, v2)) | 0;
      const d = ((v3 << 16) | (v3High >>> 16)) ^ c;
      const dHigh = ((v3High << 16) | (v3 >>> 16)) ^ cHigh;
      v0 = (aHigh + d) | 0;
      v0High = (a + dHigh + carry(v0, aHigh)) | 0;
      v3 = ((d << 21) | (dHigh >>> 11)) ^ v0;
      v3High = ((dHigh << 21) | (d >>> 11)) ^ v0High;
      v2High = (c + b) | 0;
      v2 = (cHigh + bHigh + carry(v2High, c)) | 0;
      v1 = ((b << 17) | (bHigh >>> 15)) ^ v2High;
      v1High = ((bHigh << 17) | (b >>> 15)) ^ v2;
    }
    v0 ^= low;
    v0High ^= high;
  }
  return hexOf(v0 ^ v1 ^ v2 ^ v3) + hexOf(v0High ^ v1High ^ v2High ^ v3High);
}

/** Returns 1 if a sum of 32 bits has lost its carry. */
function carry(sum: number, part: number): number {
  return sum >>> 0 < part >>> 0 ? 1 : 0;
}

/** Returns two UTF-16 units of the text as one word. Behind the end they are 0. */
function unitsAt(text: string, at: number): number {
  const unit = at < text.length ? text.charCodeAt(at) : 0;
  return at + 1 < text.length ? unit | (text.charCodeAt(at + 1) << 16) : unit;
}

/** Returns the hex digits of a word, the lowest byte first. */
function hexOf(word: number): string {
  return `${HEX[word & 0xff]}${HEX[(word >>> 8) & 0xff]}${HEX[(word >>> 16) & 0xff]}${HEX[word >>> 24]}`;
}
