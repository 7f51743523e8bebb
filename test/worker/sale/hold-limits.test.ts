// The limits of a coupon's holds, and the operator's list and end of all holds.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { workerWith } from "../access/worker.ts";
import { expectRefused } from "../contract/wire.ts";
import { claim, create, created, freshName, look, send, type Answer } from "../../support/api.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { change, expectSound, releaseHold, hold, iso, MINUTE, outcome, own, pathOf, seqOf, setClock, status, T0 } from "./sale.ts";

function holdsOf(name: string, query = ""): Promise<Answer> {
  return send("GET", pathOf(name, "holds") + query);
}

function releaseAllHolds(name: string): Promise<Answer> {
  return send("DELETE", pathOf(name, "holds"));
}

/** The limits as the coupon shows them. */
async function limitsOf(name: string): Promise<unknown> {
  const { body } = await look(name);
  return { hold_seconds_max: body["hold_seconds_max"], holds_max: body["holds_max"] };
}

/** Stores `count` running holds, `user-00001` and so on, with their ledger entries. */
async function fillHolds(name: string, count: number): Promise<void> {
  await runInDurableObject(stubOf(name), (_object, { storage }) => {
    const rows = `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})`;
    const [userId, expiresAt] = ["printf('user-%05d', n)", T0 + MINUTE];
    storage.sql.exec(`INSERT INTO holds ${rows} SELECT ${userId}, ${T0}, ${expiresAt}, 'attempt-' || n FROM number`);
    storage.sql.exec(
      `INSERT INTO ledger (seq, at, kind, user_id, data)
       ${rows} SELECT n + 1, ${T0}, 'held', ${userId}, '{"expires_at":${expiresAt}}' FROM number`,
    );
    storage.sql.exec(`UPDATE coupon SET held = ${count}, seq = ${count + 1}`);
  });
  // The object remembers what it stored itself.
  await evictDurableObject(stubOf(name));
}

/** Values that neither limit takes. */
const NO_INTEGERS = [-1, 1.5, "60", true] as const;

describe("hold_seconds_max and holds_max at creation", () => {
  test("default to 900 seconds and no limit", async () => {
    expect(await limitsOf(await created(3))).toEqual({ hold_seconds_max: 900, holds_max: null });
  });

  test.for([
    [1, 0],
    [86_400, 2_147_483_647],
    [60, null],
  ])("are returned as they were sent: %j, %j", async ([holdSecondsMax, holdsMax]) => {
    const limits = { hold_seconds_max: holdSecondsMax, holds_max: holdsMax };
    const name = freshName();
    const answer = await create(name, 3, limits);
    expect([answer.status, answer.body]).toEqual([201, expect.objectContaining(limits)]);
    expect(await limitsOf(name)).toEqual(limits);
  });

  test.for<[string, unknown, string]>([
    ...[...NO_INTEGERS, 0, 86_401].map((value): [string, unknown, string] => ["hold_seconds_max", value, "is invalid"]),
    ["hold_seconds_max", null, "is required"],
    ...[...NO_INTEGERS, 2_147_483_648].map((value): [string, unknown, string] => ["holds_max", value, "is invalid"]),
  ])("refuse %s %j with invalid_request, and create nothing", async ([field, value, fault]) => {
    const name = freshName();
    const answer = await create(name, 3, { [field]: value });
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
    expect((await look(name)).status).toBe(404);
  });
});

describe("hold_seconds_max and holds_max in a change", () => {
  test("are absolute: what is absent stays, and the same again changes nothing", async () => {
    const name = await created(3, { hold_seconds_max: 60, holds_max: 2 });
    expect(seqOf(await change(name, { hold_seconds_max: 30 }))).toBe(2);
    expect(await limitsOf(name)).toEqual({ hold_seconds_max: 30, holds_max: 2 });
    expect(seqOf(await change(name, { holds_max: null }))).toBe(3);
    expect(await limitsOf(name)).toEqual({ hold_seconds_max: 30, holds_max: null });
    expect(seqOf(await change(name, { hold_seconds_max: 30, holds_max: null }))).toBe(3);
    await expectSound(name);
  });

  test.for<[string, unknown, string]>([
    ...[...NO_INTEGERS, 0, 86_401].map((value): [string, unknown, string] => ["hold_seconds_max", value, "is invalid"]),
    ["hold_seconds_max", null, "is required"],
    ...[...NO_INTEGERS, 2_147_483_648].map((value): [string, unknown, string] => ["holds_max", value, "is invalid"]),
  ])("refuse %s %j with invalid_request, and change nothing", async ([field, value, fault]) => {
    const name = await created(3, { hold_seconds_max: 60, holds_max: 2 });
    expectRefused(await change(name, { [field]: value }), "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect((await stored(name)).coupon.seq).toBe(1);
    expect(await limitsOf(name)).toEqual({ hold_seconds_max: 60, holds_max: 2 });
  });

  test("below what is held end no running hold and refuse the next", async () => {
    setClock(T0);
    const name = await created(5);
    await hold(name, "ann", 900);
    await hold(name, "bob", 900);
    expect((await change(name, { hold_seconds_max: 60, holds_max: 1 })).status).toBe(200);
    expect((await hold(name, "ann", 900)).body).toMatchObject({ expires_at: iso(T0 + 15 * MINUTE) });
    expect(outcome(await hold(name, "cid"))).toBe("409 hold_limit_reached");
    expect((await expectSound(name)).holds).toMatchObject([{ user_id: "ann" }, { user_id: "bob" }]);
  });
});

describe("a hold longer than hold_seconds_max", () => {
  test("is refused with hold_too_long and ttl_seconds_max; the longest is granted", async () => {
    setClock(T0);
    const name = await created(3, { hold_seconds_max: 60 });
    const answer = await hold(name, "ann", 61);
    expectRefused(answer, "400 hold_too_long", "ttl_seconds is longer than this coupon allows: send at most ttl_seconds_max");
    expect([answer.body["ttl_seconds_max"], seqOf(answer)]).toEqual([60, 1]);
    expect((await hold(name, "ann", 60)).body["expires_at"]).toBe(iso(T0 + MINUTE));
    await expectSound(name);
  });

  test("is granted once the operator allows it", async () => {
    setClock(T0);
    const name = await created(3);
    expect((await hold(name, "ann", 901)).body["ttl_seconds_max"]).toBe(900);
    await change(name, { hold_seconds_max: 86_400 });
    expect((await hold(name, "ann", 86_400)).body["expires_at"]).toBe(iso(T0 + 86_400_000));
    await expectSound(name);
  });

  test("is refused as the closed sale refuses it, where the sale is closed", async () => {
    const name = await created(3, { hold_seconds_max: 60 });
    await change(name, { paused: true });
    expect(outcome(await hold(name, "ann", 61))).toBe("403 sale_paused");
  });
});

describe("a hold beyond holds_max", () => {
  test("is refused with hold_limit_reached; a claim is granted", async () => {
    const name = await created(5, { holds_max: 1 });
    await hold(name, "ann");
    const answer = await hold(name, "bob");
    expectRefused(answer, "409 hold_limit_reached", "as many holds run as this coupon allows: try again later, or claim without a hold");
    expect(seqOf(answer)).toBe(2);
    expect((await hold(name, "ann")).status).toBe(200);
    expect((await claim(name, "bob")).status).toBe(201);
    await expectSound(name);
  });

  test.for<[string, (name: string) => Promise<unknown>]>([
    ["is released", (name) => releaseHold(name, "ann")],
    ["becomes a claim", (name) => claim(name, "ann")],
    ["ends by time", () => Promise.resolve(setClock(T0 + MINUTE))],
    ["is ended with all others", releaseAllHolds],
  ])("is granted after another one %s", async ([, happen]) => {
    setClock(T0);
    const name = await created(5, { holds_max: 1 });
    await hold(name, "ann");
    expect(outcome(await hold(name, "bob"))).toBe("409 hold_limit_reached");
    await happen(name);
    expect(outcome(await hold(name, "bob"))).toBe("201");
    await expectSound(name);
  });

  test("never runs, also where many users hold at once", async () => {
    const name = await created(50, { holds_max: 7 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => hold(name, `user-${index}`)));
    expect(answers.filter(({ status: code }) => code === 201)).toHaveLength(7);
    expect(new Set(answers.map(outcome))).toEqual(new Set(["201", "409 hold_limit_reached"]));
    expect((await expectSound(name)).coupon.held).toBe(7);
  });

  test("is each hold where holds_max is 0", async () => {
    expect(outcome(await hold(await created(5, { holds_max: 0 }), "ann"))).toBe("409 hold_limit_reached");
  });
});

describe("the list of holds", () => {
  test("has pages in the order of the user ids, without claims and ended holds", async () => {
    setClock(T0);
    const name = await created(9);
    for (const user of ["dan", "ann", "用户 🎉", "cid", "bob"]) await hold(name, user, user === "cid" ? 30 : 60);
    await claim(name, "dan");
    setClock(T0 + 30_000);
    const listed = (user: string) => ({ coupon_name: name, user_id: user, held_at: iso(T0), expires_at: iso(T0 + MINUTE) });
    const first = await holdsOf(name, "?limit=2");
    expect(first.body).toEqual({ holds: [listed("ann"), listed("bob")], next: "bob" });
    const second = await holdsOf(name, "?limit=2&after=bob");
    expect(second.body).toEqual({ holds: [listed("用户 🎉")], next: null });
    expect((await holdsOf(name)).body["holds"]).toHaveLength(3);
  });

  test("is empty where none runs, and 404 where there is no coupon", async () => {
    expect((await holdsOf(await created(1))).body).toEqual({ holds: [], next: null });
    expectRefused(await holdsOf(freshName()), "404 coupon_not_found", "coupon not found");
  });

  test.for(["0", "1001", "ten", "", "1.5"])("refuses limit %j", async (limit) => {
    expectRefused(await holdsOf(await created(1), `?limit=${limit}`), "400 invalid_request", "invalid request: limit is invalid");
  });
});

describe("the end of all holds", () => {
  test("ends 2,500 holds and returns their units", async () => {
    setClock(T0);
    const name = await created(3000);
    await fillHolds(name, 2500);
    expect((await status(name)).body).toMatchObject({ held_amount: 2500, remaining_amount: 500 });
    expect((await holdsOf(name, "?limit=1000&after=user-01000")).body["next"]).toBe("user-02000");

    const answer = await releaseAllHolds(name);
    expect([answer.status, answer.body]).toEqual([200, { coupon_name: name, ended_count: 2500, remaining_amount: 3000 }]);
    expect(seqOf(answer)).toBe(5001);
    expect((await status(name)).body).toMatchObject({ held_amount: 0, remaining_amount: 3000, seq: 5001 });
    expect((await look(name)).body).toMatchObject({ held_amount: 0, remaining_amount: 3000 });
    const { holds, ledger } = await expectSound(name);
    expect([holds, ledger.filter(({ kind }) => kind === "given_back").length]).toEqual([[], 2500]);
  });

  test("keeps the claims, and answers 0 the second time", async () => {
    const name = await created(5);
    await hold(name, "ann");
    await claim(name, "ann");
    await hold(name, "bob");
    expect((await releaseAllHolds(name)).body).toEqual({ coupon_name: name, ended_count: 1, remaining_amount: 4 });
    expect((await releaseAllHolds(name)).body).toEqual({ coupon_name: name, ended_count: 0, remaining_amount: 4 });
    expect([outcome(await own(name, "ann")), outcome(await own(name, "bob"))]).toEqual(["200", "404 claim_not_found"]);
    await expectSound(name);
  });

  test("of a coupon that does not exist is 404", async () => {
    expectRefused(await releaseAllHolds(freshName()), "404 coupon_not_found", "coupon not found");
  });
});

describe("held_amount", () => {
  test("is the units that running holds keep, in the status and in the coupon", async () => {
    setClock(T0);
    const name = await created(5);
    const heldAmounts = async () => [(await status(name)).body["held_amount"], (await look(name)).body["held_amount"]];
    expect(await heldAmounts()).toEqual([0, 0]);
    await hold(name, "ann");
    await hold(name, "bob");
    expect(await heldAmounts()).toEqual([2, 2]);
    await claim(name, "ann");
    expect(await heldAmounts()).toEqual([1, 1]);
    setClock(T0 + MINUTE);
    expect(await heldAmounts()).toEqual([0, 0]);
  });
});

describe("with ADMIN_TOKEN, the holds of all users", () => {
  test.for(["GET", "DELETE"])("are closed to %s without the token", async (method) => {
    const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });
    const name = await created(5);
    await hold(name, "ann");
    for (const sent of [{}, { authorization: "Bearer wrong" }]) {
      expect(outcome(await ask(method, pathOf(name, "holds"), sent))).toBe("401 unauthorized");
    }
    expect((await stored(name)).coupon.held).toBe(1);
    expect(outcome(await ask(method, pathOf(name, "holds"), { authorization: "Bearer operator" }))).toBe("200");
  });
});

describe("a late duplicate of the request that made a hold", () => {
  const request = { userId: "ann", ttlMs: 60_000, attemptId: "attempt-1" };

  test.for<[string, (name: string) => Promise<unknown>]>([
    ["its user released it", (name) => releaseHold(name, "ann")],
    ["the operator ended all holds", releaseAllHolds],
  ])("does not hold again after %s", async ([, happen]) => {
    const name = await created(5);
    expect(await stubOf(name).hold(request)).toMatchObject({ ok: true, isNew: true });
    await happen(name);
    expect(await stubOf(name).hold(request)).toMatchObject({ ok: false, code: "hold_released", seq: 3 });
    expect((await expectSound(name)).holds).toEqual([]);
    // A new request of the same user does.
    expect(await stubOf(name).hold({ ...request, attemptId: "attempt-2" })).toMatchObject({ ok: true, isNew: true, seq: 4 });
    await expectSound(name);
  });

  test("is answered as the request was while the hold runs", async () => {
    const name = await created(5);
    const first = await stubOf(name).hold(request);
    expect(first).toMatchObject({ ok: true, isNew: true, seq: 2 });
    expect(await stubOf(name).hold(request)).toEqual(first);
    expect(await stubOf(name).hold({ ...request, attemptId: "attempt-2" })).toEqual({ ...first, isNew: false });
    await expectSound(name);
  });
});
