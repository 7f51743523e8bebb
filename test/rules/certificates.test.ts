// What the engine certifies: that all users and keys outside the bypass set get one refusal.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { covers, keyMember, received, userMember, type Certificate, type CertificateRequest } from "../../src/domain/certificate.ts";
import type { Change } from "../../src/domain/change.ts";
import { asks, manyClaims, EngineCalls, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { certificateOf, certified, NOTHING_KNOWN, unknownTo } from "./bypass.ts";
import { nodeSql } from "./node-sql.ts";

describe("a certificate", () => {
  test("is not issued while a unit is left", () => {
    const { engine } = opened(2);
    engine.claimAll(manyClaims(1), T0);
    expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({ ok: true, certificate: null, seq: 2 });
  });

  test("is not issued while a message waits for the lease to lapse", () => {
    const { engine } = opened(1);
    engine.claimAll(manyClaims(1), T0);
    engine.lease = { leaseUntil: T0 + 1_100, mayCertify: false };
    expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({ ok: true, certificate: null, seq: 2 });
  });

  test("lists every claimant and every key, and follows the ledger from there", () => {
    const { engine } = opened(1);
    engine.claimAll([asks("ann", { key: "order-1" })], T0);
    expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({
      ok: true,
      seq: 2,
      certificate: {
        code: "out_of_stock",
        startsAt: null,
        validForMs: 1_000,
        epoch: "epoch-1",
        seq: 2,
        startsInMs: 0,
        isAnyKeyNew: false,
        bypassSeq: 2,
        bypass: ["uann", "korder-1"],
      },
    });
    engine.change({ amount: 2 }, null, T0);
    engine.claimAll([asks("bob")], T0);
    expect(certificateOf(engine)).toMatchObject({ seq: 4, bypassSeq: 4, bypass: ["uann", "korder-1", "ubob"] });
  });

  test("lists holders and revoked users, and covers no key while units are held", () => {
    const { engine } = opened(3);
    engine.claimAll([asks("ann", { key: "order-1" }), asks("bob")], T0);
    engine.revoke({ userId: "ann", position: 1 }, T0);
    engine.hold(holdOf("cid", 60_000), T0);
    engine.hold(holdOf("dan", 60_000), T0);
    const certificate = certificateOf(engine);
    expect(certificate).toMatchObject({ isAnyKeyNew: true, seq: 6, bypassSeq: 6, bypass: ["ubob", "ucid", "udan", "uann"] });
    engine.claimAll([asks("cid"), asks("dan", { key: "order-2" })], T0);
    expect(certificateOf(engine)).toMatchObject({ isAnyKeyNew: false, bypass: ["ubob", "ucid", "udan", "uann", "korder-2"] });
  });

  test.for<readonly [name: string, known: CertificateRequest["known"], isSent: boolean]>([
    ["of this epoch and seq", { epoch: "epoch-1", bypassSeq: 2 }, false],
    ["of another epoch", { epoch: "epoch-2", bypassSeq: 2 }, true],
    ["of another seq", { epoch: "epoch-1", bypassSeq: 1 }, true],
  ])("comes without a bypass set only to an isolate that has the set %s", ([, known, isSent]) => {
    const { engine } = opened(1);
    engine.claimAll([asks("ann")], T0);
    certificateOf(engine);
    engine.change({ paused: true }, null, T0);
    expect(certified(engine.certify({ known, refused: {} }, T0))).toMatchObject({ seq: 3, bypassSeq: 2, bypass: isSent ? ["uann"] : null });
  });

  test("names the start, and how long it is away", () => {
    const { engine } = opened(1, { startsAt: T0 + 5_000 });
    expect(certificateOf(engine, T0 + 1_000)).toMatchObject({ code: "sale_not_started", startsAt: T0 + 5_000, startsInMs: 4_000 });
  });

  test("belongs to this epoch, by an engine that has known another", () => {
    const { engine } = opened(3);
    engine.claimAll(manyClaims(3, "before"), T0);
    certificateOf(engine);
    expect(engine.remove(T0)).toEqual({ ok: true, seq: 0 });
    engine.create(newCoupon(1), "epoch-2", T0);
    engine.claimAll([asks("bob")], T0);
    expect(certificateOf(engine)).toMatchObject({ epoch: "epoch-2", seq: 2, bypass: ["ubob"] });
  });

  test("states the end that was answered once, though the clock was set back", () => {
    const { engine } = opened(1, { endsAt: T0 + 900 });
    engine.claimAll(manyClaims(1), T0);
    expect(engine.read({ claimedBy: false }, T0 + 1_000)).toMatchObject({ coupon: { state: "ended" } });
    expect(certificateOf(engine, T0 + 400)).toMatchObject({ code: "sale_ended" });
  });

  test("counts what isolates refused with the next message that writes counts", () => {
    const { engine } = opened(1);
    engine.claimAll(manyClaims(1), T0);
    engine.engine.countAtEdge({ out_of_stock: 40, sale_paused: 2 });
    expect(engine.engine.hasUnwrittenCounts).toBe(true);
    engine.writeCounts(T0);
    expect(engine.engine.hasUnwrittenCounts).toBe(false);
  });
});

/** What the engine answers, other than the certificate, to users whom it covers: with every key and in every attempt. */
function contradictionsOf(engine: EngineCalls, certificate: Certificate, now: number): string[] {
  const held = received(certificate, null, 0);
  const askers = ["ann", "bob", "cid", "dan", "eve"].flatMap((userId) => [null, "k1", "k2"].map((sent) => ({ userId, key: sent })));
  const covered = askers.filter((asker) => held !== null && covers(held, asker, 0));
  return covered.flatMap(({ userId, key: sent }) =>
    ["a1", "a2", "a3"].flatMap((attempt) => {
      const claimed = engine.codeOf({ kind: "claim", request: { userId, key: sent, attemptId: attempt } }, now);
      const kept = engine.codeOf({ kind: "hold", request: { userId, ttlMs: 1_000, attemptId: attempt } }, now);
      return [claimed, kept].filter((code) => code !== certificate.code);
    }),
  );
}

describe("over random histories", () => {
  const user = fc.constantFrom("ann", "bob", "cid", "dan");
  const key = fc.constantFrom(null, "k1", "k2");
  const attemptId = fc.constantFrom("a1", "a2", "a3");
  const at = fc.integer({ min: -50, max: 2_000 }).map((afterMs) => T0 + afterMs);
  const change = fc.record(
    { amount: fc.integer({ min: 1, max: 3 }), paused: fc.boolean(), startsAt: fc.option(at), endsAt: fc.option(at) },
    { requiredKeys: [] },
  );
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("claim"), userId: user, key, attemptId }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("hold"), userId: user, ttlMs: fc.integer({ min: 1, max: 2_000 }), attemptId }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("revoke", "give back"), userId: user }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("change"), change }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("restart", "certify", "wait") }) },
  );
  const history = fc.record({ amount: fc.integer({ min: 1, max: 3 }), acts: fc.array(act, { maxLength: 25, size: "max" }) });
  type Act = {
    readonly do: string;
    readonly userId?: string;
    readonly key?: string | null;
    readonly attemptId?: string;
    readonly ttlMs?: number;
    readonly change?: Change;
  };

  function perform(engine: EngineCalls, what: Act, now: number): void {
    const { userId = "", key: sent = null, attemptId: attempt = "", ttlMs = 1 } = what;
    if (what.do === "claim") engine.claimAll([{ userId, key: sent, attemptId: attempt }], now);
    if (what.do === "hold") engine.hold({ userId, ttlMs, attemptId: attempt }, now);
    if (what.do === "revoke") engine.revoke({ userId, position: null }, now);
    if (what.do === "give back") engine.releaseHold(userId, now);
    if (what.do === "change") engine.change(what.change ?? {}, null, now);
    if (what.do === "certify") engine.certify(NOTHING_KNOWN, now);
  }

  test("what a certificate states is the object's answer to all that it covers", () => {
    let certificateCount = 0;
    const lives = fc.property(history, ({ amount, acts }) => {
      const sql = nodeSql();
      let engine = new EngineCalls(sql);
      engine.create(newCoupon(amount), "epoch-1", T0);
      let now = T0;
      for (const what of acts) {
        if (what.do === "wait") now += 300;
        if (what.do === "restart") engine = new EngineCalls(sql);
        perform(engine, what, now);
      }
      const certificate = certified(engine.certify(NOTHING_KNOWN, now));
      if (certificate === null) return;
      certificateCount += 1;
      expect(contradictionsOf(engine, certificate, now)).toEqual([]);
      expect(contradictionsOf(engine, certificate, now + certificate.validForMs + 99)).toEqual([]);
    });
    expect(() => fc.assert(lives, { numRuns: 1_500 })).not.toThrow();
    expect(certificateCount).toBeGreaterThan(300);
  });
});

test("a member of a user is none of a key", () => {
  const { engine } = opened(1);
  engine.claimAll([asks("ann")], T0);
  expect(unknownTo(certificateOf(engine), [userMember("ann"), keyMember("ann"), userMember("bob")])).toEqual([
    keyMember("ann"),
    userMember("bob"),
  ]);
});
