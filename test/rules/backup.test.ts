// Backup and restore: the rule of each event, the hash, and random sales that come back as they were.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { endLine, eventLine, headerLine } from "../../src/backup-file.ts";
import {
  replayEvent,
  type BackupEnd,
  type BackupEvent,
  type BackupHeader,
  type Replayed,
  type ReplayFacts,
} from "../../src/domain/backup.ts";
import { backupKey, nextBackupAt } from "../../src/domain/backup-schedule.ts";
import { dataOf, type LedgerEvent } from "../../src/domain/ledger-event.ts";
import type { BackupResult } from "../../src/domain/rpc.ts";
import { addToSha256, sha256Hex, SHA256_START } from "../../src/domain/sha256.ts";
import { parsePart } from "../../src/http/backup-part.ts";
import { messageOf, sale } from "./calls.ts";
import { asks, contents, EngineCalls, expectConserved, holdOf, newCoupon, opened, T0 } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf } from "./faulty-sql.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

test.for([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])("the hash of %i bytes in pieces is their SHA-256", (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
  let state = SHA256_START;
  for (let from = 0; from < length; from += 37) state = addToSha256(state, bytes.subarray(from, from + 37));
  expect(sha256Hex(state)).toBe(createHash("sha256").update(bytes).digest("hex"));
});

const SETTINGS = { ...newCoupon(3), paused: false };
const BEFORE: Replayed = { ...SETTINGS, seq: 9, at: T0, createdAt: T0, archivedAt: null, claimed: 1, held: 1, lastPosition: 2 };
const SOLD_OUT = { claimed: 2 };
const ARCHIVED = { archivedAt: T0, held: 0 };
const CLAIM = { userId: "ann", position: 2, claimedAt: T0, remainingAfter: 2, key: "k", attemptId: "a" };
const HOLD = { userId: "ann", heldAt: T0, expiresAt: T0 + 5, attemptId: "a" };

type Row = readonly [
  kind: LedgerEvent["kind"],
  event: Partial<LedgerEvent>,
  facts: Partial<ReplayFacts>,
  before: Partial<Replayed>,
  result: Partial<Replayed> | string,
];
const RULES: readonly Row[] = [
  ["claimed", { position: 3 }, {}, {}, { claimed: 2, held: 1, lastPosition: 3 }],
  ["claimed", { position: 3 }, { hold: HOLD }, SOLD_OUT, { claimed: 3, held: 0, lastPosition: 3 }],
  ["claimed", { position: 3, wasHeld: true }, { hold: HOLD }, {}, { claimed: 2, held: 0, lastPosition: 3 }],
  ["claimed", { position: 3, wasHeld: true }, {}, {}, "is of a user without a hold"],
  ["claimed", { position: 3 }, {}, SOLD_OUT, "leaves -1 units"],
  ["claimed", { position: 3 }, { claim: CLAIM }, {}, "is of a user who has a claim"],
  ["claimed", { position: 3 }, { keyOwner: "bob" }, {}, "has the key of another claim"],
  ["claimed", { position: 2 }, {}, {}, "has position 2 after 2"],
  ["claimed", { position: 3, userId: null }, {}, {}, "names no user"],
  ["claimed", { position: 3 }, {}, ARCHIVED, "comes after the archive"],
  ["released", { position: 2 }, { claim: CLAIM }, ARCHIVED, { claimed: 0, lastPosition: 2 }],
  ["released", { position: 1 }, { claim: CLAIM }, {}, "is of a user without that claim"],
  ["held", { expiresAt: T0 + 2 }, {}, {}, { held: 2 }],
  ["held", { expiresAt: T0 + 2 }, {}, SOLD_OUT, "leaves -1 units"],
  ["held", { expiresAt: T0 + 2 }, { hold: HOLD }, {}, "is of a user who has a unit"],
  ["held", { expiresAt: T0 + 1 }, {}, {}, "ends before it begins"],
  ["given_back", {}, { hold: HOLD }, {}, { held: 0 }],
  ["given_back", {}, {}, {}, "is of a user without a hold"],
  ["expired", { at: T0 + 5 }, { hold: HOLD }, {}, { held: 0 }],
  ["expired", { at: T0 + 4 }, { hold: HOLD }, {}, "is of a user without a hold that is over"],
  ["changed", { userId: null, settings: { ...SETTINGS, amount: 2 } }, {}, {}, { amount: 2 }],
  ["changed", { userId: null, settings: { ...SETTINGS, amount: 1 } }, {}, {}, "leaves -1 units"],
  ["changed", { userId: null }, {}, {}, "has no settings"],
  ["archived", { userId: null }, {}, {}, { held: 0, archivedAt: T0 + 1 }],
  ["erased", {}, { hold: HOLD }, ARCHIVED, {}],
  ["created", {}, {}, {}, "is not the first one"],
];

test.for(RULES)("a replayed event %s %o with %o after %o gives %o", ([kind, event, facts, before, result]) => {
  const whole = { seq: 10, at: T0 + 1, kind, actor: null, userId: "ann", position: null, ...event };
  const replay = replayEvent({ ...BEFORE, ...before }, whole, { claim: null, hold: null, keyOwner: null, ...facts });
  expect(replay.ok ? replay.coupon : replay.fault).toEqual(
    typeof result === "string" ? `event 10 (${kind}) ${result}` : { ...BEFORE, ...before, ...result, seq: 10, at: whole.at },
  );
});

const DAY = 86_400_000;
test.for([
  ["a new coupon", {}, null, null, T0 + DAY],
  ["a new coupon whose sale ends first", { endsAt: T0 + 5 }, null, null, T0 + 5],
  ["a sale that ends after a day", { endsAt: T0 + 2 * DAY }, null, null, T0 + DAY],
  ["a coupon that was backed up", {}, { epoch: "e", seq: 8 }, T0 + 7, T0 + 7 + DAY],
  ["a sale that ends after its last backup", { endsAt: T0 + 9 }, { epoch: "e", seq: 8 }, T0 + 7, T0 + 9],
  ["a sale that ended before its last backup", { endsAt: T0 + 6 }, { epoch: "e", seq: 8 }, T0 + 7, T0 + 7 + DAY],
  ["a coupon that was archived since", { endsAt: T0 + 6, archivedAt: T0 + 8 }, { epoch: "e", seq: 8 }, T0 + 7, T0 + 8],
  ["a coupon without a new event", { endsAt: T0 + 9 }, { epoch: "e", seq: 9 }, T0 + 7, null],
  ["a coupon of another epoch", {}, { epoch: "other", seq: 9 }, T0 + 7, T0 + DAY],
] as const)("the next backup of %s is due when the rule says", ([, facts, cursor, backedUpAt, dueAt]) => {
  expect(nextBackupAt({ epoch: "e", seq: 9, createdAt: T0, endsAt: null, archivedAt: null, ...facts }, cursor, backedUpAt)).toBe(dueAt);
});

test("the key of a backup fits into R2, whatever the coupon's name is", () => {
  expect(backupKey("a/b 🎉", "e", 9)).toBe("a%2Fb%20%F0%9F%8E%89/e/9.ndjson");
  expect(backupKey("🎉".repeat(255), crypto.randomUUID(), Number.MAX_SAFE_INTEGER).length).toBeLessThan(1024);
});

/** A backup as a file has it. */
function fileOf(header: BackupHeader, events: readonly BackupEvent[]): string {
  const lines = headerLine(header) + events.map(eventLine).join("");
  const end: BackupEnd = { epoch: header.epoch, seq: header.seq, sha256: createHash("sha256").update(lines).digest("hex") };
  return lines + endLine(end);
}

/** Restores a file in parts of `lineCount` lines. Returns the tables, and expects that they are conserved. */
function restored(file: string, lineCount: number, at: number) {
  const sql = nodeSql();
  restoreInto(sql, file, lineCount, at);
  expectConserved(sql);
  return contents(sql);
}

function restoreInto(sql: NodeSql, file: string, lineCount: number, at: number): void {
  const lines = file.split(/(?<=\n)/);
  for (let part = 1; (part - 1) * lineCount < lines.length; part += 1) {
    const parsed = parsePart(lines.slice((part - 1) * lineCount, part * lineCount).join(""), part);
    if (!parsed.ok) throw new Error(parsed.fault);
    // An engine of its own for each part has no memory of the others.
    expect(new EngineCalls(sql).one({ kind: "restore", part: parsed.part, name: "PROMO", epoch: "epoch-2" }, at)).toMatchObject({
      ok: true,
    });
  }
}

/** Tables without what a restore changes. The request of a hold that has ended since then is lost. */
function comparable({ coupon = [], holds = [], ledger = [], ...others }: ReturnType<typeof contents>) {
  return {
    ...others,
    coupon: coupon.map(({ epoch: _epoch, clock_at: _clock, ...row }) => row),
    holds: holds.map(({ attempt_id: _attempt, ...row }) => row),
    ledger: ledger.slice(1),
  };
}

test("a random sale, backed up at one instant and read later, is restored as it was", () => {
  const cut = fc.record({ at: fc.integer({ min: 0, max: 40 }), lineCount: fc.constantFrom(1, 2, 7, 100) });
  fc.assert(
    fc.property(sale, cut, ({ terms, steps }, { at, lineCount }) => {
      const sql = nodeSql();
      const engine = new EngineCalls(sql);
      engine.create(newCoupon(terms.amount, terms), "epoch-1", T0);
      let now = T0;
      const run = (some: typeof steps): void => {
        for (const { moveMs, calls } of some) {
          now += moveMs;
          for (const one of calls) engine.one(messageOf(one), now);
        }
      };
      run(steps.slice(0, at));
      now += 100;
      const begun = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, now);
      if (!begun.ok) throw new Error(begun.code);
      const then = contents(sql);
      now += 100;
      run(steps.slice(at));
      const read = engine.one({ kind: "backup", epoch: "epoch-1", after: 0, until: begun.seq }, now);
      if (!read.ok) throw new Error(read.code);
      expect(comparable(restored(fileOf(begun.header, read.events), lineCount, now))).toEqual(comparable(then));
    }),
    { numRuns: 200 },
  );
});

test("an erased user is restored under the pseudonym and can't claim again, and an erasure ends a running backup", () => {
  const { engine, sql } = opened(3);
  engine.claimAll([asks("ann", { key: "k" })], T0);
  engine.hold(holdOf("bob", 60_000), T0);
  const before = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, T0);
  for (const userId of ["ann", "bob"]) engine.one({ kind: "erase", userId, newKey: "a".repeat(64) }, T0);
  expect(engine.one({ kind: "backup", epoch: "epoch-1", after: 0, until: before.seq }, T0)).toMatchObject({ code: "unavailable" });
  const page = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, T0);
  if (!page.ok) throw new Error(page.code);
  const copy = nodeSql();
  restoreInto(copy, fileOf(page.header, page.events), 2, T0);
  expect(comparable(contents(copy))).toEqual(comparable(contents(sql)));
  const [again] = new EngineCalls(copy).claimAll([asks("ann")], T0 + 1);
  expect(again).toMatchObject({ ok: false, code: "already_claimed", claim: { position: 1 } });
});

test("a part that fails is stored whole or not, and can be resent", () => {
  const { engine } = opened(3);
  engine.claimAll([asks("ann", { key: "k" })], T0);
  engine.hold(holdOf("bob", 60_000), T0);
  const page = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, T0);
  if (!page.ok) throw new Error(page.code);
  const lines = fileOf(page.header, page.events).split(/(?<=\n)/);
  const parts = [lines.slice(0, 2), lines.slice(2)].map((some, index) => parsePart(some.join(""), index + 1));
  const restore = (into: EngineCalls, index: number) => {
    const parsed = parts[index];
    if (parsed?.ok !== true) throw new Error("there is no such part");
    return into.one({ kind: "restore", part: parsed.part, name: "PROMO", epoch: "epoch-2" }, T0);
  };
  for (const index of parts.keys()) {
    const flawless = faultySql(nodeSql());
    if (index > 0) restore(new EngineCalls(flawless), 0);
    const before = contents(flawless);
    const points = pointsOf(flawless, () => restore(new EngineCalls(flawless), index));
    const after = contents(flawless);
    expect(points.at(-1)?.name).toBe("after COMMIT");
    for (const point of points) {
      const sql = faultySql(nodeSql());
      const failing = new EngineCalls(sql);
      if (index > 0) restore(failing, 0);
      sql.breakAt(point.index);
      expect(() => restore(failing, index)).toThrow(INJECTED);
      sql.breakAt(null);
      failing.reload();
      expect(contents(sql)).toEqual(point.isStored ? after : before);
      expect(restore(failing, index)).toMatchObject({ ok: true });
      expect(contents(sql)).toEqual(after);
    }
  }
});

test("a restored coupon's first event is the same in ledger and database", () => {
  const { engine } = opened(3);
  const page = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, T0);
  if (!page.ok) throw new Error(page.code);
  const sql = nodeSql();
  restoreInto(sql, fileOf(page.header, page.events), 3, T0);
  const history = new EngineCalls(sql).one({ kind: "history", after: 0, limit: 1 }, T0);
  const [created] = history.ok ? history.events : [];
  expect(sql.all("SELECT data FROM ledger WHERE seq = 1")).toEqual([{ data: created && dataOf(created) }]);
});

test("two holds that a user released at one instant are restored, so that neither request holds again", () => {
  const { engine, sql } = opened(2);
  for (const attempt of ["first", "second"]) {
    engine.hold(holdOf("ann", 60_000, attempt), T0);
    engine.releaseHold("ann", T0);
  }
  const page = engine.one({ kind: "backup", epoch: null, after: 0, until: null }, T0);
  if (!page.ok) throw new Error(page.code);
  expect(comparable(restored(fileOf(page.header, page.events), 3, T0))).toEqual(comparable(contents(sql)));
});

test("a backup of 2,000 changes of the longest texts comes in pages that fit one call", () => {
  const { engine } = opened(5);
  for (let count = 0; count < 2000; count += 1) engine.change({ description: `${count}${"é".repeat(1990)}` }, null, T0);
  const sizes: number[] = [];
  let next: number | null = 0;
  while (next !== null) {
    const page: BackupResult = engine.one({ kind: "backup", epoch: null, after: next, until: 2001 }, T0);
    if (!page.ok) throw new Error(page.code);
    sizes.push(page.events.length);
    ({ next } = page);
  }
  expect(sizes).toEqual([2000, 1]);
});
