// A deleted coupon is gone. A later coupon of the same name shares nothing with it.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";

import { NOTICE_ALARM_MS } from "../../../src/domain/delivery-limits.ts";
import {
  change,
  claim,
  countOutcomes,
  create,
  created,
  etagOf,
  getUserClaim,
  hold,
  listClaims,
  outcomeOf,
  read,
  readStatus,
  releaseHold,
  remove,
  revoke,
  seqOf,
  users,
  type Answer,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { alarmOf, expectNothingStored, runSql, stored, storedBy, stubOf, tablesOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

/** A coupon of 10 units that was used in every way: claimed, held, revoked, changed. */
async function used(): Promise<string> {
  setClock(T0);
  const name = await created(9);
  await claim(name, "winner", { "Idempotency-Key": "key" });
  await claim(name, "revoked", { "Idempotency-Key": "revoked-key" });
  await revoke(name, "revoked");
  await hold(name, "holder");
  await change(name, { amount: 10 });
  return name;
}

const ROUTES: readonly ((name: string) => Promise<Answer>)[] = [
  read,
  (name) => readStatus(name),
  (name) => listClaims(name),
  (name) => getUserClaim(name, "winner"),
  (name) => claim(name, "winner", { "Idempotency-Key": "key" }),
  (name) => hold(name, "holder"),
  (name) => releaseHold(name, "holder"),
  (name) => revoke(name, "winner"),
  (name) => change(name, { amount: 20 }),
  remove,
];

test("a delete answers 204, removes all storage, and makes every route answer 404", async () => {
  const name = await used();
  expect([(await tablesOf(stubOf(name).id)).length, await alarmOf(name)]).toEqual([6, T0 + MINUTE]);
  const { status, body, headers } = await remove(name);
  expect([status, body, headers.get("Content-Type"), headers.get("Coupon-Seq")]).toEqual([204, {}, null, "0"]);
  expect((await tablesOf(stubOf(name).id)).filter((table) => !table.startsWith("ledger_"))).toEqual(["departed"]);
  for (const ask of ROUTES) expectRefused(await ask(name), "404 coupon_not_found", "coupon not found");
  await expectNothingStored(name);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);
  for (const ask of ROUTES) {
    const answer = await ask(name);
    expectRefused(answer, "404 coupon_not_found", "coupon not found");
    expect(seqOf(answer)).toBe(0);
  }
  await evictDurableObject(stubOf(name));
  expect(outcomeOf(await read(name))).toBe("404 coupon_not_found");
  await expectNothingStored(name);
});

test("a delete by 50 callers at once is done once", async () => {
  const name = await used();
  const answers = await Promise.all(Array.from({ length: 50 }, () => remove(name)));
  expect(countOutcomes(answers)).toEqual({ 204: 1, "404 coupon_not_found": 49 });
  await expectNothingStored(name);
});

test("a delete works where the coupon's rows contradict each other and reads get 503", async () => {
  const name = await used();
  await runSql(name, "UPDATE coupon SET seq = seq + 5");
  await evictDurableObject(stubOf(name));
  expect((await read(name)).status).toBe(503);
  // A courier that could not read the damaged coupon tries again later.
  setClock(T0 + MINUTE);
  expect((await remove(name)).status).toBe(204);
  // Only the alarm for the courier is left: the courier could not read the coupon, and tries again later.
  expect(await storedBy(name)).toMatchObject({ tables: [], keyCount: 0 });
  expect((await create(name, 3)).body).toMatchObject({ amount: 3, remaining_amount: 3 });
});

type Recreated = { readonly name: string; readonly old: Answer; readonly oldEpoch: string; readonly again: Answer };

async function recreated(): Promise<Recreated> {
  const name = await used();
  const old = await read(name);
  const { epoch: oldEpoch } = (await stored(name)).coupon;
  await remove(name);
  return { name, old, oldEpoch, again: await create(name, 3) };
}

test("a recreated coupon has no claims and begins at seq 1", async () => {
  const { name, again } = await recreated();
  expect([again.status, seqOf(again)]).toEqual([201, 1]);
  expect(again.body).toMatchObject({ amount: 3, remaining_amount: 3, state: "open", claimed_by: [] });
  await evictDurableObject(stubOf(name));
  const cold = await read(name);
  expect([cold.body, etagOf(cold)]).toEqual([again.body, etagOf(again)]);
  for (const user of ["winner", "revoked", "holder"]) expect(outcomeOf(await getUserClaim(name, user))).toBe("404 claim_not_found");
  expect((await claim(name, "winner")).body).toMatchObject({ position: 1, remaining_amount: 2 });
  const { ledger, holds, releases } = await expectConserved(name);
  expect([ledger.map(({ kind }) => kind), holds, releases]).toEqual([["created", "claimed"], [], []]);
});

test("a recreated coupon has another ETag and epoch at the same seq", async () => {
  const { name, old, again, oldEpoch } = await recreated();
  expect((await stored(name)).coupon.epoch).not.toBe(oldEpoch);
  expect(etagOf(again)).not.toBe(etagOf(old));
  while (seqOf(await read(name)) < seqOf(old)) await change(name, { amount: 100 + seqOf(await read(name)) });
  const level = await read(name);
  expect([seqOf(level), level.body["state"]]).toEqual([seqOf(old), old.body["state"]]);
  expect(etagOf(level)).not.toBe(etagOf(old));
  expect(outcomeOf(await change(name, { amount: 1000 }, { "If-Match": etagOf(old) }))).toBe("412 precondition_failed");
});

test("a recreated coupon does not expire a hold of the old one", async () => {
  const { name } = await recreated();
  expect(await alarmOf(name)).toBe(T0 + NOTICE_ALARM_MS);
  await hold(name, "later", 900);
  expect(await alarmOf(name)).toBe(T0 + NOTICE_ALARM_MS);
  setClock(T0 + 2 * MINUTE);
  expect((await read(name)).body["remaining_amount"]).toBe(2);
  expect((await stored(name)).ledger.map(({ kind }) => kind)).toEqual(["created", "held"]);
});

test("claims in flight during a delete are not in the next coupon", async () => {
  for (let round = 1; round <= 5; round += 1) {
    const name = await created(1000);
    const before = users(60, "before").map((user) => claim(name, user, { "Idempotency-Key": user }));
    await before[0];
    const removal = remove(name);
    const after = users(60, "after").map((user) => claim(name, user));
    const answers = await Promise.all([...before, ...after]);

    expect((await removal).status).toBe(204);
    const counts = countOutcomes(answers);
    expect((counts["201"] ?? 0) + (counts["404 coupon_not_found"] ?? 0)).toBe(120);
    expect(counts["201"]).toBeGreaterThan(0);
    expect(countOutcomes(await Promise.all(after))).toEqual({ "404 coupon_not_found": 60 });
    await expectNothingStored(name);

    await create(name, 1000);
    expect((await read(name)).body).toMatchObject({ remaining_amount: 1000, claimed_by: [] });
    await expectConserved(name);
  }
});

test("claims in flight during a delete and a create belong to one coupon", async () => {
  const name = await created(1000);
  const ask = (prefix: string) => users(60, prefix).flatMap((user) => [claim(name, user), hold(name, `holder-${user}`)]);
  const first = ask("first");
  await first[0];
  const removal = remove(name);
  const second = ask("second");
  await removal;
  const creation = create(name, 500);
  const third = ask("third");
  const answers = await Promise.all([...first, ...second, ...third]);

  expect([(await removal).status, (await creation).status]).toEqual([204, 201]);
  const counts = countOutcomes([...answers, await claim(name, "last")]);
  expect((counts["201"] ?? 0) + (counts["404 coupon_not_found"] ?? 0)).toBe(361);
  // The new coupon has only claims and holds that were acknowledged.
  const { claims, holds } = await expectConserved(name);
  const acknowledged = new Map(answers.map(({ body }) => [body["user_id"], body["position"] ?? body["expires_at"]]));
  expect(claims.filter(({ user_id, position }) => user_id !== "last" && acknowledged.get(user_id) !== position)).toEqual([]);
  expect(holds.filter(({ user_id, expires_at }) => acknowledged.get(user_id) !== iso(expires_at))).toEqual([]);
  expect(claims.map(({ user_id }) => user_id)).not.toContain("first-1");
});
