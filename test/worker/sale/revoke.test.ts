// A revoke: its unit returns to the stock exactly once, and a late duplicate does not claim it again.

import { evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";

import {
  claim,
  countOutcomes,
  created,
  freshName,
  getUserClaim,
  hold,
  listClaims,
  read,
  receiptOf,
  revoke,
  seqOf,
  users,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

const KEY = { "Idempotency-Key": "key" };

/** A coupon of 3 units. `ann` has the first, under a key, `bob` the second. A minute has passed since. */
async function sold(): Promise<{ readonly name: string; readonly receipt: Record<string, unknown> }> {
  setClock(T0);
  const name = await created(3);
  const receipt = receiptOf(await claim(name, "ann", KEY));
  await claim(name, "bob");
  setClock(T0 + MINUTE);
  return { name, receipt };
}

test("a revoke answers the receipt, released_at and the remaining amount", async () => {
  const { name, receipt } = await sold();
  const answer = await revoke(name, "ann");
  expect([answer.status, seqOf(answer)]).toEqual([200, 4]);
  expect(answer.body).toEqual({ ...receipt, released_at: iso(T0 + MINUTE), remaining_amount: 2 });
  const { releases, ledger } = await expectConserved(name);
  expect(releases).toMatchObject([{ user_id: "ann", position: 1, released_at: T0 + MINUTE }]);
  expect(ledger.at(-1)).toMatchObject({ seq: 4, at: T0 + MINUTE, kind: "released", user_id: "ann", position: 1 });
});

test("a repeated revoke answers the same and changes nothing, also after evictions", async () => {
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

test("a revoke removes the user from claimed_by, the list and the user's own claim", async () => {
  const { name } = await sold();
  await revoke(name, "ann");
  expect((await read(name)).body["claimed_by"]).toEqual(["bob"]);
  expect((await listClaims(name)).body).toMatchObject({ claims: [{ user_id: "bob", position: 2 }], next: null });
  expectRefused(await getUserClaim(name, "ann"), "404 claim_not_found");
});

test("a revoke of a user without a claim gets 404 and leaves a hold", async () => {
  const { name } = await sold();
  for (const query of ["", "?position=1"]) expectRefused(await revoke(name, "cid", query), "404 claim_not_found");
  await hold(name, "cid");
  expectRefused(await revoke(name, "cid"), "404 claim_not_found");
  expect((await getUserClaim(name, "cid")).status).toBe(200);
  expectRefused(await revoke(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
  await expectConserved(name);
});

test("a revoke with ?position= revokes that claim and answers a retry the same", async () => {
  const { name } = await sold();
  const first = await revoke(name, "bob", "?position=2");
  expect([first.status, first.body["position"]]).toEqual([200, 2]);
  for (const query of ["?position=2", ""]) expect((await revoke(name, "bob", query)).body).toEqual(first.body);
  await expectConserved(name);
});

test("a revoke with ?position= of another claim gets 409 and revokes nothing", async () => {
  const { name, receipt } = await sold();
  for (const position of ["2", "3", "9007199254740991"]) {
    const answer = await revoke(name, "ann", `?position=${position}`);
    expectRefused(answer, "409 position_mismatch");
    expect([answer.body["claim"], seqOf(answer)]).toEqual([receipt, 3]);
  }
  await expectConserved(name);
});

test("a revoke with ?position= never revokes the claim that the user made since", async () => {
  const { name } = await sold();
  await revoke(name, "ann", "?position=1");
  expect((await claim(name, "ann")).body["position"]).toBe(3);
  const late = await revoke(name, "ann", "?position=1");
  expectRefused(late, "409 position_mismatch");
  expect(late.body["claim"]).toMatchObject({ user_id: "ann", position: 3 });

  // Once both are revoked, each position answers its own claim.
  await revoke(name, "ann", "?position=3");
  const answers = await Promise.all(["?position=1", "?position=3", ""].map((query) => revoke(name, "ann", query)));
  expect(answers.map(({ body }) => body["position"])).toEqual([1, 3, 3]);
  expectRefused(await revoke(name, "ann", "?position=2"), "404 claim_not_found");
  await expectConserved(name);
});

test.for(["0", "-1", "1.5", "01", "1e1", "one", "", "%201", "99999999999999999"])(
  "a revoke with ?position= of %o gets 400",
  async (position) => {
    const { name } = await sold();
    const answer = await revoke(name, "ann", `?position=${position}`);
    expectRefused(answer, "400 invalid_request", "invalid request: position must be an integer from 1 to 9007199254740991");
    expect((await stored(name)).coupon.claimed).toBe(2);
  },
);

test("a revoked user may claim again and gets a new position", async () => {
  const { name } = await sold();
  await revoke(name, "ann");
  const again = await claim(name, "ann");
  expect(again.body).toMatchObject({ position: 3, claimed_at: iso(T0 + MINUTE), remaining_amount: 1 });
  expect((await read(name)).body["claimed_by"]).toEqual(["bob", "ann"]);
  await expectConserved(name);
});

test("a revoked user gets 409 with the revoked receipt for the old key", async () => {
  const { name, receipt } = await sold();
  await revoke(name, "ann");
  for (let time = 1; time <= 2; time += 1) {
    const late = await claim(name, "ann", KEY);
    expectRefused(late, "409 claim_released");
    expect([late.body["claim"], seqOf(late), late.headers.get("Idempotent-Replayed")]).toEqual([receipt, 4, null]);
    await evictDurableObject(stubOf(name));
  }
  const answers = await Promise.all(Array.from({ length: 50 }, () => claim(name, "ann", KEY)));
  expect(countOutcomes(answers)).toEqual({ "409 claim_released": 50 });
  await expectConserved(name);
});

test("claims and revokes at once give out every returned unit once", async () => {
  const name = await created(50);
  await Promise.all(users(50, "first").map((user) => claim(name, user)));
  const revokes = users(30, "first").flatMap((user) => [revoke(name, user), revoke(name, user)]);
  const claims = users(100, "later").map((user) => claim(name, user, { "Idempotency-Key": user }));
  expect(countOutcomes(await Promise.all(revokes))).toEqual({ 200: 60 });
  const early = await Promise.all(claims);
  const rest = await Promise.all(users(100, "last").map((user) => claim(name, user)));
  expect(countOutcomes([...early, ...rest])).toEqual({ 201: 30, "400 out_of_stock": 170 });
  expect((await read(name)).body["remaining_amount"]).toBe(0);
  await expectConserved(name, [...early, ...rest]);
});

test("claims and revokes of one user at once end in one unit at most", async () => {
  const name = await created(20);
  const mixed = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? claim(name, "ann") : revoke(name, "ann")));
  const answers = await Promise.all(mixed);
  const known = new Set(["200", "201", "404 claim_not_found", "409 already_claimed"]);
  expect(Object.keys(countOutcomes(answers)).filter((outcome) => !known.has(outcome))).toEqual([]);
  const { claims, releases } = await expectConserved(name, answers);
  expect(claims.length + releases.length).toBe(countOutcomes(answers)["201"] ?? 0);
});
