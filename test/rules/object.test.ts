// The coupon's object as deployed, in virtual time: arrival order, counts of refused claims, and alarms.

import { expect, test, vi } from "vitest";

import { RESTORE_MS_MAX } from "../../src/domain/backup-limits.ts";
import { CALL_DEADLINE_MS } from "../../src/domain/limits.ts";
import { asks, holdOf, newCoupon, T0 } from "./coupon.ts";
import { objectInNode, type ObjectInNode } from "./object-in-node.ts";
import { pass, useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

/** A new coupon of `amount` units, whose creation is on disk. */
async function created(amount: number): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(amount));
  return coupon;
}

/** The stored claim counts. */
function storedCounts({ sql }: ObjectInNode): unknown {
  return JSON.parse(sql.all<{ outcomes: string }>("SELECT outcomes FROM coupon")[0]?.outcomes ?? "null");
}

test("a hold that arrives after three claims of two units gets out_of_stock", async () => {
  const { object, sql } = await created(2);
  const calls = [object.claim(asks("c1")), object.claim(asks("c2")), object.claim(asks("c3")), object.hold(holdOf("h", 60_000))];
  await pass(1_000);
  expect(await Promise.all(calls)).toMatchObject([
    { ok: true, claim: { userId: "c1", position: 1 } },
    { ok: true, claim: { userId: "c2", position: 2 } },
    { ok: false, code: "out_of_stock" },
    { ok: false, code: "out_of_stock" },
  ]);
  const ledger = sql.all<{ kind: string; user_id: string }>("SELECT kind, user_id FROM ledger WHERE seq > 1 ORDER BY seq");
  expect(ledger.map(({ kind, user_id }) => `${kind} ${user_id}`)).toEqual(["claimed c1", "claimed c2"]);
});

test("counts of refused claims are written once, 5 s after the first", async () => {
  const coupon = await created(1);
  await coupon.object.claim(asks("ann"));
  for (const user of ["bob", "cid"]) await coupon.object.claim(asks(user));
  await pass(1_000);
  await coupon.object.claim(asks("dan"));
  await pass(3_999);
  expect(coupon.transactionCount()).toBe(2);
  await pass(1);
  expect(coupon.transactionCount()).toBe(3);
  expect(storedCounts(coupon)).toMatchObject({ claims: { granted: 1, out_of_stock: 3 }, batched: 4 });
  await pass(60_000);
  expect(coupon.transactionCount()).toBe(3);
});

test("metrics write the counts before they return them", async () => {
  const coupon = await created(1);
  await coupon.object.claim(asks("ann"));
  await coupon.object.claim(asks("bob"));
  expect(await coupon.object.metrics()).toMatchObject({ ok: true, outcomes: { claims: { granted: 1, out_of_stock: 1 } } });
  expect(storedCounts(coupon)).toMatchObject({ claims: { out_of_stock: 1 } });
  await coupon.object.metrics();
  expect(coupon.transactionCount()).toBe(3);
});

test("metrics write the count of a refusal that is still waiting", async () => {
  const coupon = await created(1);
  await coupon.object.claim(asks("ann"));
  const refused = coupon.object.claim(asks("bob"));
  expect(await coupon.object.metrics()).toMatchObject({ ok: true, outcomes: { claims: { out_of_stock: 1 } } });
  expect(storedCounts(coupon)).toMatchObject({ claims: { out_of_stock: 1 } });
  expect(await refused).toMatchObject({ ok: false, code: "out_of_stock" });
});

test("refusals that an isolate reports with a certificate request are written within 5 s", async () => {
  const coupon = await created(1);
  await coupon.object.claim(asks("ann"));
  await coupon.object.certify({ known: null, refused: { out_of_stock: 40 } });
  await pass(5_000);
  expect(storedCounts(coupon)).toMatchObject({ claims: { granted: 1, out_of_stock: 40 }, batched: 1 });
});

test("counts that a granted claim writes along need no write of their own", async () => {
  const coupon = await created(2);
  for (const user of ["ann", "ann", "bob"]) await coupon.object.claim(asks(user));
  expect(storedCounts(coupon)).toMatchObject({ claims: { granted: 2, already_claimed: 1 } });
  await pass(60_000);
  expect(coupon.transactionCount()).toBe(3);
});

test("claims, reads, refusals and changes of a coupon without holds set no alarm", async () => {
  const { object, alarms } = await created(2);
  for (const user of ["ann", "ann"]) await object.claim(asks(user));
  await object.read({ claimedBy: true });
  await object.change({ amount: 9 }, null);
  await pass(60_000);
  expect(alarms).toEqual([]);
});

test("the alarm is set for the hold that expires first, and afterwards for the next", async () => {
  const { object, alarms, sql } = await created(5);
  await object.hold(holdOf("ann", 5_000));
  await object.hold(holdOf("bob", 9_000));
  await object.hold(holdOf("cid", 2_000));
  expect(alarms).toEqual([T0 + 5_000, T0 + 2_000]);
  await pass(2_000);
  await object.alarm();
  expect(alarms).toEqual([T0 + 5_000, T0 + 2_000, T0 + 5_000]);
  expect(sql.all("SELECT user_id FROM holds ORDER BY 1")).toEqual([{ user_id: "ann" }, { user_id: "bob" }]);
});

test.for<readonly [name: string, act: (object: ObjectInNode["object"]) => Promise<unknown>]>([
  ["read", (object) => object.read({ claimedBy: false })],
  ["later hold", (object) => object.hold(holdOf("cid", 90_000))],
])("a restarted object sets a running hold's alarm at a %s, not at a claim", async ([, act]) => {
  const { sql, object: first } = await created(5);
  await first.hold(holdOf("ann", 5_000));
  const { object, alarms } = await objectInNode(sql);
  expect(await object.claim(asks("bob"))).toMatchObject({ ok: true, replayed: false });
  expect(alarms).toEqual([]);
  await act(object);
  await pass(0);
  expect(alarms).toEqual([T0 + 5_000]);
});

const MINUTE = 60_000;
const courier = { notify: () => Promise.resolve() };

test("a claim sets an alarm for its notice within a minute, also where a hold ends later", async () => {
  const { object, alarms } = await objectInNode(undefined, courier);
  await object.create(newCoupon(5));
  await object.hold(holdOf("ann", 10 * MINUTE));
  await pass(MINUTE);
  await object.alarm();
  for (const user of ["bob", "cid"]) await object.claim(asks(user));
  expect(alarms).toEqual([T0 + MINUTE, T0 + 10 * MINUTE, T0 + 2 * MINUTE]);
});

test("a restarted object that is read keeps the alarm for a notice", async () => {
  const first = await objectInNode(undefined, courier);
  await first.object.create(newCoupon(5));
  await first.object.hold(holdOf("ann", 10 * MINUTE));
  const { object, alarms } = await objectInNode(first.sql, courier, first.alarms);
  await object.read({ claimedBy: false });
  await pass(0);
  expect(alarms).toEqual([T0 + MINUTE]);
});

test("an alarm sends the notice before it is set for a hold", async () => {
  const first = await objectInNode(undefined, courier);
  await first.object.create(newCoupon(5));
  await first.object.hold(holdOf("ann", 10 * MINUTE));
  const seen: (number | null)[][] = [];
  const notify = async (): Promise<void> => void seen.push([...first.alarms]);
  const { object, alarms } = await objectInNode(first.sql, { notify }, first.alarms);
  await object.alarm();
  expect([seen, alarms]).toEqual([[[T0 + MINUTE]], [T0 + MINUTE, T0 + 10 * MINUTE]]);
});

test("a courier that does not confirm is notified by alarm, later each time", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const { object, alarms } = await objectInNode(undefined, { notify: () => Promise.reject(new Error("reset")) });
  await object.create(newCoupon(5));
  await pass(1_000);
  for (let tries = 0; tries < 3; tries += 1) await object.alarm();
  expect(alarms).toEqual([T0 + MINUTE, T0 + 1_000, T0 + 2_000, T0 + 3_000, T0 + 5_000]);
});

test("a courier that never answers does not keep the alarm from its holds", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const { object: first, sql } = await created(5);
  await first.hold(holdOf("ann", 1_000));
  const { object } = await objectInNode(sql, { notify: () => new Promise(() => undefined) });
  await pass(1_000);
  void object.alarm();
  await pass(CALL_DEADLINE_MS);
  expect(sql.all("SELECT * FROM holds")).toEqual([]);
});

test("a forgotten ledger leaves the alarm for the notice of the coupon that lives", async () => {
  const { object, alarms } = await objectInNode(undefined, courier);
  await object.create(newCoupon(5));
  await object.remove();
  await object.create(newCoupon(5));
  await object.hold(holdOf("ann", 10 * MINUTE));
  const before = [...alarms];
  expect(await object.forget([])).toMatchObject({ ok: true, isEmpty: false });
  await pass(0);
  expect(alarms).toEqual(before);
});

test("an alarm that discards a restore notifies the courier", async () => {
  const notify = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const { object } = await objectInNode(undefined, { notify });
  await object.create(newCoupon(5));
  const backup = await object.backup(null, 0, null);
  if (!backup.ok) throw new Error(backup.code);
  await object.remove();
  await object.restore("PROMO", { number: 1, header: backup.header, events: backup.events, end: null, bytes: new Uint8Array(1) });
  await pass(RESTORE_MS_MAX);
  expect(await object.forget([])).toMatchObject({ ok: true, isEmpty: false });
  notify.mockClear();
  await object.alarm();
  await pass(MINUTE);
  expect(notify).toHaveBeenCalledTimes(1);
  expect(await object.forget([])).toMatchObject({ ok: true, isEmpty: true });
});

test("an alarm that finds no coupon is not set again", async () => {
  const { object, alarms } = await objectInNode();
  await object.alarm();
  expect(alarms).toEqual([]);
});

test("an alarm that fails is set again after 1, 2 and 4 s", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const { object, alarms, sql } = await created(5);
  await object.hold(holdOf("ann", 1_000));
  sql.database.exec("CREATE TEMP TRIGGER broken BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'injected'); END");
  await pass(1_000);
  for (let tries = 0; tries < 3; tries += 1) await object.alarm();
  expect(alarms).toEqual([T0 + 1_000, T0 + 2_000, T0 + 3_000, T0 + 5_000]);
});
