// The hash of users in the log, compared with OpenSSL's.

import { expect, test } from "vitest";

import { sipHash, sipKeyOf, type SipKey } from "../../src/domain/siphash.ts";

/** The key of the algorithm's published test vectors: the bytes 0 to 15. */
const KEY: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];

/** The text whose UTF-16LE bytes are 0, 1, 2 and so on. */
function bytesFromZero(count: number): string {
  return String.fromCharCode(...Array.from({ length: count / 2 }, (_, index) => 2 * index + ((2 * index + 1) << 8)));
}

test.for([
  [0, "310e0edd47db6f72"],
  [2, "5a4fa9d909806c0d"],
  [4, "b7877127e09427cf"],
  [6, "cee3fe586e46c9cb"],
  [8, "6224939a79f5f593"],
  [14, "eef27a8e90ca23f7"],
  [16, "db9bc2577fcc2a3f"],
  [62, "575ff28e60381be5"],
] as const)("the hash of %i bytes is the published one", ([count, hash]) => {
  expect(sipHash(KEY, bytesFromZero(count))).toBe(hash);
});

test.for([
  ["token", "user_1", "fc263141b26629b5"],
  ["token", "用户 🎉", "475488e3ca06d437"],
] as const)("with the secret %s, the hash of %s is that of the documented command", ([secret, text, hash]) => {
  expect(sipHash(sipKeyOf(secret, "doorbuster log 1"), text)).toBe(hash);
});
