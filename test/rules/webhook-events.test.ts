// What webhooks tell of a sale: the truth table of milestones, the same messages from any pages, and bodies as documented.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Coupon } from "../../src/domain/coupon.ts";
import type { OutboxCursor } from "../../src/domain/delivery.ts";
import { milestones, nextEdgeAt, steps, WEBHOOK_EVENTS, type Fold, type WebhookMessage } from "../../src/domain/webhook-events.ts";
import { pseudonymOf } from "../../src/domain/pseudonym.ts";
import { receipt } from "../../src/wire.ts";
import { WEBHOOKS, type DocumentedPayload } from "../../src/http/webhook-schemas.ts";
import { payload } from "../../src/webhooks/payload.ts";
import { messageOf, sale, type Sale } from "./calls.ts";
import { asks, EngineCalls, ERASURE_KEY, holdOf, manyClaims, newCoupon, opened, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

/** The fold of a sink that begins at the head of a ledger. */
function foldAt({ epoch, seq, amount, claimed, held, startsAt, endsAt, archivedAt }: Coupon, at: number): Fold {
  return { epoch, seq, at, sale: { amount, claimed, held, startsAt, endsAt, archivedAt } };
}

/** A sale from 10 to 20 ms: before, within and after its window, each with a unit left and without one. */
const MOMENTS = [5, 15, 25].flatMap((at) =>
  [0, 1].map((claimed) => ({ at, sale: { amount: 1, claimed, held: 0, startsAt: 10, endsAt: 20, archivedAt: null } })),
);

test.for([
  [null, ["", "sold_out", "started", "started sold_out", "ended", "sold_out ended"]],
  [0, ["", "sold_out", "started", "started sold_out", "ended", "sold_out ended"]],
  [1, ["", "", "started", "started", "ended", "ended"]],
  [2, ["", "sold_out", "", "sold_out", "ended", "sold_out ended"]],
  [3, ["", "", "reopened", "", "ended", "ended"]],
  [4, ["", "sold_out", "reopened", "sold_out", "", "sold_out"]],
  [5, ["", "", "reopened", "", "", ""]],
] as const)("from moment %s a sale reaches these milestones: %o", ([from, reached]) => {
  const before = from === null ? null : (MOMENTS[from] ?? null);
  expect(MOMENTS.map((after) => milestones(before, after).join(" "))).toEqual(reached);
});

test("time alone makes a milestone at the start and at the end, and none of an archived sale", () => {
  const window = { amount: 1, claimed: 0, held: 0, startsAt: 10, endsAt: 20, archivedAt: null };
  expect([9, 10, 19, 20].map((now) => nextEdgeAt(window, now))).toEqual([10, 20, 20, null]);
  expect(nextEdgeAt({ ...window, archivedAt: 5 }, 9)).toBeNull();
});

/** A sink: it reads pages, and keeps what it was sent. */
class Sink {
  cursor: OutboxCursor | null = null;
  fold: Fold | null = null;
  readonly messages: WebhookMessage[] = [];
  /** The facts after each event, as the messages tell them, and as the coupon had them where a page ended at the head. */
  readonly sales = new Map<string, Fold["sale"]>();
  readonly actual = new Map<string, Fold["sale"]>();

  /** Reads at most `limit` events. Returns whether more follow. */
  read(engine: EngineCalls, limit: number, now: number): boolean {
    const answer = engine.one({ kind: "outbox", after: this.cursor, limit }, now);
    if (!answer.ok || answer.page === null) return false;
    const { page } = answer;
    for (const { messages, cursor, fold } of steps(this.fold, "PROMO", page)) {
      this.messages.push(...messages);
      this.sales.set(`${cursor.epoch} ${cursor.seq}`, fold?.sale ?? page.coupon);
      [this.cursor, this.fold] = [cursor, fold];
    }
    const head = foldAt(page.coupon, page.now);
    this.actual.set(`${head.epoch} ${head.seq}`, head.sale);
    return page.hasMore;
  }

  readAll(engine: EngineCalls, limit: number, now: number): this {
    while (this.read(engine, limit, now));
    return this;
  }
}

/** Runs a sale, its deletion and a second sale, while a sink reads `limits` events after each step. Returns the sink, and one that reads all at once. */
function twice({ terms, steps: course }: Sale, limits: readonly number[]): [Sink, Sink] {
  const sql = nodeSql();
  const sink = new Sink();
  let engine = new EngineCalls(sql);
  let now = T0;
  engine.create(newCoupon(terms.amount, terms), "epoch-1", now);
  for (const [index, { moveMs, calls, isMemoryLost }] of course.entries()) {
    now += moveMs;
    engine.batch(calls.map(messageOf), now);
    const limit = limits[index] ?? 0;
    if (limit > 0) sink.read(engine, limit, now);
    if (isMemoryLost) engine = new EngineCalls(sql);
  }
  engine.one({ kind: "remove", keepsLedger: true }, (now += 20));
  engine.create(newCoupon(1), "epoch-2", now);
  engine.claimAll([asks("eve")], now);
  return [sink.readAll(engine, 2, now + 300), new Sink().readAll(engine, 1000, now + 300)];
}

test("a ledger makes the same messages, whatever its pages are and whenever they are read", () => {
  const types = new Set<string>();
  const limits = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40, size: "max" });
  fc.assert(
    fc.property(sale, limits, (one, sizes) => {
      const [byPages, atOnce] = twice(one, sizes);
      expect(byPages.messages).toEqual(atOnce.messages);
      const ids = atOnce.messages.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [event, facts] of byPages.actual) expect([event, atOnce.sales.get(event)]).toEqual([event, facts]);
      for (const message of atOnce.messages) {
        const body: DocumentedPayload = payload(message);
        expect(() => WEBHOOKS.find(({ type }) => type === body.type)?.schema.parse(body)).not.toThrow();
        types.add(body.type);
      }
    }),
    { numRuns: 300 },
  );
  expect([...types].sort()).toEqual([...WEBHOOK_EVENTS].sort());
});

test("the messages of a sale are in order, a window edge before the events of its instant", () => {
  const { engine } = opened(2, { startsAt: T0 + 20, endsAt: T0 + 50 });
  engine.hold(holdOf("ann", 1_000), T0 + 20);
  engine.claimAll([asks("bob"), asks("ann")], T0 + 30);
  engine.revoke({ userId: "bob", position: null }, T0 + 40);
  const { messages } = new Sink().readAll(engine, 100, T0 + 60);
  expect(messages.map(({ id, type, at }) => `${at - T0} ${id} ${type}`)).toEqual([
    "0 msg_epoch-1_1 coupon.created",
    "20 msg_epoch-1_1_started coupon.started",
    "20 msg_epoch-1_2 hold.created",
    "30 msg_epoch-1_3 claim.granted",
    "30 msg_epoch-1_3_sold_out coupon.sold_out",
    "30 msg_epoch-1_4 claim.granted",
    "40 msg_epoch-1_5 claim.revoked",
    "40 msg_epoch-1_5_reopened coupon.reopened",
    "50 msg_epoch-1_5_ended coupon.ended",
  ]);
});

test("a message is made when it is sent, not with its page", () => {
  const { engine } = opened(5);
  engine.claimAll(manyClaims(5), T0);
  const answer = engine.one({ kind: "outbox", after: null, limit: 100 }, T0);
  if (!answer.ok || answer.page === null) throw new Error("there is no page");
  const made = new Set<number>();
  const watched = answer.page.events.map((event) => ({
    ...event,
    get kind() {
      return (made.add(event.seq), event.kind);
    },
  }));
  const following = steps(null, "PROMO", { ...answer.page, events: watched })[Symbol.iterator]();
  const counts = watched.map(() => [following.next().done, made.size]);
  expect(counts).toEqual([1, 2, 3, 4, 5, 6].map((count) => [false, count]));
});

test("claim.granted has the receipt of the claim, and names its event", () => {
  const { engine } = opened(5);
  const [granted] = engine.claimAll([asks("ann")], T0 + 30);
  const message = new Sink().readAll(engine, 100, T0 + 30).messages.at(-1);
  if (granted?.ok !== true || message === undefined) throw new Error("ann has no claim");
  expect(payload(message)).toEqual({
    type: "claim.granted",
    timestamp: "2023-11-14T22:13:20.030Z",
    data: { ...receipt("PROMO", granted.claim), epoch: "epoch-1", seq: 2, actor: null },
  });
});

test("an endpoint that starts at the head gets what follows, with the ids of one that has all", () => {
  const { engine } = opened(1, { endsAt: T0 + 50 });
  engine.claimAll([asks("ann")], T0 + 10);
  const read = engine.read({ claimedBy: false }, T0 + 20);
  if (!read.ok) throw new Error("there is no coupon");
  const late = new Sink();
  late.fold = foldAt(read.coupon, read.now);
  late.cursor = late.fold;
  engine.revoke({ userId: "ann", position: null }, T0 + 30);
  const all = new Sink().readAll(engine, 100, T0 + 60).messages;
  expect(late.readAll(engine, 100, T0 + 60).messages).toEqual(all.slice(-3));
  expect(all.slice(-3).map(({ type }) => type)).toEqual(["claim.revoked", "coupon.reopened", "coupon.ended"]);
});

test("an erasure sends nothing, and a replay after it has the pseudonym and the same ids", () => {
  const { engine } = opened(1);
  engine.claimAll([asks("ann")], T0);
  const sink = new Sink().readAll(engine, 10, T0);
  engine.erase("ann", T0);
  sink.readAll(engine, 10, T0);
  const again = new Sink().readAll(engine, 10, T0);
  expect([sink.cursor?.seq, again.cursor]).toEqual([3, sink.cursor]);
  expect(again.messages.map(({ id, type }) => `${id} ${type}`)).toEqual(sink.messages.map(({ id, type }) => `${id} ${type}`));
  const usersOf = ({ messages }: Sink) => messages.flatMap(({ data: { userId } }) => userId ?? []);
  expect([usersOf(sink), usersOf(again)]).toEqual([["ann"], [pseudonymOf(ERASURE_KEY, "ann")]]);
});
