// Amounts: JSON integers from 1 to 2147483647.

import { expect, test } from "vitest";

import { claim, freshName, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

function createWith(name: string, amount: string) {
  return postRaw("/api/coupons", `{"name":${JSON.stringify(name)},"amount":${amount}}`);
}

test.for([
  ["1", 1],
  ["2147483647", 2_147_483_647],
  ["1.0", 1],
  ["1E+3", 1000],
  ["2500e-2", 25],
] as const)("a coupon created with amount %s has %i units", async ([json, amount]) => {
  const name = freshName();
  const { status, body } = await createWith(name, json);
  expect(status).toBe(201);
  expect(body).toMatchObject({ amount, remaining_amount: amount });
  expect((await claim(name, "user")).body["remaining_amount"]).toBe(amount - 1);
  await expectConserved(name);
});

const TOO_SMALL = "must be at least 1";
const INVALID = "must be an integer from 1 to 2147483647";
const REQUIRED = "is required";

test.for([
  ["0", TOO_SMALL],
  ["-0", TOO_SMALL],
  ["1e-400", TOO_SMALL],
  ["-1", TOO_SMALL],
  ["-1e300", TOO_SMALL],
  ["-1e400", TOO_SMALL],
  ["-1.5", TOO_SMALL],
  ["0.5", TOO_SMALL],
  ["1.5", INVALID],
  ["2147483646.5", INVALID],
  ["2147483648", INVALID],
  ["9007199254740993", INVALID],
  ["1e400", INVALID],
  ['"5"', INVALID],
  ["true", INVALID],
  ["[5]", INVALID],
  ['{"valueOf":5}', INVALID],
  ["null", REQUIRED],
] as const)("a create with amount %s is refused because it %s", async ([json, fault]) => {
  const name = freshName();
  const answer = await createWith(name, json);
  expectRefused(answer, "400 invalid_request", `invalid request: amount ${fault}`);
  expect(answer.body["fields"]).toEqual({ amount: fault });
  expect((await read(name)).status).toBe(404);
});

test("a create without an amount is refused because it is required", async () => {
  const answer = await postRaw("/api/coupons", `{"name":"${freshName()}"}`);
  expectRefused(answer, "400 invalid_request", "invalid request: amount is required");
});

test.for(["NaN", "Infinity", "0x10", "1_000", "01", "+1", ".5", "1.", "5n"])(
  "a create with amount %s is refused because JSON has no such number",
  async (json) => {
    expectRefused(await createWith(freshName(), json), "400 invalid_request", "invalid request body");
  },
);
