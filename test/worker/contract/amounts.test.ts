// Amounts: JSON integers from 1 to 2147483647.

import { describe, expect, test } from "vitest";

import { claim, freshName, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

function createWith(name: string, amount: string) {
  return postRaw("/api/coupons", `{"name":${JSON.stringify(name)},"amount":${amount}}`);
}

describe("an amount", () => {
  test.for([
    ["1", 1],
    ["2147483647", 2_147_483_647],
    ["1.0", 1],
    ["1e3", 1000],
    ["1E+3", 1000],
    ["2500e-2", 25],
  ] as const)("can be %s", async ([json, amount]) => {
    const name = freshName();
    const { status, body } = await createWith(name, json);
    expect(status).toBe(201);
    expect(body).toMatchObject({ amount, remaining_amount: amount });

    expect((await claim(name, "user")).body["remaining_amount"]).toBe(amount - 1);
    expect((await read(name)).body).toMatchObject({ amount, remaining_amount: amount - 1 });
    await expectConserved(name);
  });

  const TOO_SMALL = "must be at least 1";
  const INVALID = "is invalid";
  const REQUIRED = "is required";

  test.for([
    ["0", TOO_SMALL],
    ["-0", TOO_SMALL],
    ["0.0", TOO_SMALL],
    ["1e-400", TOO_SMALL],
    ["-1", TOO_SMALL],
    ["-2147483648", TOO_SMALL],
    ["-1e300", TOO_SMALL],
    ["1.5", INVALID],
    ["2147483646.5", INVALID],
    ["2147483648", INVALID],
    ["9007199254740993", INVALID],
    ["1e300", INVALID],
    ["1e400", INVALID],
    ['"5"', INVALID],
    ['""', INVALID],
    ['"five"', INVALID],
    ["true", INVALID],
    ["false", INVALID],
    ["[5]", INVALID],
    ["[]", INVALID],
    ["{}", INVALID],
    ['{"valueOf":5}', INVALID],
    ["null", REQUIRED],
  ] as const)("can't be %s: it %s", async ([json, fault]) => {
    const name = freshName();
    const answer = await createWith(name, json);
    expectRefused(answer, "400 invalid_request", `invalid request: amount ${fault}`);
    expect(answer.body["fields"]).toEqual({ amount: fault });
    expect((await read(name)).status).toBe(404);
  });

  test("can't be missing", async () => {
    const answer = await postRaw("/api/coupons", `{"name":"${freshName()}"}`);
    expectRefused(answer, "400 invalid_request", "invalid request: amount is required");
  });

  // Both faults are true of these: below 1, and no integer that a double can hold.
  test.for(["-1.5", "0.5", "-1e400"])("can't be %s", async (json) => {
    const { status, body } = await createWith(freshName(), json);
    expect([status, body["code"]]).toEqual([400, "invalid_request"]);
    expect([TOO_SMALL, INVALID]).toContain((body["fields"] as Record<string, string>)["amount"]);
  });

  // JSON has no such numbers, so these are no JSON.
  test.for(["NaN", "Infinity", "-Infinity", "0x10", "1_000", "01", "+1", ".5", "1.", "5n"])(
    "can't be %s, which is no JSON",
    async (json) => {
      expectRefused(await createWith(freshName(), json), "400 invalid_request", "invalid request body");
    },
  );
});
