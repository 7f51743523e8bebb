// A user's own claim: shown at once, and the same whatever happens to the sale.

import { expect, test } from "vitest";

import { claim, created, freshName, getUserClaim, hold, receiptOf, releaseHold, remove, revoke, seqOf } from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectRefused } from "../../support/wire.ts";

test("a user's claim is the receipt as it was granted, and is not cached", async () => {
  setClock(T0);
  const name = await created(5);
  await claim(name, "bob");
  const receipt = receiptOf(await claim(name, "ann"));
  setClock(T0 + MINUTE);
  const answer = await getUserClaim(name, "ann");
  expect([answer.status, seqOf(answer), answer.headers.get("Cache-Control")]).toEqual([200, 3, "no-store, no-transform"]);
  expect(answer.body).toEqual({ coupon_name: name, user_id: "ann", position: 2, claimed_at: iso(T0) });
  expect(answer.body).toEqual(receipt);
});

test("a user's claim shows each hold, release, claim and revoke at once", async () => {
  const name = await created(5);
  const shown: unknown[] = [];
  for (const act of [hold, releaseHold, hold, claim, revoke, hold]) {
    await act(name, "ann");
    const { status, body } = await getUserClaim(name, "ann");
    shown.push([status, Object.keys(body).toSorted().join(" ")]);
  }
  const none = [404, "code error request_id"];
  const held = [200, "coupon_name expires_at held_at user_id"];
  const claimed = [200, "claimed_at coupon_name position user_id"];
  expect(shown).toEqual([held, none, held, claimed, none, held]);
});

test("a user without a claim gets 404 claim_not_found, also after a refused claim", async () => {
  const name = await created(1);
  await claim(name, "winner");
  await claim(name, "loser");
  for (const user of ["loser", "unknown", "Winner", "winner "]) expectRefused(await getUserClaim(name, user), "404 claim_not_found");
});

test("a user's claim of a missing or deleted coupon is 404 coupon_not_found", async () => {
  const deleted = await created(1);
  await claim(deleted, "ann");
  await remove(deleted);
  for (const name of [freshName(), deleted]) {
    expectRefused(await getUserClaim(name, "ann"), "404 coupon_not_found", "coupon not found");
  }
});
