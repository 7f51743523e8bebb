// Holds: a unit kept for one user, who claims it or releases it.

import { expect, test } from "vitest";

import {
  claim,
  countOutcomes,
  created,
  freshName,
  getUserClaim,
  hold,
  listClaims,
  outcomeOf,
  pathOf,
  read,
  readStatus,
  receiptOf,
  releaseHold,
  send,
  seqOf,
  users,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

/** A coupon of `amount` units, one of which is held for `ann` for a minute. */
async function held(amount = 3): Promise<string> {
  setClock(T0);
  const name = await created(amount);
  await hold(name, "ann");
  return name;
}

test("a hold answers 201 with its user, its times and the remaining amount", async () => {
  setClock(T0);
  const name = await created(3);
  const answer = await hold(name, "ann", 90);
  expect([answer.status, seqOf(answer)]).toEqual([201, 2]);
  const expected = { coupon_name: name, user_id: "ann", held_at: iso(T0), expires_at: iso(T0 + 90_000), remaining_amount: 2 };
  expect(answer.body).toEqual(expected);
  const { holds, ledger } = await expectConserved(name);
  expect(holds).toMatchObject([{ user_id: "ann", held_at: T0, expires_at: T0 + 90_000 }]);
  expect(ledger.at(-1)).toMatchObject({ seq: 2, at: T0, kind: "held", user_id: "ann", data: `{"expires_at":${T0 + 90_000}}` });
});

test("a hold that is repeated answers 200 with the same times and changes nothing", async () => {
  const name = await held();
  const first = receiptOf(await hold(name, "ann"));
  await claim(name, "bob");
  setClock(T0 + 30_000);
  for (const ttl of [60, 1, 86_400]) {
    const again = await hold(name, "ann", ttl);
    expect([again.status, again.body, seqOf(again)]).toEqual([200, { ...first, remaining_amount: 1 }, 3]);
  }
  expect((await expectConserved(name)).holds).toMatchObject([{ held_at: T0, expires_at: T0 + MINUTE }]);
});

test("a hold lowers every remaining amount and is no claim", async () => {
  const name = await held();
  await claim(name, "bob");
  const shown = await Promise.all([read(name), readStatus(name), hold(name, "ann")]);
  expect(shown.map(({ body }) => body["remaining_amount"])).toEqual([1, 1, 1]);
  expect((await read(name)).body).toMatchObject({ amount: 3, claimed_by: ["bob"] });
  expect((await listClaims(name)).body["claims"]).toMatchObject([{ user_id: "bob" }]);
  expect((await claim(name, "cid")).body["remaining_amount"]).toBe(0);
  expect((await readStatus(name)).body).toMatchObject({ state: "sold_out", remaining_amount: 0 });
  await expectConserved(name);
});

test("after a hold of the last unit other claims and holds get out_of_stock", async () => {
  const name = await held(1);
  expectRefused(await claim(name, "bob"), "400 out_of_stock", "coupon out of stock");
  expectRefused(await hold(name, "bob"), "400 out_of_stock", "coupon out of stock");
  expect((await getUserClaim(name, "bob")).status).toBe(404);
  await expectConserved(name);
});

test("a hold by a user who has a claim gets 409 with the receipt", async () => {
  const name = await held();
  const receipt = receiptOf(await claim(name, "bob"));
  const answer = await hold(name, "bob");
  expectRefused(answer, "409 already_claimed", "coupon already claimed by user");
  expect([answer.body["claim"], seqOf(answer)]).toEqual([receipt, 3]);
  await expectConserved(name);
});

test("a hold of a missing coupon gets 404, as does its release", async () => {
  for (const ask of [hold, releaseHold]) expectRefused(await ask(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
});

test.for([
  [{ user_id: "ann", ttl_seconds: 0 }, "ttl_seconds must be an integer from 1 to 86400"],
  [{ user_id: "ann", ttl_seconds: -1 }, "ttl_seconds must be an integer from 1 to 86400"],
  [{ user_id: "ann", ttl_seconds: 86_401 }, "ttl_seconds must be an integer from 1 to 86400"],
  [{ user_id: "ann", ttl_seconds: 1.5 }, "ttl_seconds must be an integer from 1 to 86400"],
  [{ user_id: "ann", ttl_seconds: "60" }, "ttl_seconds must be an integer from 1 to 86400"],
  [{ user_id: "ann", ttl_seconds: null }, "ttl_seconds is required"],
  [{ user_id: "ann" }, "ttl_seconds is required"],
  [{ ttl_seconds: 60 }, "user_id is required"],
  [{ user_id: "  ", ttl_seconds: 60 }, "user_id cannot be whitespace only"],
  [{ user_id: 5, ttl_seconds: 60 }, "user_id is invalid"],
  [{ user_id: "a".repeat(256), ttl_seconds: 60 }, "user_id exceeds maximum length of 255"],
] as const)("the hold %j gets 400: %s", async ([body, fault]) => {
  const name = await created(1);
  expectRefused(await send("POST", pathOf(name, "holds"), { body }), "400 invalid_request", `invalid request: ${fault}`);
  expect((await stored(name)).coupon.seq).toBe(1);
});

test("a hold needs a body that is an object of at most 16 KiB", async () => {
  const path = pathOf(await created(1), "holds");
  expectRefused(await send("POST", path, { raw: "[]" }), "400 invalid_request", "invalid request body");
  const large = { user_id: "ann", ttl_seconds: 60, junk: "x".repeat(16 * 1024) };
  expect(outcomeOf(await send("POST", path, { body: large }))).toBe("413 payload_too_large");
});

test("a holder's claim takes the held unit and no other, and can be replayed", async () => {
  const name = await held();
  const answer = await claim(name, "ann", { "Idempotency-Key": "key" });
  expect([answer.status, answer.body["position"], answer.body["remaining_amount"], seqOf(answer)]).toEqual([201, 1, 2, 3]);
  expect((await read(name)).body).toMatchObject({ remaining_amount: 2, claimed_by: ["ann"] });

  const replay = await claim(name, "ann", { "Idempotency-Key": "key" });
  expect([replay.status, replay.body, replay.headers.get("Idempotent-Replayed")]).toEqual([201, answer.body, "true"]);
  const { holds, ledger } = await expectConserved(name, [answer]);
  expect([holds, ledger.map(({ kind }) => kind)]).toEqual([[], ["created", "held", "claimed"]]);
});

test("a holder who claims 50 times at once gets one claim", async () => {
  const name = await held();
  const answers = await Promise.all(Array.from({ length: 50 }, () => claim(name, "ann")));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 49 });
  expect((await read(name)).body["remaining_amount"]).toBe(2);
  await expectConserved(name);
});

test("a released hold returns its unit, and a repeated release changes nothing", async () => {
  const name = await held(1);
  const first = await releaseHold(name, "ann");
  expect([first.status, first.body, seqOf(first)]).toEqual([204, {}, 3]);
  const again = await releaseHold(name, "ann");
  expect([again.status, seqOf(again)]).toEqual([204, 3]);
  expect((await claim(name, "bob")).body).toMatchObject({ position: 1, remaining_amount: 0 });
  const { ledger } = await expectConserved(name);
  expect(ledger.map(({ kind, user_id }) => `${kind} ${user_id}`)).toEqual(["created null", "held ann", "given_back ann", "claimed bob"]);
});

test("a release without a hold answers 204 and leaves a claim", async () => {
  const name = await held();
  await claim(name, "ann");
  for (const user of ["ann", "unknown"]) expect((await releaseHold(name, user)).status).toBe(204);
  expect((await read(name)).body).toMatchObject({ remaining_amount: 2, claimed_by: ["ann"] });
  expect((await stored(name)).coupon.seq).toBe(3);
});

test("50 holds at once of 5 units make 5 holders, who alone can claim", async () => {
  const name = await created(5);
  const answers = await Promise.all(users(50).map((user) => hold(name, user)));
  expect(countOutcomes(answers)).toEqual({ 201: 5, "400 out_of_stock": 45 });
  const holders = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => String(body["user_id"])));
  const claims = await Promise.all(users(50).map((user) => claim(name, user)));
  expect(countOutcomes(claims)).toEqual({ 201: 5, "400 out_of_stock": 45 });
  const { claims: rows } = await expectConserved(name, claims);
  expect(new Set(rows.map(({ user_id }) => user_id))).toEqual(holders);
});

test("holds, claims and releases at once leave the coupon conserved", async () => {
  const name = await created(20);
  const all = users(40).flatMap((user) => [hold(name, user), claim(name, user), releaseHold(name, user), hold(name, `late-${user}`)]);
  const answers = await Promise.all(all);
  const known = new Set(["200", "201", "204", "400 out_of_stock", "409 already_claimed"]);
  expect(Object.keys(countOutcomes(answers)).filter((outcome) => !known.has(outcome))).toEqual([]);
  await expectConserved(name, answers);
});
