// The outbox has every event of every incarnation once, in order, until all sinks have it.

import { expect, test } from "vitest";

import type { OutboxCursor, OutboxPage } from "../../src/domain/delivery.ts";
import { asks, contents, EngineCalls, newCoupon, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const DELETE = { kind: "remove", keepsLedger: true, actor: "alice" } as const;

/** A name that was created and deleted twice, and exists again, with `claims` claims each time. */
function reborn(claims = 2) {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  for (const epoch of ["first", "second", "third"]) {
    engine.create(newCoupon(5), epoch, T0);
    for (let user = 0; user < claims; user += 1) engine.claimAll([asks(`${epoch}-${user}`)], T0 + 1);
    if (epoch !== "third") engine.one(DELETE, T0 + 2);
  }
  return { sql, engine };
}

function pageAfter(engine: EngineCalls, after: OutboxCursor | null, limit: number): OutboxPage {
  const result = engine.one({ kind: "outbox", after, limit }, T0 + 3);
  if (!result.ok || result.page === null) throw new Error("there is a page");
  return result.page;
}

function delivered(engine: EngineCalls, limit: number): string[] {
  const all: string[] = [];
  let after: OutboxCursor | null = null;
  for (;;) {
    const page = pageAfter(engine, after, limit);
    const seqs = [...page.events.map(({ seq }) => seq), ...(page.deletion === null ? [] : [page.deletion.seq])];
    all.push(...seqs.map((seq) => `${page.epoch} ${seq}`));
    if (!page.hasMore) return all;
    expect(page.leftCount).toBe(11 - all.length);
    after = { epoch: page.epoch, seq: seqs.at(-1) ?? 0 };
  }
}

const EVERYTHING = [
  "first 1",
  "first 2",
  "first 3",
  "first 4",
  "second 1",
  "second 2",
  "second 3",
  "second 4",
  "third 1",
  "third 2",
  "third 3",
];

test.for([1, 2, 3, 4, 100])("pages of %i events have all events of all incarnations in order", (limit) => {
  expect(delivered(reborn().engine, limit)).toEqual(EVERYTHING);
});

test("a deleted coupon is not found, and its name can be created again while its ledger is kept", () => {
  const { engine } = reborn();
  engine.one(DELETE, T0 + 4);
  expect(engine.read({ claimedBy: false }, T0 + 5)).toMatchObject({ code: "coupon_not_found" });
  expect(engine.create(newCoupon(1), "fourth", T0 + 6)).toMatchObject({ ok: true });
  expect(pageAfter(engine, { epoch: "third", seq: 3 }, 5)).toMatchObject({ events: [], deletion: { seq: 4, at: T0 + 4, actor: "alice" } });
});

const at = (epoch: string, seq: number): OutboxCursor => ({ epoch, seq });
const FORGETTING: readonly (readonly [cursors: (OutboxCursor | null)[], kept: string[]])[] = [
  [[null], ["first", "second"]],
  [[at("first", 3)], ["first", "second"]],
  [[at("first", 4)], ["second"]],
  [[at("second", 1), at("first", 4)], ["second"]],
  [
    [at("second", 4), at("first", 3)],
    ["first", "second"],
  ],
  [[at("second", 4)], []],
  [[at("third", 1), at("third", 3)], []],
  [
    [at("unknown", 9), at("third", 3)],
    ["first", "second"],
  ],
  [[], []],
];

test.for(FORGETTING)("after sinks at %j, the ledgers of %j are kept", ([cursors, kept]) => {
  const { sql, engine } = reborn();
  expect(engine.one({ kind: "forget", cursors: [...cursors] }, T0 + 9)).toMatchObject({ ok: true, isEmpty: false });
  const tables = Object.keys(contents(sql)).filter((table) => table.startsWith("ledger_"));
  expect(tables).toEqual(kept.map((epoch) => `ledger_${epoch}`));
  expect(pageAfter(engine, null, 1)).toMatchObject({ epoch: kept[0] ?? "third", hasDeleted: kept.length > 0 });
});

test("a deleted coupon whose ledger all sinks have leaves no table", () => {
  const { sql, engine } = reborn();
  engine.one(DELETE, T0 + 4);
  expect(engine.one({ kind: "forget", cursors: [at("third", 4)] }, T0 + 9)).toMatchObject({ isEmpty: true });
  expect(contents(sql)).toEqual({});
  expect(engine.one({ kind: "outbox", after: at("third", 4), limit: 5 }, T0 + 9)).toEqual({ ok: true, page: null, seq: 0 });
});
