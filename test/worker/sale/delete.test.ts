// A coupon that is deleted is gone, and one of the same name that is created later shares nothing with it.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { expectRefused } from "../contract/wire.ts";
import { claim, create, created, freshName, look, tally, users, type Answer } from "../../support/api.ts";
import { stored, stubOf, tablesOf } from "../../support/storage.ts";
import {
  alarmOf,
  change,
  expectSound,
  releaseHold,
  hold,
  iso,
  list,
  MINUTE,
  outcome,
  own,
  release,
  remove,
  run,
  seqOf,
  setClock,
  status,
  T0,
} from "./sale.ts";

/** A coupon of 10 units that was used in every way: claimed with and without a key, held, released, changed. */
async function used(): Promise<string> {
  setClock(T0);
  const name = await created(9);
  await claim(name, "winner", { "Idempotency-Key": "key" });
  await claim(name, "released", { "Idempotency-Key": "released-key" });
  await release(name, "released");
  await hold(name, "holder");
  await change(name, { amount: 10 });
  return name;
}

/** All that an object keeps, by whatever means. */
async function keptBy(name: string): Promise<unknown> {
  const tables = await tablesOf(stubOf(name).id);
  const rest = await runInDurableObject(stubOf(name), async (_object, { storage }) => ({
    keyCount: (await storage.list()).size,
    alarmAt: await storage.getAlarm(),
  }));
  return { tables, ...rest };
}
const NOTHING = { tables: [], keyCount: 0, alarmAt: null };

const ROUTES = {
  look: (name: string) => look(name),
  status: (name: string) => status(name),
  list: (name: string) => list(name),
  own: (name: string) => own(name, "winner"),
  claim: (name: string) => claim(name, "winner", { "Idempotency-Key": "key" }),
  hold: (name: string) => hold(name, "holder"),
  "give back": (name: string) => releaseHold(name, "holder"),
  release: (name: string) => release(name, "winner"),
  change: (name: string) => change(name, { amount: 20 }),
  delete: (name: string) => remove(name),
} as const;

describe("deleting a coupon", () => {
  test("answers 204 without a body, and then every route answers 404", async () => {
    const name = await used();
    const { status: code, body, headers } = await remove(name);
    expect([code, body, headers.get("Content-Type"), headers.get("Coupon-Seq")]).toEqual([204, {}, null, "0"]);
    for (const ask of Object.values(ROUTES)) {
      const answer = await ask(name);
      expectRefused(answer, "404 coupon_not_found", "coupon not found");
      expect(seqOf(answer)).toBe(0);
    }
  });

  test("removes its tables and its alarm, and what is asked for afterwards brings none back", async () => {
    const name = await used();
    expect([(await tablesOf(stubOf(name).id)).length, await alarmOf(name)]).toEqual([6, T0 + MINUTE]);
    await remove(name);
    expect(await keptBy(name)).toEqual(NOTHING);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);

    for (const ask of Object.values(ROUTES)) await ask(name);
    expect(await keptBy(name)).toEqual(NOTHING);
    await evictDurableObject(stubOf(name));
    expect(outcome(await look(name))).toBe("404 coupon_not_found");
    expect(await keptBy(name)).toEqual(NOTHING);
  });

  test("that nobody created answers 404 and stores nothing", async () => {
    const name = freshName();
    expectRefused(await remove(name), "404 coupon_not_found", "coupon not found");
    expect(await keptBy(name)).toEqual(NOTHING);
  });

  test("by 50 callers at once is done once", async () => {
    const name = await used();
    const answers = await Promise.all(Array.from({ length: 50 }, () => remove(name)));
    expect(tally(answers)).toEqual({ 204: 1, "404 coupon_not_found": 49 });
    expect(await keptBy(name)).toEqual(NOTHING);
  });

  test("works though its rows contradict each other and nothing else does", async () => {
    const name = await used();
    await run(name, "UPDATE coupon SET seq = seq + 5");
    await evictDurableObject(stubOf(name));
    expect((await look(name)).status).toBe(503);
    expect((await remove(name)).status).toBe(204);
    expect(await keptBy(name)).toEqual(NOTHING);
    expect((await create(name, 3)).body).toMatchObject({ amount: 3, remaining_amount: 3 });
  });

  test("leaves every other coupon as it was", async () => {
    const [name, other] = [await used(), await used()];
    await remove(name);
    expect((await look(other)).body).toMatchObject({ amount: 10, remaining_amount: 8, claimed_by: ["winner"] });
    await expectSound(other);
  });
});

type Recreated = { readonly name: string; readonly old: Answer; readonly oldEpoch: string; readonly again: Answer };

async function recreated(): Promise<Recreated> {
  const name = await used();
  const old = await look(name);
  const { epoch: oldEpoch } = (await stored(name)).coupon;
  await remove(name);
  return { name, old, oldEpoch, again: await create(name, 3) };
}

describe("a coupon created again under the same name", () => {
  test("begins at the beginning: nobody has claimed, nothing is held, seq 1, position 1", async () => {
    const { name, again } = await recreated();
    expect([again.status, seqOf(again)]).toEqual([201, 1]);
    expect(again.body).toMatchObject({ amount: 3, remaining_amount: 3, state: "open", claimed_by: [] });
    for (const user of ["winner", "released", "holder"]) expect(outcome(await own(name, user))).toBe("404 claim_not_found");
    expect((await claim(name, "winner")).body).toMatchObject({ position: 1, remaining_amount: 2 });
    const { ledger, holds, releases } = await expectSound(name);
    expect([ledger.map(({ kind }) => kind), holds, releases]).toEqual([["created", "claimed"], [], []]);
  });

  test("knows no key of the old one: neither a replay, nor a release, nor another user's", async () => {
    const { name } = await recreated();
    const first = await claim(name, "released", { "Idempotency-Key": "released-key" });
    expect([first.status, first.body["position"], first.headers.get("Idempotent-Replayed")]).toEqual([201, 1, null]);
    expect((await claim(name, "newcomer", { "Idempotency-Key": "key" })).body["position"]).toBe(2);
    expect(outcome(await claim(name, "winner", { "Idempotency-Key": "key" }))).toBe("422 idempotency_key_reused");
    await expectSound(name);
  });

  test("has another tag and another epoch, so that nobody takes it for the old one", async () => {
    const { name, old, again, oldEpoch } = await recreated();
    expect((await stored(name)).coupon.epoch).not.toBe(oldEpoch);
    const oldTag = old.headers.get("ETag") ?? "";
    expect(again.headers.get("ETag")).not.toBe(oldTag);

    // Brought to the same seq in the same state, it still is another one.
    while (seqOf(await look(name)) < seqOf(old)) await change(name, { amount: 100 + seqOf(await look(name)) });
    const level = await look(name);
    expect([seqOf(level), level.body["state"]]).toEqual([seqOf(old), old.body["state"]]);
    expect(level.headers.get("ETag")).not.toBe(oldTag);
    expect(outcome(await change(name, { amount: 1000 }, { "If-Match": oldTag }))).toBe("412 precondition_failed");
  });

  test("is not touched by the time at which a hold of the old one would have ended", async () => {
    const { name } = await recreated();
    expect(await alarmOf(name)).toBeNull();
    await hold(name, "later", 900);
    expect(await alarmOf(name)).toBe(T0 + 15 * MINUTE);
    setClock(T0 + 2 * MINUTE);
    expect((await look(name)).body["remaining_amount"]).toBe(2);
    expect((await stored(name)).ledger.map(({ kind }) => kind)).toEqual(["created", "held"]);
  });

  test("is the same after its object was evicted", async () => {
    const { name, again } = await recreated();
    await evictDurableObject(stubOf(name));
    const { body, headers } = await look(name);
    expect([body, headers.get("ETag")]).toEqual([again.body, again.headers.get("ETag")]);
  });
});

describe("claims in flight while a coupon is deleted", () => {
  test.for([1, 2, 3, 4, 5])("get 201 or 404 and nothing else, and none of them is in the new coupon, run %i of 5", async () => {
    const name = await created(1000);
    const before = users(60, "before").map((user) => claim(name, user, { "Idempotency-Key": user }));
    await before[0];
    const removal = remove(name);
    const after = users(60, "after").map((user) => claim(name, user));
    const answers = await Promise.all([...before, ...after]);

    expect((await removal).status).toBe(204);
    const counts = tally(answers);
    expect((counts["201"] ?? 0) + (counts["404 coupon_not_found"] ?? 0)).toBe(120);
    expect(counts["201"]).toBeGreaterThan(0);
    expect(tally(await Promise.all(after))).toEqual({ "404 coupon_not_found": 60 });
    expect(await keptBy(name)).toEqual(NOTHING);

    await create(name, 1000);
    expect((await look(name)).body).toMatchObject({ remaining_amount: 1000, claimed_by: [] });
    await expectSound(name);
  });

  test("and created again at once belong to one of the two, whole", async () => {
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
    const counts = tally([...answers, await claim(name, "last")]);
    expect((counts["201"] ?? 0) + (counts["404 coupon_not_found"] ?? 0)).toBe(361);
    // What the new one has on record, its owners were told; and it has nothing besides.
    const { claims, holds } = await expectSound(name);
    const told = new Map(answers.map(({ body }) => [body["user_id"], body["position"] ?? body["expires_at"]]));
    expect(claims.filter(({ user_id, position }) => user_id !== "last" && told.get(user_id) !== position)).toEqual([]);
    expect(holds.filter(({ user_id, expires_at }) => told.get(user_id) !== iso(expires_at))).toEqual([]);
    expect(claims.map(({ user_id }) => user_id)).not.toContain("first-1");
  });
});
