// Coupons over HTTP: created once, read by anyone.

import { describe, expect, test } from "vitest";

import { change, claim, countOutcomes, create, created, freshName, pathOf, read, send, users } from "../../support/api.ts";
import { iso, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused } from "../../support/wire.ts";

test("a create answers 201 with the whole coupon and its Location", async () => {
  setClock(T0);
  const name = freshName("50% off / 100 ½ 🎉");
  const { status, body, headers } = await create(name, 3);
  expect(status).toBe(201);
  expect(body).toEqual({
    name,
    amount: 3,
    remaining_amount: 3,
    state: "open",
    starts_at: null,
    ends_at: null,
    paused: false,
    held_amount: 0,
    hold_seconds_max: 900,
    holds_max: null,
    title: null,
    description: null,
    image_url: null,
    created_at: iso(T0),
    claimed_by: [],
  });
  expect(headers.get("Coupon-Seq")).toBe("1");
  expect(headers.get("Location")).toBe(`/api/coupons/${encodeURIComponent(name)}`);
  const found = await send("GET", String(headers.get("Location")));
  expect([found.status, found.body]).toEqual([200, body]);
});

test("a create of an existing name gets 409 and changes nothing", async () => {
  const name = await created(1, { starts_at: "2020-01-01T00:00:00Z" });
  await claim(name, "winner");
  const before = await read(name);
  const again = await create(name, 500, { starts_at: "2040-01-01T00:00:00Z", ends_at: "2041-01-01T00:00:00Z" });
  expectRefused(again, "409 coupon_exists", "coupon already exists");
  expect([again.headers.get("Location"), again.headers.get("Coupon-Seq")]).toEqual([null, "2"]);
  expect((await read(name)).body).toEqual(before.body);
  expect((await claim(name, "late")).body["code"]).toBe("out_of_stock");
});

test("a create by 20 callers at once happens once, with the winner's amount", async () => {
  const name = freshName();
  const answers = await Promise.all(users(20).map((_, index) => create(name, index + 1)));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 coupon_exists": 19 });
  const winner = answers.find(({ status }) => status === 201);
  expect((await read(name)).body["amount"]).toBe(winner?.body["amount"]);
  await expectConserved(name);
});

test("a read of a coupon shows remaining amount and winners after each claim", async () => {
  const name = await created(3);
  for (const [index, user] of ["zoe", "adam", "Mia"].entries()) {
    await claim(name, user);
    const { status, body, headers } = await read(name);
    expect(status).toBe(200);
    expect(body).toMatchObject({ amount: 3, remaining_amount: 2 - index });
    expect(body["claimed_by"]).toEqual(["zoe", "adam", "Mia"].slice(0, index + 1));
    expect(headers.get("Coupon-Seq")).toBe(String(index + 2));
  }
  expect((await claim(name, "loser")).status).toBe(400);
  const { claimed_by: winners, ...others } = (await read(name)).body;
  expect([others["state"], winners]).toEqual(["sold_out", ["zoe", "adam", "Mia"]]);
  const short = await send("GET", `${pathOf(name)}?claimed_by=omit`);
  expect([short.status, short.body]).toEqual([200, others]);
});

test("a read of a coupon lists simultaneous winners by position", async () => {
  const name = await created(40);
  const answers = await Promise.all(users(40).map((user) => claim(name, user)));
  const byPosition = answers.toSorted((a, b) => Number(a.body["position"]) - Number(b.body["position"]));
  expect((await read(name)).body["claimed_by"]).toEqual(byPosition.map(({ body }) => body["user_id"]));
});

test("a read of a coupon changes nothing, also 20 times at once", async () => {
  const name = await created(5);
  const first = await read(name);
  await Promise.all(users(20).map(() => read(name)));
  const last = await read(name);
  expect([last.body, last.headers.get("Coupon-Seq")]).toEqual([first.body, "1"]);
});

test("a read of a coupon that does not exist gets 404", async () => {
  const answer = await read(freshName());
  expectRefused(answer, "404 coupon_not_found", "coupon not found");
  expect(answer.headers.get("Coupon-Seq")).toBe("0");
});

describe("the state of a new coupon", () => {
  const PAST = "2020-01-01T00:00:00Z";
  const FUTURE = "2040-01-01T00:00:00Z";

  test.for([
    ["open", {}],
    ["open", { starts_at: PAST, ends_at: FUTURE }],
    ["scheduled", { starts_at: FUTURE }],
    ["ended", { ends_at: PAST }],
  ] as const)("a new coupon is %s with the window %j", async ([state, window]) => {
    const name = freshName();
    expect((await create(name, 1, window)).body["state"]).toBe(state);
    expect((await read(name)).body["state"]).toBe(state);
  });
});

test("a create that is repeated with its key gets 201 with the coupon as it is now", async () => {
  const name = freshName();
  const headers = { "Idempotency-Key": "launch" };
  const createWith = (amount: number) => send("POST", "/api/coupons", { body: { name, amount }, headers });
  expect((await createWith(5)).headers.get("Idempotent-Replayed")).toBeNull();
  await claim(name, "ann");
  await change(name, { amount: 7 });

  const again = await createWith(5);
  expect([again.status, again.headers.get("Idempotent-Replayed"), again.headers.get("Coupon-Seq")]).toEqual([201, "true", "3"]);
  const { claimed_by: _claimants, ...coupon } = (await read(name)).body;
  expect(again.body).toEqual(coupon);
  expect(again.headers.get("Location")).toBe(pathOf(name));
  expectRefused(await createWith(7), "422 idempotency_key_reused");
  expectRefused(await create(name, 5), "409 coupon_exists", "coupon already exists");
});
