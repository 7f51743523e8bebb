// Pseudonyms are keyed hashes, and no new user can have one.

import { createHmac, randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { hmacSha256 } from "../../src/domain/hmac.ts";
import { userIdFault } from "../../src/domain/names.ts";
import { pseudonymOf, pseudonymized } from "../../src/domain/pseudonym.ts";

test("the HMAC is that of node:crypto for keys and messages of every length around a block", () => {
  for (let length = 0; length <= 200; length += 1) {
    const [key, message] = [randomBytes(length % 65), randomBytes(length)];
    const expected = createHmac("sha256", key).update(message).digest();
    expect(Buffer.from(hmacSha256(key, message))).toEqual(expected);
  }
  expect(() => hmacSha256(new Uint8Array(65), new Uint8Array())).toThrow(RangeError);
});

test("a pseudonym differs between keys and users, and hides the idempotency key and the attempt", () => {
  const [first, second] = ["0f".repeat(32), "f0".repeat(32)];
  const ann = pseudonymOf(first, "ann");
  expect(ann).toMatch(/^erased:[0-9a-f]{32}$/);
  expect(pseudonymOf(first, "ann")).toBe(ann);
  expect(new Set([ann, pseudonymOf(second, "ann"), pseudonymOf(first, "ann "), pseudonymOf(first, "bob")]).size).toBe(4);
  const hidden = pseudonymized(first, { userId: "ann", attemptId: "try", key: "ann-1", position: 7 });
  const key = pseudonymOf(first, '["ann","ann-1"]');
  expect(hidden).toEqual({ userId: ann, attemptId: pseudonymOf(first, "try"), key, position: 7 });
  expect(pseudonymized(first, { userId: "ann", attemptId: "try", key: null }).key).toBeNull();
});

test.for([
  ["erased:", "malformed"],
  ["erased:0f", "malformed"],
  ["Erased:0f", null],
  ["erased", null],
  [" erased:0f", null],
  ["", "empty"],
] as const)("the user id %j has the fault %s", ([userId, fault]) => {
  expect(userIdFault(userId)).toBe(fault);
});
