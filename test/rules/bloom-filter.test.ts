// Sets that are sent around: no member is ever denied, and others rarely pass.

import { array, assert, nat, property, string } from "fast-check";
import { describe, expect, test } from "vitest";

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

describe("no member is denied", () => {
  test("whatever the texts are", () => {
    const texts = array(string({ unit: "binary", maxLength: 40 }), { maxLength: 600 });
    const denied = property(texts, nat(2000), (inside, expectedCount) => {
      const has = mayContain(setOf(inside, expectedCount).build());
      expect(inside.filter((text) => !has(text))).toEqual([]);
    });
    expect(() => assert(denied)).not.toThrow();
  });

  test("in a set of any size, also an overfull one", () => {
    for (const size of [1, EXACT_MEMBERS_MAX, EXACT_MEMBERS_MAX + 1, 5_000, 20_000]) {
      const members = setOf(names(size, "user_"));
      const has = mayContain(members.build());
      expect(names(size, "user_").filter((name) => !has(name))).toEqual([]);
    }
  });
});

describe("others", () => {
  test("never pass a small set", () => {
    const has = mayContain(setOf(names(EXACT_MEMBERS_MAX, "u")).build());
    expect(names(50_000, "other").filter(has)).toEqual([]);
  });

  test.for([
    ["user_", "other_"],
    ["", "9"],
    ["0000-", "0001-"],
    ["użytkownik-🎉-", "użytkownik-🎈-"],
  ] as const)("pass a full filter one time in a thousand at most: %j against %j", ([inside, outside]) => {
    const members = new BloomFilterBuilder(10_000);
    for (let count = 0; !members.isFull; count += 1) members.add(`${inside}m${count}`);
    const passed = names(200_000, `${outside}s`).filter(mayContain(members.build())).length;
    // 200 are expected at most; the bound is four standard deviations above.
    expect(passed).toBeLessThan(200 + 4 * Math.sqrt(200));
  });
});

describe("a filter", () => {
  test("is as large as its expected members need, and no larger than allowed", () => {
    const sizes = [0, 300, 1_000, 10_000, 100_000, 10_000_000].map((expectedCount) =>
      bytesOf(setOf(names(EXACT_MEMBERS_MAX + 1, "u"), expectedCount).build()),
    );
    expect(sizes).toEqual([1024, 1024, 2048, 32_768, 262_144, 2_097_152]);
  });

  test("at its largest is full with 1,165,085 members", () => {
    const members = new BloomFilterBuilder(10_000_000);
    let count = 0;
    for (; !members.isFull; count += 1) members.add(`user_${count}`);
    expect(members.isLargest).toBe(true);
    expect(members.count).toBe(1_165_085);
    // Some looked like members that were there already.
    expect(count).toBeLessThan(1_165_085 * 1.001);
  });

  test("counts a text that is added again once", () => {
    const members = setOf(names(EXACT_MEMBERS_MAX + 1, "u"));
    for (let again = 0; again < 100; again += 1) for (const name of names(EXACT_MEMBERS_MAX + 1, "u")) members.add(name);
    expect(members.isFull).toBe(false);
  });
});
