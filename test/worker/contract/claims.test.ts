// Claims over HTTP: a receipt, or a refusal that says what to do.

import { expect, test } from "vitest";

import { claim, created, freshName, read, receiptOf, users } from "../../support/api.ts";
import { setClock, SECOND, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, WIRE_INSTANT } from "../../support/wire.ts";

test("a granted claim answers 201 with the receipt and the remaining amount", async () => {
  const name = await created(5);
  const { status, body, headers } = await claim(name, "user_12345");
  expect(status).toBe(201);
  expect(body).toEqual({
    coupon_name: name,
    user_id: "user_12345",
    position: 1,
    claimed_at: expect.stringMatching(WIRE_INSTANT),
    remaining_amount: 4,
  });
  expect(headers.get("Coupon-Seq")).toBe("2");
  expect(headers.get("Idempotent-Replayed")).toBeNull();
});

test("a granted claim has the next position and one unit less remaining", async () => {
  const name = await created(3);
  const answered: unknown[] = [];
  for (const user of users(3)) {
    const { body, headers } = await claim(name, user);
    answered.push([body["position"], body["remaining_amount"], headers.get("Coupon-Seq")]);
  }
  expect(answered).toEqual([
    [1, 2, "2"],
    [2, 1, "3"],
    [3, 0, "4"],
  ]);
});

test("a granted claim is dated by the object's clock, which never goes back", async () => {
  setClock(T0 + SECOND + 123);
  const name = await created(2);
  const first = await claim(name, "first");
  setClock(T0);
  const second = await claim(name, "second");
  const at = "2031-03-01T12:00:01.123Z";
  expect([first.body["claimed_at"], second.body["claimed_at"]]).toEqual([at, at]);
});

test("a granted claim takes no unit of another coupon", async () => {
  const [one, other] = [await created(1), await created(1)];
  expect((await claim(one, "both")).status).toBe(201);
  expect((await read(other)).body["remaining_amount"]).toBe(1);
  expect((await claim(other, "both")).status).toBe(201);
});

test("a winner who claims again gets 409 with the receipt and no second unit", async () => {
  const name = await created(5);
  await claim(name, "another-user");
  const receipt = receiptOf(await claim(name, "winner"));
  const again = await claim(name, "winner");
  expectRefused(again, "409 already_claimed", "coupon already claimed by user");
  expect(again.body["claim"]).toEqual(receipt);
  expect(again.headers.get("Coupon-Seq")).toBe("3");
  expect((await read(name)).body["remaining_amount"]).toBe(3);
  await expectConserved(name);
});

test("a claim of a sold-out coupon gets 400 and stores nothing", async () => {
  const name = await created(1);
  await claim(name, "winner");
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const answer = await claim(name, "loser");
    expectRefused(answer, "400 out_of_stock", "coupon out of stock");
    expect(answer.headers.get("Coupon-Seq")).toBe("2");
    expect(answer.body).not.toHaveProperty("claim");
  }
  await expectConserved(name);
});

test("a claim of a coupon that does not exist gets 404", async () => {
  const answer = await claim(freshName(), "user");
  expectRefused(answer, "404 coupon_not_found", "coupon not found");
  expect(answer.headers.get("Coupon-Seq")).toBe("0");
});
