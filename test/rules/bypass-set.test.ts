// The bypass set of large coupons: read in pages during the sale, never without a member, and rebuilt without ended holds.

import { expect, test } from "vitest";

import { bytesOf, mayContain } from "../../src/domain/bloom-filter.ts";
import { keyMember, userMember } from "../../src/domain/certificate.ts";
import { certificateOf, NOTHING_KNOWN, unknownTo } from "./bypass.ts";
import { asks, EngineCalls, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

/** The n-th of many users. */
function nth(n: number): string {
  return `u${String(n).padStart(5, "0")}`;
}

/** Stores a claim with a key for each of `count` users: rows, events and counters. */
function fill(sql: NodeSql, count: number): void {
  const users = `WITH RECURSIVE users (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM users WHERE n < ${count})`;
  sql.database.exec(`
    INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id)
    ${users} SELECT printf('u%05d', n), n, ${T0}, 0, 'key-' || n, 'a' FROM users;
    INSERT INTO ledger (seq, at, kind, user_id, position) ${users} SELECT n + 1, ${T0}, 'claimed', printf('u%05d', n), n FROM users;
    UPDATE coupon SET claimed = ${count}, last_position = ${count}, seq = ${count + 1}`);
}

function filled(count: number, amount: number) {
  const sql = nodeSql();
  new EngineCalls(sql).create(newCoupon(amount), "epoch-1", T0);
  fill(sql, count);
  return { sql, engine: new EngineCalls(sql) };
}

const CLAIMS = 12_000;
const members = Array.from({ length: CLAIMS }, (_, index) => [userMember(nth(index + 1)), keyMember(`key-${index + 1}`)]).flat();

test("a set of 12,000 rows takes a message for each 5,000", () => {
  const { engine } = filled(CLAIMS, CLAIMS);
  const answers = Array.from({ length: 3 }, () => engine.certify(NOTHING_KNOWN, T0));
  expect(answers).toMatchObject([
    { ok: false, code: "bypass_incomplete" },
    { ok: false, code: "bypass_incomplete" },
    { ok: true, certificate: { seq: CLAIMS + 1, bypassSeq: CLAIMS + 1 } },
  ]);
  expect(unknownTo(certificateOf(engine), members)).toEqual([]);
});

test("a set has every member of events between its pages", () => {
  const { engine } = filled(CLAIMS, CLAIMS + 2);
  engine.hold(holdOf("aaa", 60_000), T0);
  engine.hold(holdOf("zzz", 60_000), T0);
  // This message reads the first 5,000 claims.
  expect(engine.certify(NOTHING_KNOWN, T0)).toMatchObject({ code: "bypass_incomplete" });
  engine.claimAll([asks("aaa", { key: "first-key" }), asks("zzz", { key: "last-key" })], T0);
  engine.revoke({ userId: nth(10), position: null }, T0);
  engine.revoke({ userId: nth(9_000), position: null }, T0);
  engine.claimAll([asks("aab", { key: "new-key" })], T0);
  engine.hold(holdOf("aac", 60_000), T0);
  expect(engine.certify(NOTHING_KNOWN, T0)).toMatchObject({ code: "bypass_incomplete" });
  engine.releaseHold("aac", T0);
  engine.hold(holdOf("aad", 60_000), T0);

  const now = ["aaa", "zzz", nth(10), nth(9_000), "aab", "aad"].map(userMember);
  const keys = ["first-key", "last-key", "new-key"].map(keyMember);
  const kept = members.filter((member) => member !== keyMember("key-9000"));
  const certificate = certificateOf(engine);
  expect(unknownTo(certificate, [...kept, ...now, ...keys])).toEqual([]);
  expect(certificate).toMatchObject({ isAnyKeyNew: true, seq: CLAIMS + 11, bypassSeq: CLAIMS + 11 });
});

test("a set behind 6,000 events takes two messages to follow them", () => {
  const { engine } = opened(6_000);
  engine.change({ paused: true }, null, T0);
  certificateOf(engine);
  engine.change({ paused: false }, null, T0);
  const users = Array.from({ length: 6_000 }, (_, index) => nth(index + 1));
  for (let from = 0; from < users.length; from += 1_000) engine.claimMany(users.slice(from, from + 1_000), `bulk-${from}`, T0);
  expect(engine.certify(NOTHING_KNOWN, T0)).toMatchObject({ code: "bypass_incomplete" });
  const certificate = certificateOf(engine);
  expect(unknownTo(certificate, users.map(userMember))).toEqual([]);
});

test("a set that is half read starts anew in another epoch", () => {
  const { engine } = filled(CLAIMS, CLAIMS);
  expect(engine.certify(NOTHING_KNOWN, T0)).toMatchObject({ code: "bypass_incomplete" });
  engine.remove(T0);
  engine.create(newCoupon(1), "epoch-2", T0);
  engine.claimAll([asks("aaa")], T0);
  expect(certificateOf(engine)).toMatchObject({ epoch: "epoch-2", bypass: ["uaaa"] });
});

test("a set with more members than fit becomes a larger filter", () => {
  const { engine } = opened(300);
  const users = Array.from({ length: 3_000 }, (_, index) => nth(index + 1));
  engine.claimMany(users.slice(0, 300), "bulk-1", T0);
  expect(bytesOf(certificateOf(engine).bypass ?? [])).toBe(4_096);
  engine.change({ amount: 3_000 }, null, T0);
  for (let from = 300; from < 3_000; from += 900) engine.claimMany(users.slice(from, from + 900), `bulk-${from}`, T0);
  expect(unknownTo(certificateOf(engine), users.map(userMember))).toEqual([]);
  // The set is full, so the next message rebuilds it.
  const certificate = certificateOf(engine);
  expect(bytesOf(certificate.bypass ?? [])).toBe(32_768);
  expect(unknownTo(certificate, users.map(userMember))).toEqual([]);
  // One in a thousand seems to be a member. With the first filter most would.
  const others = Array.from({ length: 2_000 }, (_, index) => userMember(`other-${index}`));
  expect(unknownTo(certificate, others).length).toBeGreaterThan(1_980);
});

test("a set full of ended holds is rebuilt without them, and certificates continue", () => {
  const { engine } = opened(3);
  engine.claimAll([asks("ann", { key: "order-1" }), asks("bob")], T0);
  engine.revoke({ userId: "bob", position: null }, T0);
  engine.claimAll([asks("cid")], T0);
  const always = [userMember("ann"), userMember("bob"), userMember("cid"), keyMember("order-1")];
  const others = Array.from({ length: 1_000 }, (_, index) => userMember(`other-${index}`));
  let passedMax = 0;
  let rebuiltCount = 0;
  let wasFilter = false;
  let bytesMax = 0;
  for (let round = 0; round < 3_000; round += 1) {
    const at = T0 + round * 1_000;
    engine.hold(holdOf(`holder-${round}`, 1_000), at);
    const { bypass } = certificateOf(engine, at);
    const isKnown = mayContain(bypass ?? []);
    expect([...always, userMember(`holder-${round}`)].filter((member) => !isKnown(member))).toEqual([]);
    passedMax = Math.max(passedMax, others.filter(isKnown).length);
    const isFilter = bypass instanceof Uint8Array;
    bytesMax = Math.max(bytesMax, isFilter ? bypass.length : 0);
    rebuiltCount += Number(wasFilter && !isFilter);
    wasFilter = isFilter;
  }
  // A full filter takes one in a thousand other users for a member.
  expect(passedMax).toBeLessThan(10);
  expect([rebuiltCount, bytesMax]).toEqual([5, 1_024]);
});
