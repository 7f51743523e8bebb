// Taking a claim back: its unit returns to the stock exactly once, and who lost it is not given it again by accident.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import {
  change,
  claim,
  countOutcomes,
  created,
  freshName,
  getUserClaim,
  hold,
  listClaims,
  outcomeOf,
  read,
  revoke,
  seqOf,
  users,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

const KEY = { "Idempotency-Key": "key" };
const NOT_FOUND = "this user has no claim of this coupon";
const RELEASED = "this request's claim was revoked: send a new Idempotency-Key to claim again";

/** A coupon of 3 units; `ann` has the first, under a key, `bob` the second. A minute has passed since. */
async function sold(): Promise<{ readonly name: string; readonly receipt: Record<string, unknown> }> {
  setClock(T0);
  const name = await created(3);
  const { remaining_amount: _left, ...receipt } = (await claim(name, "ann", KEY)).body;
  await claim(name, "bob");
  setClock(T0 + MINUTE);
  return { name, receipt };
}

describe("releasing a claim", () => {
  test("answers 200 with the receipt, when it was released, and what is left then", async () => {
    const { name, receipt } = await sold();
    const answer = await revoke(name, "ann");
    expect([answer.status, seqOf(answer)]).toEqual([200, 4]);
    expect(answer.body).toEqual({ ...receipt, released_at: iso(T0 + MINUTE), remaining_amount: 2 });
    const { releases, ledger } = await expectConserved(name);
    expect(releases).toMatchObject([{ user_id: "ann", position: 1, released_at: T0 + MINUTE }]);
    expect(ledger.at(-1)).toMatchObject({ seq: 4, at: T0 + MINUTE, kind: "released", user_id: "ann", position: 1 });
  });

  test("again answers the same and changes nothing, also later and after an eviction", async () => {
    const { name } = await sold();
    const first = await revoke(name, "ann");
    for (const laterMs of [0, MINUTE, 2 * MINUTE]) {
      setClock(T0 + MINUTE + laterMs);
      const again = await revoke(name, "ann");
      expect([again.status, again.body, seqOf(again)]).toEqual([200, first.body, 4]);
      await evictDurableObject(stubOf(name));
    }
    await expectConserved(name);
  });

  test("by 50 callers at once returns one unit", async () => {
    const { name } = await sold();
    const answers = await Promise.all(Array.from({ length: 50 }, () => revoke(name, "ann")));
    expect(countOutcomes(answers)).toEqual({ 200: 50 });
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await read(name)).body["remaining_amount"]).toBe(2);
    expect((await expectConserved(name)).ledger.filter(({ kind }) => kind === "released")).toHaveLength(1);
  });

  test("takes the user out of claimed_by, out of the list, and out of their own look", async () => {
    const { name } = await sold();
    await revoke(name, "ann");
    expect((await read(name)).body["claimed_by"]).toEqual(["bob"]);
    expect((await listClaims(name)).body).toMatchObject({ claims: [{ user_id: "bob", position: 2 }], next: null });
    expectRefused(await getUserClaim(name, "ann"), "404 claim_not_found", NOT_FOUND);
  });

  test.for([
    ["paused", { paused: true }],
    ["over", { ends_at: iso(T0) }],
    ["yet to start", { starts_at: iso(T0 + 2 * MINUTE) }],
  ] as const)("works while the sale is %s", async ([, facts]) => {
    const { name } = await sold();
    await change(name, facts);
    expect((await revoke(name, "ann")).body).toMatchObject({ position: 1, remaining_amount: 2 });
    await expectConserved(name);
  });

  test("opens a sold-out sale for somebody else", async () => {
    const { name } = await sold();
    await claim(name, "cid");
    expect(outcomeOf(await claim(name, "dan"))).toBe("400 out_of_stock");
    await revoke(name, "bob");
    expect((await claim(name, "dan")).body).toMatchObject({ position: 4, remaining_amount: 0 });
    expect((await read(name)).body["claimed_by"]).toEqual(["ann", "cid", "dan"]);
    await expectConserved(name);
  });
});

describe("a release of what is not there", () => {
  test("of a user who never claimed is 404 claim_not_found", async () => {
    const { name } = await sold();
    for (const query of ["", "?position=1"]) expectRefused(await revoke(name, "cid", query), "404 claim_not_found", NOT_FOUND);
    await hold(name, "cid");
    expectRefused(await revoke(name, "cid"), "404 claim_not_found", NOT_FOUND);
    expect((await getUserClaim(name, "cid")).status).toBe(200);
    await expectConserved(name);
  });

  test("of a coupon that nobody created is 404 coupon_not_found", async () => {
    expectRefused(await revoke(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
  });

  // A URL's path can't carry these: a client that tries asks for something else.
  test.for([".", ".."])("of the user %s takes nothing else instead", async (user) => {
    const { name } = await sold();
    await claim(name, user);
    expect(outcomeOf(await revoke(name, user))).toBe("404 not_found");
    expect((await read(name)).body["claimed_by"]).toEqual(["ann", "bob", user]);
  });
});

describe("?position= guards a late retry", () => {
  test("it releases the claim at this position, and answers the same to the retry", async () => {
    const { name } = await sold();
    const first = await revoke(name, "bob", "?position=2");
    expect([first.status, first.body["position"]]).toEqual([200, 2]);
    expect((await revoke(name, "bob", "?position=2")).body).toEqual(first.body);
    expect((await revoke(name, "bob")).body).toEqual(first.body);
    await expectConserved(name);
  });

  test("at another position it is 409 with the claim that the user has, and takes nothing", async () => {
    const { name, receipt } = await sold();
    for (const position of ["2", "3", "9007199254740991"]) {
      const answer = await revoke(name, "ann", `?position=${position}`);
      expectRefused(answer, "409 position_mismatch", "this user's claim is not at that position");
      expect([answer.body["claim"], seqOf(answer)]).toEqual([receipt, 3]);
    }
    await expectConserved(name);
  });

  test("it never takes the claim that the user made in between", async () => {
    const { name } = await sold();
    await revoke(name, "ann", "?position=1");
    expect((await claim(name, "ann")).body["position"]).toBe(3);
    const late = await revoke(name, "ann", "?position=1");
    expectRefused(late, "409 position_mismatch", "this user's claim is not at that position");
    expect(late.body["claim"]).toMatchObject({ user_id: "ann", position: 3 });

    // Released as well, each is told of by its own position.
    await revoke(name, "ann", "?position=3");
    const positions = ["?position=1", "?position=3", ""].map((query) => revoke(name, "ann", query));
    expect((await Promise.all(positions)).map(({ body }) => body["position"])).toEqual([1, 3, 3]);
    expectRefused(await revoke(name, "ann", "?position=2"), "404 claim_not_found", NOT_FOUND);
    await expectConserved(name);
  });

  test.for(["0", "-1", "1.5", "01", "1e1", "one", "", "%201", "99999999999999999"])("%o is no position: 400", async (position) => {
    const { name } = await sold();
    const answer = await revoke(name, "ann", `?position=${position}`);
    expectRefused(answer, "400 invalid_request", "invalid request: position is invalid");
    expect((await stored(name)).coupon.claimed).toBe(2);
  });
});

describe("the user of a released claim", () => {
  test("may claim again, and gets a new position", async () => {
    const { name } = await sold();
    await revoke(name, "ann");
    const again = await claim(name, "ann");
    expect(again.body).toMatchObject({ position: 3, claimed_at: iso(T0 + MINUTE), remaining_amount: 1 });
    expect((await read(name)).body["claimed_by"]).toEqual(["bob", "ann"]);
    await expectConserved(name);
  });

  test("who repeats the original request with its key is told that it was released, and gets no unit", async () => {
    const { name, receipt } = await sold();
    await revoke(name, "ann");
    for (let time = 1; time <= 3; time += 1) {
      const late = await claim(name, "ann", KEY);
      expectRefused(late, "409 claim_released", RELEASED);
      expect([late.body["claim"], seqOf(late), late.headers.get("Idempotent-Replayed")]).toEqual([receipt, 4, null]);
      await evictDurableObject(stubOf(name));
    }
    const storm = await Promise.all(Array.from({ length: 50 }, () => claim(name, "ann", KEY)));
    expect(countOutcomes(storm)).toEqual({ "409 claim_released": 50 });
    await expectConserved(name);
  });

  test.for([
    ["sold out", { amount: 1 }],
    ["paused", { paused: true }],
    ["over", { ends_at: iso(T0) }],
  ] as const)("is told so by its key also when the sale is %s", async ([, facts]) => {
    const { name } = await sold();
    await revoke(name, "ann");
    await change(name, facts);
    expectRefused(await claim(name, "ann", KEY), "409 claim_released", RELEASED);
  });

  test("who has claimed again is told of the new claim by the old key, and keeps one unit", async () => {
    const { name } = await sold();
    await revoke(name, "ann");
    await claim(name, "ann", { "Idempotency-Key": "second" });
    const late = await claim(name, "ann", KEY);
    expectRefused(late, "409 already_claimed", "coupon already claimed by user");
    expect(late.body["claim"]).toMatchObject({ position: 3 });

    await revoke(name, "ann");
    const told = await Promise.all(["key", "second"].map((key) => claim(name, "ann", { "Idempotency-Key": key })));
    expect(told.map(({ body }) => [body["code"], (body["claim"] as { readonly position: number }).position])).toEqual([
      ["claim_released", 1],
      ["claim_released", 3],
    ]);
    await expectConserved(name);
  });

  test("does not turn a hold into a claim by the old key", async () => {
    const { name } = await sold();
    await revoke(name, "ann");
    await hold(name, "ann");
    expectRefused(await claim(name, "ann", KEY), "409 claim_released", RELEASED);
    expect((await claim(name, "ann")).body["position"]).toBe(3);
    await expectConserved(name);
  });
});

test("the key of a released claim may name another user's claim; who had it before gets nothing by it", async () => {
  const { name } = await sold();
  await revoke(name, "ann");
  expect((await claim(name, "cid", KEY)).body).toMatchObject({ user_id: "cid", position: 3 });
  expect(outcomeOf(await claim(name, "ann", KEY))).toBe("422 idempotency_key_reused");
  expect((await read(name)).body["claimed_by"]).toEqual(["bob", "cid"]);
  await expectConserved(name);
});

describe("storms of claims and releases", () => {
  test("every unit that returns is given out once more, and no other", async () => {
    const name = await created(50);
    await Promise.all(users(50, "first").map((user) => claim(name, user)));
    const releases = users(30, "first").flatMap((user) => [revoke(name, user), revoke(name, user)]);
    const claims = users(100, "later").map((user) => claim(name, user, { "Idempotency-Key": user }));
    expect(countOutcomes(await Promise.all(releases))).toEqual({ 200: 60 });
    const early = await Promise.all(claims);
    const rest = await Promise.all(users(100, "last").map((user) => claim(name, user)));

    const counts = countOutcomes([...early, ...rest]);
    expect(counts).toEqual({ 201: 30, "400 out_of_stock": 170 });
    expect((await read(name)).body["remaining_amount"]).toBe(0);
    await expectConserved(name);
  });

  test("one user's claims and releases at once end in nothing or in one unit, never in more", async () => {
    const name = await created(20);
    const mixed = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? claim(name, "ann") : revoke(name, "ann")));
    const answers = await Promise.all(mixed);
    const known = new Set(["200", "201", "404 claim_not_found", "409 already_claimed"]);
    expect(Object.keys(countOutcomes(answers)).filter((told) => !known.has(told))).toEqual([]);
    const { claims, releases } = await expectConserved(name);
    expect(claims.length + releases.length).toBe(countOutcomes(answers)["201"] ?? 0);
  });
});
