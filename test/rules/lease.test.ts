// The lease: a message that contradicts an issued certificate waits until the certificate is out of use.

import { expect, test, vi } from "vitest";

import type { CouponCalls } from "../../src/domain/rpc.ts";
import { NOTHING_KNOWN } from "./bypass.ts";
import { asks, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { objectInNode, type ObjectInNode } from "./object-in-node.ts";
import { pass, useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

/** How many milliseconds of virtual time `work` takes, and whether it succeeds. */
async function timed<Result extends { readonly ok: boolean }>(work: Promise<Result>): Promise<[ms: number, ok: boolean]> {
  const since = Date.now();
  const ended = work.then(({ ok }): [number, boolean] => [Date.now() - since, ok]);
  await pass(60_000);
  return ended;
}

async function validForMs(object: CouponCalls): Promise<number | null> {
  const result = await object.certify(NOTHING_KNOWN);
  if (!result.ok) throw new Error(result.code);
  return result.certificate?.validForMs ?? null;
}

/** One unit, claimed by ann, in the instance that created the coupon. */
async function soldOut(): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(1));
  await coupon.object.claim(asks("ann"));
  return coupon;
}

/** One unit, held by bob for `ttlMs`. */
async function heldByBob(ttlMs: number): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(1));
  await coupon.object.hold(holdOf("bob", ttlMs));
  return coupon;
}

/** Another instance over the storage of a sold-out coupon. */
async function restarted(): Promise<ObjectInNode> {
  const { sql } = await soldOut();
  return objectInNode(sql);
}

type Act = (object: CouponCalls) => Promise<{ readonly ok: boolean }>;
const RESTOCK: Act = (object) => object.change({ amount: 9 }, null);
const held = () => heldByBob(60_000);
async function closed(): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(1, { endsAt: Date.now() }));
  return coupon;
}

test.for<readonly [name: string, waitMs: number, act: Act, coupon: () => Promise<ObjectInNode>]>([
  ["a restock", 1_100, RESTOCK, soldOut],
  ["a revoked claim", 1_100, (object) => object.revoke({ userId: "ann", position: null }), soldOut],
  ["a pause", 1_100, (object) => object.change({ paused: true }, null), soldOut],
  ["an end in 500 ms", 1_100, (object) => object.change({ endsAt: Date.now() + 500 }, null), soldOut],
  ["an archive", 1_100, (object) => object.archive(null), soldOut],
  ["a delete", 1_100, (object) => object.remove(), soldOut],
  ["a released hold", 1_100, (object) => object.releaseHold("bob"), held],
  ["the release of all holds", 1_100, (object) => object.releaseAllHolds(), held],
  ["a read", 0, (object) => object.read({ claimedBy: true }), soldOut],
  ["a change of the limits for holds", 0, (object) => object.change({ holdsMax: 1 }, null), soldOut],
  ["an end in 1100 ms", 0, (object) => object.change({ endsAt: Date.now() + 1_100 }, null), soldOut],
  ["the release of no hold", 0, (object) => object.releaseHold("bob"), soldOut],
  ["the release of all of no holds", 0, (object) => object.releaseAllHolds(), soldOut],
  ["an archive after the end of the sale", 0, (object) => object.archive(null), closed],
  ["a winner's read", 0, (object) => object.getUserClaim("ann"), soldOut],
])("with a certificate of 1000 ms just issued, %s waits %i ms", async ([, waitMs, act, coupon]) => {
  const { object } = await coupon();
  expect(await validForMs(object)).toBe(1_000);
  expect(await timed(act(object))).toEqual([waitMs, true]);
});

test("a restock waits only for the rest of the lease", async () => {
  const { object } = await soldOut();
  await validForMs(object);
  await pass(400);
  expect(await timed(RESTOCK(object))).toEqual([700, true]);
});

test("a restock waits 600 ms for a certificate of 500 ms", async () => {
  const { object } = await heldByBob(600);
  expect(await validForMs(object)).toBe(500);
  expect(await timed(RESTOCK(object))).toEqual([600, true]);
});

test("a restock waits for the certificate that ends last", async () => {
  const { object } = await soldOut();
  await validForMs(object);
  await pass(600);
  await validForMs(object);
  expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
});

test("a restock does not wait before the first certificate or after the last lapsed", async () => {
  const { object } = await soldOut();
  expect(await timed(object.change({ amount: 2 }, null))).toEqual([0, true]);
  await object.claim(asks("bob"));
  await validForMs(object);
  await pass(1_100);
  expect(await timed(RESTOCK(object))).toEqual([0, true]);
});

test("no certificate is issued while a restock and a revoke wait", async () => {
  const { object } = await soldOut();
  await validForMs(object);
  const waiting = [RESTOCK(object), object.revoke({ userId: "ann", position: null })];
  await pass(1_099);
  expect(await validForMs(object)).toBeNull();
  await pass(1);
  expect(await Promise.all(waiting)).toMatchObject([{ ok: true }, { ok: true }]);
  await object.change({ paused: true }, null);
  expect(await validForMs(object)).toBe(1_000);
});

test("claims are judged while a restock waits, and the restock at its end", async () => {
  const { object } = await soldOut();
  await validForMs(object);
  const restock = RESTOCK(object);
  await pass(1_050);
  expect(await object.claim(asks("early"))).toMatchObject({ ok: false, code: "out_of_stock" });
  await pass(50);
  await restock;
  expect(await object.claim(asks("late"))).toMatchObject({ ok: true, claim: { position: 2, claimedAt: T0 + 1_100 } });
});

test("a restock under a clock set back by an hour waits 1100 ms", async () => {
  const { object } = await soldOut();
  await validForMs(object);
  vi.setSystemTime(T0 - 3_600_000);
  expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
});

test("a restarted object restocks after 1100 ms and issues certificates at once", async () => {
  const { object } = await restarted();
  expect(await validForMs(object)).toBe(1_000);
  const again = await restarted();
  expect(await timed(RESTOCK(again.object))).toEqual([1_100, true]);
});

test("a restarted object deletes after 1100 ms, and changes the limits for holds at once", async () => {
  const { object } = await restarted();
  expect(await object.change({ holdsMax: 1 }, null)).toMatchObject({ ok: true });
  expect(await timed(object.remove())).toEqual([1_100, true]);
});

test("a restarted object whose clock is an hour behind waits as long as others", async () => {
  const { sql } = await soldOut();
  vi.setSystemTime(T0 - 3_600_000);
  const { object } = await objectInNode(sql);
  expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
  await object.claimMany(["b", "c", "d", "e", "f", "g", "h", "i"], "bulk");
  await validForMs(object);
  expect(await timed(object.change({ amount: 10 }, null))).toEqual([1_100, true]);
});

test("a restarted object still waits after a create that gets coupon_exists", async () => {
  const { object } = await restarted();
  expect(await object.create(newCoupon(1))).toMatchObject({ ok: false, code: "coupon_exists" });
  expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
});

test("a restock after a replayed create waits for the certificate that was issued before", async () => {
  const { object } = await objectInNode();
  await object.create(newCoupon(1), "key");
  await object.claim(asks("ann"));
  await validForMs(object);
  expect(await object.create(newCoupon(1), "key")).toMatchObject({ ok: true, replayed: true });
  expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
});

test("an object that creates its coupon waits for nothing, also after a delete", async () => {
  const { object } = await soldOut();
  expect(await timed(object.remove())).toEqual([0, true]);
  await object.create(newCoupon(1, { startsAt: Date.now() + 3_600_000 }));
  expect(await timed(object.change({ startsAt: null }, null))).toEqual([0, true]);
});

const AMOUNT = { kind: "change", change: { amount: 2 }, precondition: null } as const;

test.for([
  [1_100, "deferred"],
  [1, "deferred"],
  [0, "ok"],
  [-T0, "ok"],
] as const)("a restock %i ms before the end of the lease is %s by the engine", ([leaseMs, code]) => {
  const { engine, sql } = opened(1);
  engine.claimAll([asks("ann")], T0);
  engine.lease = { leaseUntil: T0 + leaseMs, mayCertify: true };
  expect(engine.codeOf(AMOUNT, T0)).toBe(code);
  expect(sql.all("SELECT amount, seq FROM coupon")).toEqual([code === "ok" ? { amount: 2, seq: 3 } : { amount: 1, seq: 2 }]);
});

test("a deferred message delays no other message of its batch", () => {
  const { engine } = opened(1);
  engine.claimAll([asks("ann")], T0);
  const batch = [AMOUNT, { kind: "claim", request: asks("bob") } as const, { kind: "user_claim", userId: "ann" } as const];
  const { answers, isWritten } = engine.engine.apply(
    batch.map((message) => ({ message, at: T0 })),
    { leaseUntil: T0 + 1_100, mayCertify: true },
  );
  expect(answers).toMatchObject([{ code: "deferred" }, { code: "out_of_stock" }, { ok: true, claim: { userId: "ann" } }]);
  expect(isWritten).toBe(false);
});
