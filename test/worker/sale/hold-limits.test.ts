// The limits of a coupon's holds, and the operator's list and release of all holds.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";

import {
  change,
  claim,
  create,
  created,
  freshName,
  getUserClaim,
  hold,
  outcomeOf,
  pathOf,
  read,
  readStatus,
  send,
  seqOf,
  type Answer,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";

function holdsOf(name: string, query = ""): Promise<Answer> {
  return send("GET", pathOf(name, "holds") + query);
}

function releaseAllHolds(name: string): Promise<Answer> {
  return send("DELETE", pathOf(name, "holds"));
}

/** The limits as the coupon shows them. */
async function limitsOf(name: string): Promise<unknown> {
  const { body } = await read(name);
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
  // An object caches what it stored.
  await evictDurableObject(stubOf(name));
}

/** Invalid limits, and their fault. */
const INVALID_LIMITS: readonly (readonly [string, unknown, string])[] = [
  ...[null, -1, 1.5, "60", true, 0, 86_401].map((value) => ["hold_seconds_max", value, "must be an integer from 1 to 86400"] as const),
  ...[-1, 1.5, "60", true, 2_147_483_648].map((value) => ["holds_max", value, "must be an integer from 0 to 2147483647, or null"] as const),
];

test("hold_seconds_max is 900 and holds_max is null by default", async () => {
  expect(await limitsOf(await created(3))).toEqual({ hold_seconds_max: 900, holds_max: null });
});

test.for([
  [1, 0],
  [86_400, 2_147_483_647],
  [60, null],
])("a coupon created with hold_seconds_max %j and holds_max %j has them", async ([holdSecondsMax, holdsMax]) => {
  const limits = { hold_seconds_max: holdSecondsMax, holds_max: holdsMax };
  const name = freshName();
  const answer = await create(name, 3, limits);
  expect([answer.status, answer.body]).toEqual([201, expect.objectContaining(limits)]);
  expect(await limitsOf(name)).toEqual(limits);
});

test.for(INVALID_LIMITS)("a create and a change with %s %j get 400 and do nothing", async ([field, value, fault]) => {
  const missing = freshName();
  const name = await created(3, { hold_seconds_max: 60, holds_max: 2 });
  for (const answer of [await create(missing, 3, { [field]: value }), await change(name, { [field]: value })]) {
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
  }
  expect((await read(missing)).status).toBe(404);
  expect((await stored(name)).coupon.seq).toBe(1);
  expect(await limitsOf(name)).toEqual({ hold_seconds_max: 60, holds_max: 2 });
});

test("a change of the limits leaves an absent limit and changes nothing when repeated", async () => {
  const name = await created(3, { hold_seconds_max: 60, holds_max: 2 });
  expect(seqOf(await change(name, { hold_seconds_max: 30 }))).toBe(2);
  expect(await limitsOf(name)).toEqual({ hold_seconds_max: 30, holds_max: 2 });
  expect(seqOf(await change(name, { holds_max: null }))).toBe(3);
  expect(await limitsOf(name)).toEqual({ hold_seconds_max: 30, holds_max: null });
  expect(seqOf(await change(name, { hold_seconds_max: 30, holds_max: null }))).toBe(3);
  await expectConserved(name);
});

test("a hold longer than hold_seconds_max gets ttl_seconds_max, while the longest is granted", async () => {
  setClock(T0);
  const name = await created(3, { hold_seconds_max: 60 });
  const answer = await hold(name, "ann", 61);
  expectRefused(answer, "400 hold_too_long");
  expect([answer.body["ttl_seconds_max"], seqOf(answer)]).toEqual([60, 1]);
  expect((await hold(name, "ann", 60)).body["expires_at"]).toBe(iso(T0 + MINUTE));
  await expectConserved(name);
});

test("a hold beyond holds_max gets hold_limit_reached, while a claim is granted", async () => {
  const name = await created(5, { holds_max: 1 });
  await hold(name, "ann");
  const answer = await hold(name, "bob");
  expectRefused(answer, "409 hold_limit_reached");
  expect(seqOf(answer)).toBe(2);
  expect((await hold(name, "ann")).status).toBe(200);
  expect((await claim(name, "bob")).status).toBe(201);
  await expectConserved(name);
});

test("the list of holds has pages by user id, without claims and expired holds", async () => {
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

test("the list of holds is empty without holds, and 404 without a coupon", async () => {
  expect((await holdsOf(await created(1))).body).toEqual({ holds: [], next: null });
  for (const ask of [holdsOf, releaseAllHolds]) expectRefused(await ask(freshName()), "404 coupon_not_found", "coupon not found");
});

test.for(["0", "1001", "ten", "", "1.5"])("the list of holds with limit %j gets 400", async (limit) => {
  expectRefused(
    await holdsOf(await created(1), `?limit=${limit}`),
    "400 invalid_request",
    "invalid request: limit must be an integer from 1 to 1000",
  );
});

test("the release of all holds releases 2,500 holds and returns their units", async () => {
  setClock(T0);
  const name = await created(3000);
  await fillHolds(name, 2500);
  expect((await readStatus(name)).body).toMatchObject({ held_amount: 2500, remaining_amount: 500 });
  expect((await holdsOf(name, "?limit=1000&after=user-01000")).body["next"]).toBe("user-02000");

  const answer = await releaseAllHolds(name);
  expect([answer.status, answer.body]).toEqual([200, { coupon_name: name, ended_count: 2500, remaining_amount: 3000 }]);
  expect(seqOf(answer)).toBe(5001);
  expect((await readStatus(name)).body).toMatchObject({ held_amount: 0, remaining_amount: 3000, seq: 5001 });
  expect((await read(name)).body).toMatchObject({ held_amount: 0, remaining_amount: 3000 });
  const { holds, ledger } = await expectConserved(name);
  expect([holds, ledger.filter(({ kind }) => kind === "given_back").length]).toEqual([[], 2500]);
});

test("the release of all holds keeps the claims and answers ended_count 0 when repeated", async () => {
  const name = await created(5);
  await hold(name, "ann");
  await claim(name, "ann");
  await hold(name, "bob");
  expect((await releaseAllHolds(name)).body).toEqual({ coupon_name: name, ended_count: 1, remaining_amount: 4 });
  expect((await releaseAllHolds(name)).body).toEqual({ coupon_name: name, ended_count: 0, remaining_amount: 4 });
  expect([outcomeOf(await getUserClaim(name, "ann")), outcomeOf(await getUserClaim(name, "bob"))]).toEqual(["200", "404 claim_not_found"]);
  await expectConserved(name);
});

test.for(["GET", "DELETE"])("%s of all holds needs the operator's token", async (method) => {
  const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });
  const name = await created(5);
  await hold(name, "ann");
  for (const sent of [{}, { authorization: "Bearer wrong" }]) {
    expect(outcomeOf(await ask(method, pathOf(name, "holds"), sent))).toBe("401 unauthorized");
  }
  expect((await stored(name)).coupon.held).toBe(1);
  expect(outcomeOf(await ask(method, pathOf(name, "holds"), { authorization: "Bearer operator" }))).toBe("200");
});
