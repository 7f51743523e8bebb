// The read model in a real D1 database: pages from real objects, stored twice, late, and after a deletion.

import { env } from "cloudflare:workers";

import { expect, test } from "vitest";

import { PAGE_SIZE_MAX } from "../../../src/domain/limits.ts";
import { ERASED_AT_ONCE_MAX } from "../../../src/domain/delivery-limits.ts";
import type { OutboxCursor, OutboxPage } from "../../../src/domain/delivery.ts";
import { clearIncarnation, storePage } from "../../../src/read-model/store.ts";
import { change, claim, create, created, freshName, hold, remove, revoke } from "../../support/api.ts";
import { stubOf } from "../../support/storage.ts";
import { stopCouriers } from "./courier-stage.ts";

const STORED_AT = 1_000;

/** The next page of a coupon's outbox. */
async function pageOf(name: string, after: OutboxCursor | null = null, limit = PAGE_SIZE_MAX): Promise<OutboxPage> {
  const result = await stubOf(name).outbox(after, limit);
  if (!result.ok || result.page === null) throw new Error(`${name} has no page`);
  return result.page;
}

/** All pages of a coupon's outbox, of all incarnations. */
async function pagesOf(name: string, limit: number): Promise<OutboxPage[]> {
  const pages = [await pageOf(name, null, limit)];
  for (let last = pages[0]; last?.hasMore === true; last = pages.at(-1)) {
    const seq = last.deletion?.seq ?? last.events.at(-1)?.seq ?? 0;
    pages.push(await pageOf(name, { epoch: last.epoch, seq }, limit));
  }
  return pages;
}

async function store(name: string, ...pages: readonly OutboxPage[]): Promise<void> {
  for (const page of pages) await storePage(env.DB, name, page, STORED_AT);
}

async function rowsOf(table: string, epoch: string): Promise<Record<string, unknown>[]> {
  return (await env.DB.prepare(`SELECT * FROM ${table} WHERE epoch = ?`).bind(epoch).all()).results;
}

/** All rows of an incarnation, to compare. */
async function allOf(epoch: string): Promise<unknown> {
  return Promise.all(["coupons", "claims", "events"].map((table) => rowsOf(table, epoch)));
}

test("pages stored twice, late and in another size leave the same rows as in order", async () => {
  stopCouriers();
  const name = await created(3, { hold_seconds_max: 60 });
  for (const user of ["ada", "bob"]) expect((await claim(name, user)).status).toBe(201);
  const young = await pageOf(name);
  expect((await hold(name, "eve")).status).toBe(201);
  expect((await revoke(name, "ada")).status).toBe(200);
  expect((await change(name, { amount: 9, paused: true })).status).toBe(200);
  const { epoch, coupon, now } = young;
  const all = await pagesOf(name, 2);
  expect(all).toHaveLength(3);
  await store(name, ...all);
  const expected = await allOf(epoch);
  await store(name, ...all.toReversed(), ...all, young);
  expect(await allOf(epoch)).toEqual(expected);

  const [row] = await rowsOf("coupons", epoch);
  expect(row).toMatchObject({ name, amount: 9, claimed: 1, held: 1, paused: 1, hold_seconds_max: 60, last_position: 2, seq: 6 });
  expect(row).toMatchObject({ starts_at: null, holds_max: null, created_at: coupon.createdAt, archived_at: null, deleted_at: null });
  expect(row?.["as_of"]).toBeGreaterThanOrEqual(now);
  const events = await rowsOf("events", epoch);
  expect(events.map(({ seq, kind, user_id }) => [seq, kind, user_id])).toEqual([
    [1, "created", null],
    [2, "claimed", "ada"],
    [3, "claimed", "bob"],
    [4, "held", "eve"],
    [5, "released", "ada"],
    [6, "changed", null],
  ]);
  expect(JSON.parse(String(events[5]?.["data"]))).toMatchObject({ amount: 9, paused: 1 });
  const [ada, bob] = await rowsOf("claims", epoch);
  expect(ada).toEqual({ epoch, position: 1, user_id: "ada", claimed_at: events[1]?.["at"], revoked_at: events[4]?.["at"] });
  expect(bob).toMatchObject({ position: 2, user_id: "bob", revoked_at: null });
  expect(await env.DB.prepare("SELECT as_of FROM freshness").first("as_of")).toBe(STORED_AT);

  await clearIncarnation(env.DB, epoch);
  expect(await allOf(epoch)).toEqual([[], [], []]);
});

test("a deletion erases its incarnation's claims, also from a late page, and no other incarnation's", async () => {
  stopCouriers();
  const name = freshName();
  for (const user of ["ada", "bob"]) {
    await remove(name);
    await create(name, 1);
    expect((await claim(name, user)).status).toBe(201);
  }
  const pages = await pagesOf(name, 1);
  const [first, , last] = [pages[0], pages[1], pages.at(-1)];
  if (first === undefined || last === undefined) throw new Error("no pages");
  await store(name, ...pages, first);
  const [gone, alive] = [first.epoch, last.epoch];
  expect([await rowsOf("claims", gone), await rowsOf("events", gone)]).toEqual([[], []]);
  expect((await rowsOf("coupons", gone))[0]?.["deleted_at"]).toBe(pages.find(({ deletion }) => deletion !== null)?.deletion?.at);
  expect(await rowsOf("claims", alive)).toMatchObject([{ user_id: "bob" }]);
  expect(await rowsOf("coupons", alive)).toMatchObject([{ name, deleted_at: null }]);
});

test("a deletion that is stamped by a slower clock ends its incarnation too", async () => {
  stopCouriers();
  const name = await created(1);
  const page = await pageOf(name);
  await store(name, { ...page, now: page.now + 60_000 });
  await remove(name);
  const deleted = await pageOf(name);
  await store(name, deleted);
  expect(await rowsOf("coupons", page.epoch)).toMatchObject([{ deleted_at: deleted.deletion?.at }]);
});

test("a deletion of more rows than one statement erases is stored in steps", async () => {
  stopCouriers();
  const name = await created(1);
  const { epoch } = await pageOf(name);
  await remove(name);
  const page = await pageOf(name);
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO events SELECT ?1, i, 0, 'claimed', 'ada', i, NULL, NULL FROM n`,
  )
    .bind(epoch, ERASED_AT_ONCE_MAX + 1)
    .run();
  expect([await storePage(env.DB, name, page, STORED_AT), (await rowsOf("events", epoch)).length]).toEqual([false, 1]);
  expect([await storePage(env.DB, name, page, STORED_AT), (await rowsOf("events", epoch)).length]).toEqual([true, 0]);
});
