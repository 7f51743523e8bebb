// Sets that fit into a message: no member is ever denied, and other texts rarely pass.

import { array, assert, nat, property, string } from "fast-check";
import { expect, test } from "vitest";

import { BloomFilterBuilder, bytesOf, mayContain } from "../../src/domain/bloom-filter.ts";
import { EXACT_MEMBERS_MAX } from "../../src/domain/limits.ts";

function setOf(texts: Iterable<string>, expectedCount = 0): BloomFilterBuilder {
  const members = new BloomFilterBuilder(expectedCount);
  for (const text of texts) members.add(text);
  return members;
}

function names(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

test("a set of any texts denies no member", () => {
  const texts = array(string({ unit: "binary", maxLength: 40 }), { maxLength: 600 });
  const denied = property(texts, nat(2000), (inside, expectedCount) => {
    const has = mayContain(setOf(inside, expectedCount).build());
    expect(inside.filter((text) => !has(text))).toEqual([]);
  });
  expect(() => assert(denied)).not.toThrow();
});

test("a set of any size, also an overfull filter, denies no member", () => {
  for (const size of [1, EXACT_MEMBERS_MAX, EXACT_MEMBERS_MAX + 1, 5_000, 20_000]) {
    const members = setOf(names(size, "user_"));
    const has = mayContain(members.build());
    expect(names(size, "user_").filter((name) => !has(name))).toEqual([]);
  }
});

test("other texts never pass a small set", () => {
  const has = mayContain(setOf(names(EXACT_MEMBERS_MAX, "u")).build());
  expect(names(50_000, "other").filter(has)).toEqual([]);
});

test.for([
  ["user_", "other_"],
  ["", "9"],
  ["0000-", "0001-"],
  ["użytkownik-🎉-", "użytkownik-🎈-"],
] as const)("a full filter of %j passes at most one in a thousand of %j", ([inside, outside]) => {
  const members = new BloomFilterBuilder(10_000);
  for (let count = 0; !members.isFull; count += 1) members.add(`${inside}m${count}`);
  const passed = names(200_000, `${outside}s`).filter(mayContain(members.build())).length;
  // At most 200 are expected. The bound is four standard deviations above.
  expect(passed).toBeLessThan(200 + 4 * Math.sqrt(200));
});

test("a filter is as large as its expected members need, up to 2 MiB", () => {
  const sizes = [0, 300, 1_000, 10_000, 100_000, 10_000_000].map((expectedCount) =>
    bytesOf(setOf(names(EXACT_MEMBERS_MAX + 1, "u"), expectedCount).build()),
  );
  expect(sizes).toEqual([1024, 1024, 2048, 32_768, 262_144, 2_097_152]);
});

test("the largest filter is full with 1,165,085 members", () => {
  const members = new BloomFilterBuilder(10_000_000);
  let count = 0;
  for (; !members.isFull; count += 1) members.add(`user_${count}`);
  expect(members.isLargest).toBe(true);
  expect(members.count).toBe(1_165_085);
  // Some were taken for members and not counted.
  expect(count).toBeLessThan(1_165_085 * 1.001);
});

test("a text that is added repeatedly counts once in a filter", () => {
  const members = setOf(names(EXACT_MEMBERS_MAX + 1, "u"));
  for (let again = 0; again < 100; again += 1) for (const name of names(EXACT_MEMBERS_MAX + 1, "u")) members.add(name);
  expect(members.isFull).toBe(false);
});
