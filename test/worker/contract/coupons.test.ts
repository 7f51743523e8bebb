// Coupons over HTTP: created once, looked at by everybody.

import { afterEach, describe, expect, test, vi } from "vitest";

import { claim, countOutcomes, create, created, freshName, read, send, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, WIRE_INSTANT } from "../../support/wire.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("creating a coupon", () => {
  test("answers 201 with the whole of it", async () => {
    const name = freshName();
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
      created_at: expect.stringMatching(WIRE_INSTANT),
      claimed_by: [],
    });
    expect(headers.get("Coupon-Seq")).toBe("1");
  });

  test("says in Location where it is, and there it is", async () => {
    const name = freshName("50% off / 100 ½ 🎉");
    const { body, headers } = await create(name, 3);
    expect(headers.get("Location")).toBe(`/api/coupons/${encodeURIComponent(name)}`);

    const found = await send("GET", String(headers.get("Location")));
    expect(found.status).toBe(200);
    expect(found.body).toEqual(body);
  });

  test("notes the instant by the object's clock", async () => {
    vi.setSystemTime(new Date("2030-06-15T12:34:56.789Z"));
    expect((await create(freshName(), 1)).body["created_at"]).toBe("2030-06-15T12:34:56.789Z");
  });

  test("of a name that exists answers 409 and changes nothing of it", async () => {
    const name = await created(3, { starts_at: "2020-01-01T00:00:00Z" });
    await claim(name, "early");
    const before = await read(name);

    const again = await create(name, 500, { starts_at: "2040-01-01T00:00:00Z", ends_at: "2041-01-01T00:00:00Z" });
    expectRefused(again, "409 coupon_exists", "coupon already exists");
    expect(again.headers.get("Location")).toBeNull();
    expect(again.headers.get("Coupon-Seq")).toBe("2");

    expect((await read(name)).body).toEqual(before.body);
    await expectConserved(name);
  });

  test("of a sold-out name answers 409 and restocks nothing", async () => {
    const name = await created(1);
    await claim(name, "winner");
    expectRefused(await create(name, 1), "409 coupon_exists", "coupon already exists");
    expect((await claim(name, "late")).body["code"]).toBe("out_of_stock");
  });

  test("by 20 callers at once for one name happens once, with the amount of the one who is told 201", async () => {
    const name = freshName();
    const answers = await Promise.all(users(20).map((_, index) => create(name, index + 1)));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 coupon_exists": 19 });

    const winner = answers.find(({ status }) => status === 201);
    expect((await read(name)).body["amount"]).toBe(winner?.body["amount"]);
    await expectConserved(name);
  });
});

describe("looking at a coupon", () => {
  test("shows what is left and who has what, at once after each claim", async () => {
    const name = await created(3);
    for (const [index, user] of ["zoe", "adam", "Mia"].entries()) {
      await claim(name, user);
      const { status, body, headers } = await read(name);
      expect(status).toBe(200);
      expect(body).toMatchObject({ amount: 3, remaining_amount: 2 - index });
      expect(body["claimed_by"]).toEqual(["zoe", "adam", "Mia"].slice(0, index + 1));
      expect(headers.get("Coupon-Seq")).toBe(String(index + 2));
    }
    expect((await read(name)).body["state"]).toBe("sold_out");
  });

  test("lists those who claimed at the same instant by their positions", async () => {
    const name = await created(40);
    const answers = await Promise.all(users(40).map((user) => claim(name, user)));
    const byPosition = answers.toSorted((a, b) => Number(a.body["position"]) - Number(b.body["position"]));
    expect((await read(name)).body["claimed_by"]).toEqual(byPosition.map(({ body }) => body["user_id"]));
  });

  test("does not list who was refused", async () => {
    const name = await created(1);
    await claim(name, "winner");
    await claim(name, "loser");
    await claim(name, "winner");
    expect((await read(name)).body["claimed_by"]).toEqual(["winner"]);
  });

  test("changes nothing", async () => {
    const name = await created(5);
    const first = await read(name);
    await Promise.all(users(20).map(() => read(name)));
    const last = await read(name);
    expect(last.body).toEqual(first.body);
    expect(last.headers.get("Coupon-Seq")).toBe("1");
  });

  test("that was never created answers 404", async () => {
    const answer = await read(freshName());
    expectRefused(answer, "404 coupon_not_found", "coupon not found");
    expect(answer.headers.get("Coupon-Seq")).toBe("0");
  });
});

describe("the state of a sale", () => {
  test.for([
    ["open", "no window", {}],
    ["open", "a start that is past", { starts_at: "2020-01-01T00:00:00Z" }],
    ["open", "an end to come", { ends_at: "2040-01-01T00:00:00Z" }],
    ["open", "a window around now", { starts_at: "2020-01-01T00:00:00Z", ends_at: "2040-01-01T00:00:00Z" }],
    ["scheduled", "a start to come", { starts_at: "2040-01-01T00:00:00Z" }],
    ["ended", "an end that is past", { ends_at: "2020-01-01T00:00:00Z" }],
    ["ended", "a window that is past", { starts_at: "2019-01-01T00:00:00Z", ends_at: "2020-01-01T00:00:00Z" }],
  ] as const)("is %s with %s", async ([state, , sale]) => {
    const name = freshName();
    expect((await create(name, 1, sale)).body["state"]).toBe(state);
    expect((await read(name)).body["state"]).toBe(state);
  });

  test.for([
    [-1, "scheduled"],
    [0, "open"],
    [999, "open"],
    [1000, "ended"],
  ] as const)("%i ms after the start of a one-second sale is %s", async ([sinceStartMs, state]) => {
    vi.setSystemTime(new Date("2030-01-01T00:00:00Z").getTime() + sinceStartMs);
    const name = await created(1, { starts_at: "2030-01-01T00:00:00Z", ends_at: "2030-01-01T00:00:01Z" });
    expect((await read(name)).body["state"]).toBe(state);
  });

  test("that ended is told as ended, not as sold out", async () => {
    vi.setSystemTime(new Date("2030-01-01T00:00:00Z"));
    const name = await created(1, { ends_at: "2030-01-01T00:00:01Z" });
    await claim(name, "winner");
    expect((await read(name)).body["state"]).toBe("sold_out");
    vi.setSystemTime(new Date("2030-01-01T00:00:01Z"));
    expect((await read(name)).body["state"]).toBe("ended");
  });
});
