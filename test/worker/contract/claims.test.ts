// Claims over HTTP: a receipt, or a refusal that says what helps.

import { afterEach, describe, expect, test, vi } from "vitest";

import { claim, created, freshName, look, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, WIRE_INSTANT } from "./wire.ts";

const START = "2030-01-01T00:00:00.000Z";
const END = "2030-01-01T00:01:00.000Z";

function setClock(instant: string, laterMs = 0): void {
  vi.setSystemTime(Date.parse(instant) + laterMs);
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a claim that is granted", () => {
  test("answers 201 with the receipt and what is left", async () => {
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

  test("counts positions up and what is left down, to the last unit", async () => {
    const name = await created(3);
    const told: unknown[] = [];
    for (const user of users(3)) {
      const { body, headers } = await claim(name, user);
      told.push([body["position"], body["remaining_amount"], headers.get("Coupon-Seq")]);
    }
    expect(told).toEqual([
      [1, 2, "2"],
      [2, 1, "3"],
      [3, 0, "4"],
    ]);
  });

  test("notes the instant by the object's clock", async () => {
    setClock(START, 123);
    const name = await created(1);
    expect((await claim(name, "user")).body["claimed_at"]).toBe("2030-01-01T00:00:00.123Z");
  });

  test("never happened before a claim that came earlier, though the clock went back", async () => {
    setClock(END);
    const name = await created(2);
    const first = await claim(name, "first");
    setClock(START);
    const second = await claim(name, "second");
    expect([first.body["claimed_at"], second.body["claimed_at"]]).toEqual([END, END]);
  });

  test("takes nothing from another coupon, where the same user may claim too", async () => {
    const [one, other] = [await created(1), await created(1)];
    expect((await claim(one, "both")).status).toBe(201);
    expect((await look(other)).body["remaining_amount"]).toBe(1);
    expect((await claim(other, "both")).status).toBe(201);
  });
});

describe("a user who already has a claim", () => {
  test("is told 409 with their own receipt, and takes no second unit", async () => {
    const name = await created(5);
    await claim(name, "somebody");
    const { remaining_amount: _, ...receipt } = (await claim(name, "winner")).body;

    const again = await claim(name, "winner");
    expectRefused(again, "409 already_claimed", "coupon already claimed by user");
    expect(again.body["claim"]).toEqual(receipt);
    expect(again.headers.get("Coupon-Seq")).toBe("3");
    expect((await look(name)).body["remaining_amount"]).toBe(3);
    await expectConserved(name);
  });

  test("is told so after sell-out: a winner who retries is never told that they lost", async () => {
    const name = await created(2);
    const winners = await Promise.all(["a", "b"].map((user) => claim(name, user)));
    expectRefused(await claim(name, "c"), "400 out_of_stock", "coupon out of stock");

    for (const { body } of winners) {
      const { remaining_amount: _, ...receipt } = body;
      const again = await claim(name, String(receipt["user_id"]));
      expectRefused(again, "409 already_claimed", "coupon already claimed by user");
      expect(again.body["claim"]).toEqual(receipt);
    }
  });

  test("is told so after the sale has ended", async () => {
    setClock(START);
    const name = await created(2, { starts_at: START, ends_at: END });
    const { remaining_amount: _, ...receipt } = (await claim(name, "winner")).body;

    setClock(END);
    const again = await claim(name, "winner");
    expectRefused(again, "409 already_claimed", "coupon already claimed by user");
    expect(again.body["claim"]).toEqual(receipt);
    expectRefused(await claim(name, "late"), "403 sale_ended", "the sale has ended");
  });
});

describe("a user who gets nothing", () => {
  test("is told 400 when all is given out, however often they ask, and nothing is noted", async () => {
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

  test("is told 404 where no such coupon was created", async () => {
    const answer = await claim(freshName(), "user");
    expectRefused(answer, "404 coupon_not_found", "coupon not found");
    expect(answer.headers.get("Coupon-Seq")).toBe("0");
  });

  test("is told 403 after the end, though units are left", async () => {
    const name = await created(5, { ends_at: "2020-01-01T00:00:00Z" });
    const answer = await claim(name, "late");
    expectRefused(answer, "403 sale_ended", "the sale has ended");
    expect(answer.headers.get("Retry-After")).toBeNull();
    expect(answer.headers.get("Coupon-Seq")).toBe("1");
    expect((await look(name)).body).toMatchObject({ remaining_amount: 5, claimed_by: [] });
  });

  test.for([
    [3_600_000, "3600"],
    [1001, "2"],
    [1000, "1"],
    [1, "1"],
  ] as const)("is told 403 %i ms before the start, when it starts, and to come back in %s s", async ([beforeMs, retryAfter]) => {
    setClock(START, -beforeMs);
    const name = await created(5, { starts_at: START });
    const answer = await claim(name, "early");
    expectRefused(answer, "403 sale_not_started", "the sale has not started: see starts_at");
    expect(answer.body["starts_at"]).toBe(START);
    expect(answer.headers.get("Retry-After")).toBe(retryAfter);
    expect((await look(name)).body).toMatchObject({ remaining_amount: 5, claimed_by: [] });
  });

  test("gets a unit by coming back when told to", async () => {
    setClock(START, -1500);
    const name = await created(1, { starts_at: START });
    const { headers } = await claim(name, "patient");
    setClock(START, -1500 + Number(headers.get("Retry-After")) * 1000);
    expect((await claim(name, "patient")).status).toBe(201);
  });
});

describe("the sale window is half-open", () => {
  test.for([
    ["a millisecond before the start", START, -1, "403 sale_not_started"],
    ["at the start", START, 0, "201"],
    ["a millisecond before the end", END, -1, "201"],
    ["at the end", END, 0, "403 sale_ended"],
  ] as const)("a claim %s", async ([, instant, laterMs, outcome]) => {
    setClock(instant, laterMs);
    const name = await created(1, { starts_at: START, ends_at: END });
    const { status, body } = await claim(name, "user");
    expect([status, body["code"]].join(" ").trim()).toBe(outcome);
  });
});
