// What is read out of an HTTP answer, and out of what a coupon says when it is deleted.

import { describe, expect, test } from "vitest";

import { eventsOf } from "./harness.ts";
import type { Incarnation } from "./stored.ts";
import { answerOf, requestOf } from "./wire.ts";
import type { Call } from "../model/types.ts";

const AT = "2026-11-21T10:00:00.123Z";
const MS = Date.parse(AT);
const claim: Call = { kind: "claim", userId: "ann", key: "k1" };

function heard(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}) {
  return { status, body, headers: { "coupon-seq": "7", ...headers } };
}

describe("an answer", () => {
  const receipt = { coupon_name: "A", user_id: "ann", position: 2, claimed_at: AT };

  test("to a claim: granted, replayed, refused", () => {
    const granted = { seq: 7, position: 2, claimedAt: MS, remaining: 3 };
    expect(answerOf("A", claim, heard(201, { ...receipt, remaining_amount: 3 }))).toEqual({ is: "claimed", ...granted });
    const replayed = heard(201, { ...receipt, remaining_amount: 3 }, { "idempotent-replayed": "true" });
    expect(answerOf("A", claim, replayed)).toEqual({ is: "replayed", ...granted });
    const refused = heard(409, { code: "already_claimed", claim: receipt });
    expect(answerOf("A", claim, refused)).toEqual({ is: "already_claimed", seq: 7, position: 2, claimedAt: MS });
    const early = heard(403, { code: "sale_not_started", starts_at: AT });
    expect(answerOf("A", claim, early)).toEqual({ is: "sale_not_started", seq: 7, startsAt: MS });
  });

  test("of the Worker alone says so", () => {
    const edge = heard(400, { code: "out_of_stock" }, { "served-by": "edge" });
    expect(answerOf("A", claim, edge)).toEqual({ is: "out_of_stock", seq: 7, servedByEdge: true });
  });

  test("that the server itself does not know is none", () => {
    expect(answerOf("A", claim, heard(503, { code: "outcome_unknown" }))).toBeNull();
    expect(answerOf("A", claim, heard(503, { code: "unavailable" }))?.is).toBe("unavailable");
  });

  test("about another coupon or another user is none that can be right", () => {
    const body = { ...receipt, remaining_amount: 3 };
    expect(answerOf("B", claim, heard(201, body))?.is).toBe("about_another");
    expect(answerOf("A", claim, heard(201, { ...body, user_id: "bob" }))?.is).toBe("about_another");
  });

  test("with another call's status, without a seq or without a fact can't be right", () => {
    expect(answerOf("A", claim, heard(200, receipt))?.is).toBe("status_200");
    expect(answerOf("A", claim, { ...heard(201, receipt), headers: {} })?.seq).toBe(-1);
    expect(answerOf("A", claim, heard(201, receipt))?.remaining).toBeNaN();
  });

  test("to a read has the coupon with its hold limits and its claimants", () => {
    const view = { name: "A", amount: 5, remaining_amount: 3, state: "open", starts_at: null, ends_at: AT, paused: false, created_at: AT };
    const body = { ...view, held_amount: 1, hold_seconds_max: 900, holds_max: null, claimed_by: ["ann"] };
    const facts = { amount: 5, remaining: 3, held: 1, state: "open", startsAt: null, endsAt: MS, paused: false, createdAt: MS };
    const limits = { holdSecondsMax: 900, holdsMax: null };
    expect(answerOf("A", { kind: "read" }, heard(200, body))).toEqual({ is: "found", seq: 7, ...facts, ...limits, claimants: ["ann"] });
  });

  test("about holds has their users, a count of ends, or the longest allowed", () => {
    const list = heard(200, { holds: [{ user_id: "ann" }, { user_id: "bob" }], next: null });
    expect(answerOf("A", { kind: "holds" }, list)).toEqual({ is: "listed", seq: 7, holders: ["ann", "bob"] });
    const ended = heard(200, { coupon_name: "A", ended_count: 2, remaining_amount: 3 });
    expect(answerOf("A", { kind: "end_holds" }, ended)).toEqual({ is: "ended", seq: 7, count: 2, remaining: 3 });
    const tooLong = heard(400, { code: "hold_too_long", ttl_seconds_max: 30 });
    const asked: Call = { kind: "hold", userId: "ann", ttlMs: 60_000 };
    expect(answerOf("A", asked, tooLong)).toEqual({ is: "hold_too_long", seq: 7, ttlSecondsMax: 30 });
  });

  test("about one's own: a claim or a hold", () => {
    const own: Call = { kind: "own", userId: "ann" };
    expect(answerOf("A", own, heard(200, receipt))).toEqual({ is: "has_claim", seq: 7, position: 2, claimedAt: MS });
    const hold = { coupon_name: "A", user_id: "ann", held_at: AT, expires_at: AT };
    expect(answerOf("A", own, heard(200, hold))).toEqual({ is: "has_hold", seq: 7, heldAt: MS, expiresAt: MS });
  });
});

test("a request carries the key, the position and every setting, null ones too", () => {
  expect(requestOf("a b", claim)).toMatchObject({ headers: { "idempotency-key": "k1" }, body: { user_id: "ann", coupon_name: "a b" } });
  expect(requestOf("a b", { kind: "release", userId: "u/1", position: 4 }).path).toBe("/api/coupons/a%20b/claims/u%2F1?position=4");
  expect(requestOf("A", { kind: "change", endsAt: null, startsAt: MS }).body).toEqual({ starts_at: AT, ends_at: null });
  expect(requestOf("A", { kind: "change", holdSecondsMax: 30, holdsMax: null }).body).toEqual({ hold_seconds_max: 30, holds_max: null });
  expect(requestOf("A", { kind: "end_holds" })).toMatchObject({ method: "DELETE", path: "/api/coupons/A/holds" });
  expect(requestOf("A", { kind: "hold", userId: "ann", ttlMs: 2_000 }).body).toEqual({ user_id: "ann", ttl_seconds: 2 });
});

function incarnation(epoch: string, head: number): Incarnation {
  const ledger = Array.from({ length: head }, (_, index) => ({
    seq: index + 1,
    at: index,
    kind: "given_back",
    user_id: "ann",
    position: null,
    data: null,
  }));
  return { name: "A", epoch, tables: { ledger, claims: [], releases: [], holds: [], released_holds: [] } };
}
function kinds(removed: Parameters<typeof eventsOf>[0], alive: Incarnation | null): (string | number)[] {
  return eventsOf(removed, alive, "A").map(({ kind, seq }) => (kind === "removed" ? kind : seq));
}

describe("the incarnations of a name", () => {
  test("stand one after the other", () => {
    expect(kinds([{ ...incarnation("one", 2), at: 9 }], incarnation("two", 1))).toEqual([1, 2, "removed", 1]);
    expect(
      kinds(
        [
          { ...incarnation("one", 1), at: 9 },
          { ...incarnation("two", 1), at: 9 },
        ],
        null,
      ),
    ).toEqual([1, "removed", 1, "removed"]);
  });

  test("an undone deletion is dropped, and a repeated one counts once, the last", () => {
    expect(kinds([{ ...incarnation("one", 1), at: 9 }], incarnation("one", 2))).toEqual([1, 2]);
    expect(
      kinds(
        [
          { ...incarnation("one", 2), at: 8 },
          { ...incarnation("one", 1), at: 9 },
        ],
        incarnation("two", 1),
      ),
    ).toEqual([1, "removed", 1]);
  });

  test("end before the next one begins, whenever the deletion was judged", () => {
    const removed = eventsOf([{ ...incarnation("one", 1), at: 9 }], incarnation("two", 1), "A");
    expect(removed.map(({ kind, at }) => [kind, at])).toEqual([
      ["given_back", 0],
      ["removed", 0],
      ["given_back", 0],
    ]);
  });

  test("of other names are not among them", () => {
    expect(kinds([{ ...incarnation("one", 1), name: "B", at: 9 }], null)).toEqual([]);
  });
});
