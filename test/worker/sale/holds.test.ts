// Holds: a unit kept for one user, who turns it into a claim or gives it back.

import { describe, expect, test } from "vitest";

import { expectRefused } from "../contract/wire.ts";
import { claim, created, freshName, look, send, tally, users } from "../../support/api.ts";
import { stored } from "../../support/storage.ts";
import { change, expectSound, releaseHold, hold, iso, list, MINUTE, outcome, own, pathOf, seqOf, setClock, status, T0 } from "./sale.ts";

/** A coupon of `amount` units, one of which is held for `ann` for a minute. */
async function held(amount = 3): Promise<string> {
  setClock(T0);
  const name = await created(amount);
  await hold(name, "ann");
  return name;
}

/** What makes a sale closed for everybody else; each leaves ann's hold as it is. */
const CLOSED = {
  "sold out": { amount: 1 },
  paused: { paused: true },
  ended: { ends_at: iso(T0) },
  scheduled: { starts_at: iso(T0 + MINUTE) },
} as const;
const CLOSED_STATES = ["sold out", "paused", "ended", "scheduled"] as const;

describe("holding a unit", () => {
  test("answers 201 with whose it is, from when to when, and what remains", async () => {
    setClock(T0);
    const name = await created(3);
    const answer = await hold(name, "ann", 90);
    expect([answer.status, seqOf(answer)]).toEqual([201, 2]);
    const expected = { coupon_name: name, user_id: "ann", held_at: iso(T0), expires_at: iso(T0 + 90_000), remaining_amount: 2 };
    expect(answer.body).toEqual(expected);
    const { holds, ledger } = await expectSound(name);
    expect(holds).toMatchObject([{ user_id: "ann", held_at: T0, expires_at: T0 + 90_000 }]);
    expect(ledger.at(-1)).toMatchObject({ seq: 2, at: T0, kind: "held", user_id: "ann", data: `{"expires_at":${T0 + 90_000}}` });
  });

  test("again answers 200 with the same hold, never a longer one, and changes nothing", async () => {
    const name = await held();
    const { remaining_amount: _left, ...first } = (await hold(name, "ann")).body;
    await claim(name, "bob");
    setClock(T0 + 30_000);
    for (const ttl of [60, 1, 86_400]) {
      const again = await hold(name, "ann", ttl);
      expect([again.status, again.body, seqOf(again)]).toEqual([200, { ...first, remaining_amount: 1 }, 3]);
    }
    expect((await expectSound(name)).holds).toMatchObject([{ held_at: T0, expires_at: T0 + MINUTE }]);
  });

  test("is one for each user of each coupon", async () => {
    const [one, other] = [await held(), await held()];
    expect(await Promise.all([one, other].map(async (name) => (await look(name)).body["remaining_amount"]))).toEqual([2, 2]);
    expect((await hold(one, "Ann")).status).toBe(201);
    await expectSound(one);
  });

  test("counts wherever the rest is told, and nowhere as a claim", async () => {
    const name = await held();
    await claim(name, "bob");
    const shown = await Promise.all([look(name), status(name), hold(name, "ann")]);
    expect(shown.map(({ body }) => body["remaining_amount"])).toEqual([1, 1, 1]);
    expect((await look(name)).body).toMatchObject({ amount: 3, claimed_by: ["bob"] });
    expect((await list(name)).body["claims"]).toMatchObject([{ user_id: "bob" }]);
    expect((await claim(name, "cid")).body["remaining_amount"]).toBe(0);
    expect((await status(name)).body).toMatchObject({ state: "sold_out", remaining_amount: 0 });
    await expectSound(name);
  });

  test("by others blocks the last unit, for claims and for holds", async () => {
    const name = await held(1);
    expectRefused(await claim(name, "bob"), "400 out_of_stock", "coupon out of stock");
    expectRefused(await hold(name, "bob"), "400 out_of_stock", "coupon out of stock");
    expect((await own(name, "bob")).status).toBe(404);
    await expectSound(name);
  });

  test("is no use to who has a claim: 409 with the receipt", async () => {
    const name = await held();
    const { remaining_amount: _left, ...receipt } = (await claim(name, "bob")).body;
    const answer = await hold(name, "bob");
    expectRefused(answer, "409 already_claimed", "coupon already claimed by user");
    expect([answer.body["claim"], seqOf(answer)]).toEqual([receipt, 3]);
    await expectSound(name);
  });

  test.for([
    ["sold out", "400 out_of_stock", "coupon out of stock"],
    ["paused", "403 sale_paused", "the sale is paused: claim again when its state is open"],
    ["ended", "403 sale_ended", "the sale has ended"],
    ["scheduled", "403 sale_not_started", "the sale has not started: see starts_at"],
  ] as const)("of a sale that is %s is refused as a claim is; who holds already is told of that", async ([state, told, sentence]) => {
    const name = await held();
    await change(name, CLOSED[state]);
    expectRefused(await hold(name, "bob"), told, sentence);
    expect((await hold(name, "ann")).body).toMatchObject({ expires_at: iso(T0 + MINUTE) });
    expect((await own(name, "ann")).status).toBe(200);
    await expectSound(name);
  });

  test("of a coupon that nobody created is 404", async () => {
    expectRefused(await hold(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
    expectRefused(await releaseHold(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
  });
});

describe("what is sent to hold a unit", () => {
  test.for([1, 60, 900])("is granted for %i seconds", async (seconds) => {
    setClock(T0);
    expect((await hold(await created(1), "ann", seconds)).body["expires_at"]).toBe(iso(T0 + seconds * 1000));
  });

  test.for([
    [{ user_id: "ann", ttl_seconds: 0 }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: -1 }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: 86_401 }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: 1.5 }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: "60" }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: true }, "ttl_seconds is invalid"],
    [{ user_id: "ann", ttl_seconds: null }, "ttl_seconds is required"],
    [{ user_id: "ann" }, "ttl_seconds is required"],
    [{ ttl_seconds: 60 }, "user_id is required"],
    [{ user_id: "  ", ttl_seconds: 60 }, "user_id cannot be whitespace only"],
    [{ user_id: 5, ttl_seconds: 60 }, "user_id is invalid"],
    [{ user_id: "a".repeat(256), ttl_seconds: 60 }, "user_id exceeds maximum length of 255"],
  ] as const)("%o is refused: %s", async ([body, fault]) => {
    const name = await created(1);
    const answer = await send("POST", pathOf(name, "holds"), { body });
    expectRefused(answer, "400 invalid_request", `invalid request: ${fault}`);
    expect((await stored(name)).coupon.seq).toBe(1);
  });

  test("must be an object of at most 16 KiB", async () => {
    const path = pathOf(await created(1), "holds");
    expectRefused(await send("POST", path, { raw: "[]" }), "400 invalid_request", "invalid request body");
    const large = { user_id: "ann", ttl_seconds: 60, junk: "x".repeat(16 * 1024) };
    expect(outcome(await send("POST", path, { body: large }))).toBe("413 payload_too_large");
  });
});

describe("a claim by the holder", () => {
  test("turns the hold into the claim, and takes no second unit", async () => {
    const name = await held();
    expect((await look(name)).body["remaining_amount"]).toBe(2);
    const answer = await claim(name, "ann", { "Idempotency-Key": "key" });
    expect([answer.status, answer.body["position"], answer.body["remaining_amount"], seqOf(answer)]).toEqual([201, 1, 2, 3]);
    expect((await look(name)).body).toMatchObject({ remaining_amount: 2, claimed_by: ["ann"] });

    const replay = await claim(name, "ann", { "Idempotency-Key": "key" });
    expect([replay.status, replay.body, replay.headers.get("Idempotent-Replayed")]).toEqual([201, answer.body, "true"]);
    const { holds, ledger } = await expectSound(name);
    expect([holds, ledger.map(({ kind }) => kind)]).toEqual([[], ["created", "held", "claimed"]]);
  });

  test.for(CLOSED_STATES)("wins also when the sale is %s for everybody else", async (state) => {
    const name = await held();
    const { body } = await change(name, CLOSED[state]);
    const answer = await claim(name, "ann");
    expect([answer.status, answer.body["position"], answer.body["remaining_amount"]]).toEqual([201, 1, body["remaining_amount"]]);
    expect(outcome(await claim(name, "bob"))).not.toBe("201");
    await expectSound(name);
  });

  test("50 times at once is one claim", async () => {
    const name = await held();
    const answers = await Promise.all(Array.from({ length: 50 }, () => claim(name, "ann")));
    expect(tally(answers)).toEqual({ 201: 1, "409 already_claimed": 49 });
    expect((await look(name)).body["remaining_amount"]).toBe(2);
    await expectSound(name);
  });
});

describe("giving a hold back", () => {
  test("answers 204 without a body; the unit remains for others; again it changes nothing", async () => {
    const name = await held(1);
    const first = await releaseHold(name, "ann");
    expect([first.status, first.body, seqOf(first)]).toEqual([204, {}, 3]);
    const again = await releaseHold(name, "ann");
    expect([again.status, seqOf(again)]).toEqual([204, 3]);
    expect((await claim(name, "bob")).body).toMatchObject({ position: 1, remaining_amount: 0 });
    const { ledger } = await expectSound(name);
    expect(ledger.map(({ kind, user_id }) => [kind, user_id])).toEqual([
      ["created", null],
      ["held", "ann"],
      ["given_back", "ann"],
      ["claimed", "bob"],
    ]);
  });

  test("of who holds nothing is 204; of who has a claim, too, and takes nothing of it", async () => {
    const name = await held();
    await claim(name, "ann");
    for (const user of ["ann", "nobody"]) expect((await releaseHold(name, user)).status).toBe(204);
    expect((await look(name)).body).toMatchObject({ remaining_amount: 2, claimed_by: ["ann"] });
    expect((await stored(name)).coupon.seq).toBe(3);
  });

  test("ends it: who held may hold again, from then on", async () => {
    const name = await held(1);
    setClock(T0 + 30_000);
    await releaseHold(name, "ann");
    expect((await hold(name, "ann")).body).toMatchObject({ held_at: iso(T0 + 30_000), expires_at: iso(T0 + 90_000) });
    await expectSound(name);
  });
});

describe("storms", () => {
  test("50 users on 5 units: 5 hold one, and they alone can claim", async () => {
    const name = await created(5);
    const answers = await Promise.all(users(50).map((user) => hold(name, user)));
    expect(tally(answers)).toEqual({ 201: 5, "400 out_of_stock": 45 });
    const holders = new Set(answers.filter(({ status: code }) => code === 201).map(({ body }) => String(body["user_id"])));
    const claims = await Promise.all(users(50).map((user) => claim(name, user)));
    expect(tally(claims)).toEqual({ 201: 5, "400 out_of_stock": 45 });
    const { claims: rows } = await expectSound(name);
    expect(new Set(rows.map(({ user_id }) => user_id))).toEqual(holders);
  });

  test("one user 50 times at once holds one unit", async () => {
    const name = await created(5);
    const answers = await Promise.all(Array.from({ length: 50 }, () => hold(name, "ann")));
    expect(tally(answers)).toEqual({ 200: 49, 201: 1 });
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await expectSound(name);
  });

  test("of holds, claims and hands given back leave the coupon conserved", async () => {
    const name = await created(20);
    const all = users(40).flatMap((user) => [hold(name, user), claim(name, user), releaseHold(name, user), hold(name, `late-${user}`)]);
    const known = new Set(["200", "201", "204", "400 out_of_stock", "409 already_claimed"]);
    expect(Object.keys(tally(await Promise.all(all))).filter((told) => !known.has(told))).toEqual([]);
    await expectSound(name);
  });
});
