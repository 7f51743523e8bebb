// The lease: what would make an issued certificate false waits until that is out of use. The object as deployed, in virtual time.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { CouponCalls } from "../../src/domain/rpc.ts";
import { NOTHING_KNOWN } from "./bypass.ts";
import { asks, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { pass } from "./mailbox-coupon.ts";
import { objectInNode, type ObjectInNode } from "./object-in-node.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How many milliseconds of virtual time `work` takes, and what it comes to. */
async function timed<Result extends { readonly ok: boolean }>(work: Promise<Result>): Promise<[ms: number, ok: boolean]> {
  const since = Date.now();
  const ended = work.then(({ ok }): [number, boolean] => [Date.now() - since, ok]);
  await vi.advanceTimersByTimeAsync(60_000);
  return ended;
}

async function validForMs(object: CouponCalls): Promise<number | null> {
  const result = await object.certify(NOTHING_KNOWN);
  if (!result.ok) throw new Error(result.code);
  return result.certificate?.validForMs ?? null;
}

/** One unit, claimed by ann, by an instance that has created the coupon. */
async function soldOut(): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(1));
  await coupon.object.claim(asks("ann"));
  return coupon;
}

type Act = (object: CouponCalls) => Promise<{ readonly ok: boolean }>;
const RESTOCK: Act = (object) => object.change({ amount: 9 }, null);

describe("with a certificate of 1000 ms in use", () => {
  test.for<readonly [name: string, act: Act]>([
    ["a restock", RESTOCK],
    ["a revoked claim", (object) => object.revoke({ userId: "ann", position: null })],
    ["a pause", (object) => object.change({ paused: true }, null)],
    ["an end in 500 ms", (object) => object.change({ endsAt: Date.now() + 500 }, null)],
    ["a delete", (object) => object.remove()],
  ])("%s waits 1100 ms", async ([, act]) => {
    const { object } = await soldOut();
    expect(await validForMs(object)).toBe(1_000);
    expect(await timed(act(object))).toEqual([1_100, true]);
  });

  test.for<readonly [name: string, act: Act]>([
    ["a read", (object) => object.read({ claimedBy: true })],
    ["a change of the limits for holds", (object) => object.change({ holdsMax: 1 }, null)],
    ["an end in 1100 ms", (object) => object.change({ endsAt: Date.now() + 1_100 }, null)],
    ["the release of a hold that does not exist", (object) => object.releaseHold("bob")],
    ["the end of no holds", (object) => object.releaseAllHolds()],
    ["a winner's repeated claim", (object) => object.getUserClaim("ann")],
  ])("%s does not wait", async ([, act]) => {
    const { object } = await soldOut();
    await validForMs(object);
    expect(await timed(act(object))).toEqual([0, true]);
  });

  test("a released hold waits, and so does the end of all holds", async () => {
    const acts: readonly Act[] = [(object) => object.releaseHold("bob"), (object) => object.releaseAllHolds()];
    for (const act of acts) {
      const { object, sql } = await objectInNode();
      await object.create(newCoupon(1));
      await object.hold(holdOf("bob", 60_000));
      await validForMs(object);
      expect(await timed(act(object))).toEqual([1_100, true]);
      expect(sql.all("SELECT held FROM coupon")).toEqual([{ held: 0 }]);
    }
  });
});

describe("the wait", () => {
  test("is as long as what is left of the lease", async () => {
    const { object } = await soldOut();
    await validForMs(object);
    await pass(400);
    expect(await timed(RESTOCK(object))).toEqual([700, true]);
  });

  test("is shorter where the certificate was", async () => {
    const { object } = await objectInNode();
    await object.create(newCoupon(1));
    await object.hold(holdOf("bob", 600));
    expect(await validForMs(object)).toBe(500);
    expect(await timed(RESTOCK(object))).toEqual([600, true]);
  });

  test("follows the certificate that ends last", async () => {
    const { object } = await soldOut();
    await validForMs(object);
    await pass(600);
    await validForMs(object);
    expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
  });

  test("does not exist without a certificate, or after the last one", async () => {
    const { object } = await soldOut();
    expect(await timed(object.change({ amount: 2 }, null))).toEqual([0, true]);
    await object.claim(asks("bob"));
    await validForMs(object);
    await pass(1_100);
    expect(await timed(RESTOCK(object))).toEqual([0, true]);
  });

  test("lets no certificate be issued until its message was judged", async () => {
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

  test("lets other messages be judged, and its own one at its end", async () => {
    const { object } = await soldOut();
    await validForMs(object);
    const restock = RESTOCK(object);
    await pass(1_050);
    expect(await object.claim(asks("early"))).toMatchObject({ ok: false, code: "out_of_stock" });
    await pass(50);
    await restock;
    expect(await object.claim(asks("late"))).toMatchObject({ ok: true, claim: { position: 2, claimedAt: T0 + 1_100 } });
  });

  test("takes 1100 ms at most, though the clock was set back by an hour", async () => {
    const { object } = await soldOut();
    await validForMs(object);
    vi.setSystemTime(T0 - 3_600_000);
    const restock = RESTOCK(object).then(({ ok }) => ok);
    await pass(1_099);
    expect(await object.claim(asks("early"))).toMatchObject({ ok: false, code: "out_of_stock" });
    await pass(1);
    expect(await restock).toBe(true);
  });
});

describe("an instance that has just begun", () => {
  test("waits as long as a certificate of the one before can be in use", async () => {
    const { sql } = await soldOut();
    const { object } = await objectInNode(sql);
    expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
  });

  test("waits so with a delete, and not with what contradicts nothing", async () => {
    const { sql } = await soldOut();
    const { object } = await objectInNode(sql);
    expect(await object.change({ holdsMax: 1 }, null)).toMatchObject({ ok: true });
    expect(await timed(object.remove())).toEqual([1_100, true]);
  });

  test("issues certificates at once", async () => {
    const { sql } = await soldOut();
    const { object } = await objectInNode(sql);
    expect(await validForMs(object)).toBe(1_000);
  });

  test("waits though its clock is an hour behind the coupon's time", async () => {
    const { sql } = await soldOut();
    vi.setSystemTime(T0 - 3_600_000);
    const { object } = await objectInNode(sql);
    expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
    await object.claimMany(["b", "c", "d", "e", "f", "g", "h", "i"], "bulk");
    await validForMs(object);
    expect(await timed(object.change({ amount: 10 }, null))).toEqual([1_100, true]);
  });

  test("waits with nothing once it has created the coupon", async () => {
    const { object } = await soldOut();
    expect(await timed(object.remove())).toEqual([0, true]);
    await object.create(newCoupon(1, { startsAt: Date.now() + 3_600_000 }));
    expect(await timed(object.change({ startsAt: null }, null))).toEqual([0, true]);
  });

  test("still waits where the coupon to create exists", async () => {
    const { sql } = await soldOut();
    const { object } = await objectInNode(sql);
    expect(await object.create(newCoupon(1))).toMatchObject({ ok: false, code: "coupon_exists" });
    expect(await timed(RESTOCK(object))).toEqual([1_100, true]);
  });
});

describe("by the engine alone", () => {
  const AMOUNT = { kind: "change", change: { amount: 2 }, ifMatch: null } as const;
  test.for([
    [T0 + 1_100, "deferred"],
    [T0 + 1, "deferred"],
    [T0, "ok"],
    [0, "ok"],
  ] as const)("with certificates in use until %i a restock at T0 is %s", ([leaseUntil, code]) => {
    const { engine, sql } = opened(1);
    engine.claimAll([asks("ann")], T0);
    engine.lease = { leaseUntil, mayCertify: true };
    expect(engine.codeOf(AMOUNT, T0)).toBe(code);
    expect(sql.all("SELECT amount, seq FROM coupon")).toEqual([code === "ok" ? { amount: 2, seq: 3 } : { amount: 1, seq: 2 }]);
  });

  test("a deferred message does not hold up its neighbours in the batch", () => {
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
});
