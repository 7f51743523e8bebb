// A create for a name that is taken.

import { expect, test } from "vitest";

import { judgeCreate } from "../../src/domain/create.ts";
import { COUPON } from "./facts.ts";

const MADE = { key: "k", settings: COUPON };

test.for([
  ["no key", { key: null, settings: COUPON }, MADE, "coupon_exists"],
  ["another key", { key: "other", settings: COUPON }, MADE, "coupon_exists"],
  ["a key, if the coupon has none,", { key: "k", settings: COUPON }, { ...MADE, key: null }, "coupon_exists"],
  ["no key, if the coupon has none,", { key: null, settings: COUPON }, { ...MADE, key: null }, "coupon_exists"],
  ["the same key and settings", { key: "k", settings: { ...COUPON } }, MADE, "replayed"],
  ["the same key and another amount", { key: "k", settings: { ...COUPON, amount: 2 } }, MADE, "idempotency_key_reused"],
  ["the same key and another window", { key: "k", settings: { ...COUPON, endsAt: 1 } }, MADE, "idempotency_key_reused"],
  ["the same key and another title", { key: "k", settings: { ...COUPON, title: "Shoe" } }, MADE, "idempotency_key_reused"],
  ["the same key and another limit", { key: "k", settings: { ...COUPON, holdsMax: 1 } }, MADE, "idempotency_key_reused"],
] as const)("a create of a taken name with %s is judged", ([, asked, made, verdict]) => {
  expect(judgeCreate(asked, made)).toBe(verdict);
});
