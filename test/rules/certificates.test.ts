// What the engine certifies: all users and keys outside the bypass set get one refusal.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { covers, keyMember, received, userMember, type Certificate, type CertificateRequest } from "../../src/domain/certificate.ts";
import type { Message } from "../../src/engine/message.ts";
import { asks, manyClaims, EngineCalls, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { certificateOf, certified, NOTHING_KNOWN, unknownTo } from "./bypass.ts";
import { nodeSql } from "./node-sql.ts";

test("an open coupon issues no certificate", () => {
  const { engine } = opened(2);
  engine.claimAll(manyClaims(1), T0);
  expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({ ok: true, certificate: null, seq: 2 });
});

test("a sold-out coupon issues no certificate while a message waits for the lease", () => {
  const { engine } = opened(1);
  engine.claimAll(manyClaims(1), T0);
  engine.lease = { leaseUntil: T0 + 1_100, mayCertify: false };
  expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({ ok: true, certificate: null, seq: 2 });
});

test("a certificate lists every claimant and key, and its successor the new ones", () => {
  const { engine } = opened(1);
  engine.claimAll([asks("ann", { key: "order-1" })], T0);
  const certificate = {
    code: "out_of_stock",
    startsAt: null,
    validForMs: 1_000,
    epoch: "epoch-1",
    seq: 2,
    startsInMs: 0,
    isAnyKeyNew: false,
    erasureKey: null,
    bypassSeq: 2,
    bypass: ["uann", "korder-1"],
  };
  expect(engine.certify(NOTHING_KNOWN, T0)).toEqual({ ok: true, seq: 2, certificate });
  engine.change({ amount: 2 }, null, T0);
  engine.claimAll([asks("bob")], T0);
  const next = certificateOf(engine);
  expect(next).toMatchObject({ seq: 4, bypassSeq: 4, bypass: ["uann", "korder-1", "ubob"] });
  expect(unknownTo(next, [userMember("bob"), keyMember("bob"), userMember("cid")])).toEqual([keyMember("bob"), userMember("cid")]);
});

test("a certificate lists holders and revoked users, and covers no key while units are held", () => {
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

test.for<readonly [bypass: string, isolate: string, known: CertificateRequest["known"]]>([
  ["null", "this epoch and seq", { epoch: "epoch-1", bypassSeq: 2 }],
  ["the set", "another epoch", { epoch: "epoch-2", bypassSeq: 2 }],
  ["the set", "another seq", { epoch: "epoch-1", bypassSeq: 1 }],
])("the bypass is %s for an isolate that has the set of %s", ([bypass, , known]) => {
  const { engine } = opened(1);
  engine.claimAll([asks("ann")], T0);
  certificateOf(engine);
  engine.change({ paused: true }, null, T0);
  const certificate = certified(engine.certify({ known, refused: {} }, T0));
  expect(certificate).toMatchObject({ seq: 3, bypassSeq: 2, bypass: bypass === "null" ? null : ["uann"] });
});

test("a certificate before the start names the start and its distance", () => {
  const { engine } = opened(1, { startsAt: T0 + 5_000 });
  expect(certificateOf(engine, T0 + 1_000)).toMatchObject({ code: "sale_not_started", startsAt: T0 + 5_000, startsInMs: 4_000 });
});

test("a certificate of a recreated coupon has nothing of the epoch before", () => {
  const { engine } = opened(3);
  engine.claimAll(manyClaims(3, "before"), T0);
  certificateOf(engine);
  expect(engine.remove(T0)).toEqual({ ok: true, seq: 0 });
  engine.create(newCoupon(1), "epoch-2", T0);
  engine.claimAll([asks("bob")], T0);
  expect(certificateOf(engine)).toMatchObject({ epoch: "epoch-2", seq: 2, bypass: ["ubob"] });
});

test("a certificate states an end that was answered before the clock was set back", () => {
  const { engine } = opened(1, { endsAt: T0 + 900 });
  engine.claimAll(manyClaims(1), T0);
  expect(engine.read({ claimedBy: false }, T0 + 1_000)).toMatchObject({ coupon: { state: "ended" } });
  expect(certificateOf(engine, T0 + 400)).toMatchObject({ code: "sale_ended" });
});

/** The codes other than the certificate's that the engine answers to claims and holds that it covers. */
function contradictionsOf(engine: EngineCalls, certificate: Certificate, now: number): string[] {
  const held = received(certificate, null, 0);
  const claims = ["ann", "bob", "cid", "dan", "eve"].flatMap((user) => [null, "k1", "k2"].map((sent) => asks(user, { key: sent })));
  const covered = claims.filter((claim) => held !== null && covers(held, claim, 0));
  return covered.flatMap((claim) =>
    ["a1", "a2", "a3"].flatMap((attempt) => {
      const claimed = engine.codeOf({ kind: "claim", request: { ...claim, attemptId: attempt } }, now);
      const kept = engine.codeOf({ kind: "hold", request: holdOf(claim.userId, 1_000, attempt) }, now);
      return [claimed, kept].filter((code) => code !== certificate.code);
    }),
  );
}

const userId = fc.constantFrom("ann", "bob", "cid", "dan");
const key = fc.constantFrom(null, "k1", "k2");
const attemptId = fc.constantFrom("a1", "a2", "a3");
const instant = fc.option(fc.integer({ min: -50, max: 2_000 }).map((afterMs) => T0 + afterMs));
const change = fc.record(
  { amount: fc.integer({ min: 1, max: 3 }), paused: fc.boolean(), startsAt: instant, endsAt: instant },
  { requiredKeys: [] },
);
const hold = fc.record({ userId, ttlMs: fc.integer({ min: 1, max: 2_000 }), attemptId });
const step: fc.Arbitrary<Message | "restart" | "wait"> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ userId, key, attemptId }).map((request) => ({ kind: "claim", request }) as const) },
  { weight: 12, arbitrary: hold.map((request) => ({ kind: "hold", request }) as const) },
  { weight: 5, arbitrary: userId.map((revoked) => ({ kind: "revoke", request: { userId: revoked, position: null } }) as const) },
  { weight: 4, arbitrary: userId.map((released) => ({ kind: "release_hold", userId: released }) as const) },
  { weight: 6, arbitrary: change.map((changed) => ({ kind: "change", change: changed, precondition: null }) as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "certify", request: NOTHING_KNOWN } as const) },
  { weight: 4, arbitrary: fc.constantFrom("restart", "wait") },
);
const history = fc.record({ amount: fc.integer({ min: 1, max: 3 }), steps: fc.array(step, { maxLength: 25, size: "max" }) });

test("after random histories the engine answers all that a certificate covers as it states", () => {
  let certificateCount = 0;
  const run = fc.property(history, ({ amount, steps }) => {
    const sql = nodeSql();
    let engine = new EngineCalls(sql);
    engine.create(newCoupon(amount), "epoch-1", T0);
    let now = T0;
    for (const what of steps) {
      if (what === "wait") now += 300;
      else if (what === "restart") engine = new EngineCalls(sql);
      else engine.codeOf(what, now);
    }
    const certificate = certified(engine.certify(NOTHING_KNOWN, now));
    if (certificate === null) return;
    certificateCount += 1;
    expect(contradictionsOf(engine, certificate, now)).toEqual([]);
    expect(contradictionsOf(engine, certificate, now + certificate.validForMs + 99)).toEqual([]);
  });
  expect(() => fc.assert(run, { numRuns: 1_500 })).not.toThrow();
  expect(certificateCount).toBeGreaterThan(300);
});
