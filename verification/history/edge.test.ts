// Refusals at the edge: the checker allows them no exception, and lets their certificate be as old as it stays true.

import { describe, expect, test } from "vitest";

import { isExplainable } from "./brute-force.ts";
import { corrupted } from "./corruption.ts";
import type { Answer } from "../model/types.ts";
import type { History, Operation } from "./history.ts";
import { violationIn } from "./linearizable.ts";
import { randomHistory } from "./random-history.ts";
import { seeded } from "../random.ts";
import { asked, claim, claimed, event, granted, history, hold, read, refused, release, settings } from "./by-hand.fixture.ts";

/** A refusal of `userId` from `startedAt` to `endedAt`, by a certificate that was issued at `seq`. */
function atEdge(startedAt: number, endedAt: number, userId: string, seq: number, is: Answer["is"] = "out_of_stock"): Operation {
  return asked(startedAt, endedAt, claim(userId), { is, seq, servedByEdge: true });
}

/** What both checkers say of a history: `right`, or why it is wrong. */
function verdictOn(recorded: History): string {
  const what = violationIn(recorded)?.what ?? "right";
  // The second checker takes histories of a steady clock alone.
  const isRight = recorded.isClockSteady ? isExplainable(recorded) : what === "right";
  return isRight === (what === "right") ? what : `the checkers differ: ${what}`;
}

const ann = asked(10, 20, claim("ann"), granted(2, 1, 15, 0));
const soldOut = [claimed(2, 15, "ann", 1)];

describe("after the last unit went", () => {
  test("a refusal long after the certificate's seq is accepted while nothing changes", () => {
    expect(verdictOn(history(1, [ann, atEdge(900, 901, "bob", 2)], soldOut))).toBe("right");
  });

  test("a refusal of a winner is rejected", () => {
    const wrong = "by a certificate of seq 2: it was answered out_of_stock, and already_claimed is right";
    expect(verdictOn(history(1, [ann, atEdge(30, 31, "ann", 2)], soldOut))).toBe(wrong);
  });

  test("a refusal before the last unit went is rejected", () => {
    const wrong = "by a certificate of seq 1: it was answered out_of_stock, and claimed is right";
    expect(verdictOn(history(1, [ann, atEdge(5, 6, "bob", 1)], soldOut))).toBe(wrong);
  });

  test("a certificate of a seq that the ledger never reached is rejected", () => {
    expect(verdictOn(history(1, [ann, atEdge(30, 31, "bob", 3)], soldOut))).toContain("answered at seq 3, which the ledger never reached");
  });
});

describe("a restock", () => {
  const restock = asked(100, 110, { kind: "change", amount: 2 }, { is: "changed", seq: 3, amount: 2 });
  const events = [...soldOut, event(3, 105, "changed", null, { settings: settings(2) })];

  test.each([
    [50, 52, "before it"],
    [90, 101, "that overlaps its begin"],
    [104, 200, "that overlaps its end"],
  ])("a refusal from %i to %i ms, %s, is accepted", (from, until) => {
    expect(verdictOn(history(1, [ann, restock, atEdge(from, until, "bob", 2)], events))).toBe("right");
  });

  test("a refusal after it was acknowledged is rejected", () => {
    const wrong = "by a certificate of seq 2: it was answered out_of_stock, and claimed is right";
    expect(verdictOn(history(1, [ann, restock, atEdge(111, 112, "bob", 2)], events))).toBe(wrong);
  });

  test("a refusal after it was acknowledged is rejected by order alone", () => {
    const steady = { clockFrom: 105, clockUntil: 105 };
    const late = { ...atEdge(113, 115, "bob", 2), ...steady };
    expect(verdictOn(history(1, [ann, { ...restock, ...steady }, late], events))).toContain("and claimed is right");
  });

  test("a refusal after another user's read of the new amount is rejected", () => {
    const lost = { ...restock, answer: null };
    const seen = asked(106, 107, read, { is: "found", seq: 3, amount: 2 });
    const unsteady = { isClockSteady: false };
    expect(verdictOn(history(1, [ann, lost, seen, atEdge(108, 109, "bob", 2)], events))).toContain("and claimed is right");
    expect(verdictOn(history(1, [ann, lost, seen, atEdge(108, 109, "bob", 2)], events, unsteady))).toContain("and claimed is right");
  });

  test("a refusal that a later refusal of the object confirms is accepted", () => {
    const again = [asked(112, 120, claim("cid"), granted(4, 2, 115, 0)), atEdge(114, 130, "bob", 2)];
    expect(verdictOn(history(1, [ann, restock, ...again], [...events, claimed(4, 115, "cid", 2)]))).toBe("right");
  });
});

describe("a revoked claim, an ended pause", () => {
  const revoked = asked(100, 110, release("ann"), { is: "released", seq: 3, position: 1, releasedAt: 105, remaining: 1 });
  const events = [...soldOut, event(3, 105, "released", "ann", { position: 1 })];

  test("a refusal after an acknowledged revocation is rejected, one before it accepted", () => {
    expect(verdictOn(history(1, [ann, revoked, atEdge(111, 112, "bob", 2)], events))).toContain("and claimed is right");
    expect(verdictOn(history(1, [ann, revoked, atEdge(99, 104, "bob", 2)], events))).toBe("right");
  });

  test("a refusal after an acknowledged unpause is rejected, one before it accepted", () => {
    const pause = asked(10, 20, { kind: "change", paused: true }, { is: "changed", seq: 2, paused: true });
    const unpause = asked(100, 110, { kind: "change", paused: false }, { is: "changed", seq: 3, paused: false });
    const changes = [
      event(2, 15, "changed", null, { settings: settings(1, { paused: true }) }),
      event(3, 105, "changed", null, { settings: settings(1) }),
    ];
    expect(verdictOn(history(1, [pause, unpause, atEdge(111, 112, "bob", 2, "sale_paused")], changes))).toContain("and claimed is right");
    expect(verdictOn(history(1, [pause, unpause, atEdge(100, 103, "bob", 2, "sale_paused")], changes))).toBe("right");
  });
});

describe("a holder's claim", () => {
  const held = asked(10, 12, hold("ann", 900_000), { is: "held", seq: 2, heldAt: 11, expiresAt: 900_011, remaining: 0 });
  const won = asked(40, 50, claim("ann"), granted(3, 1, 45, 0));
  const events = [event(2, 11, "held", "ann", { expiresAt: 900_011 }), claimed(3, 45, "ann", 1)];

  test("a refusal whose certificate is older than the claim is accepted after it", () => {
    expect(verdictOn(history(1, [held, won, atEdge(60, 61, "bob", 2)], events))).toBe("right");
  });

  test("a refusal of the object with that seq is rejected", () => {
    expect(verdictOn(history(1, [held, won, asked(60, 61, claim("bob"), refused("out_of_stock", 2))], events))).toContain("no instant");
  });

  test("a refusal of the holder is rejected", () => {
    expect(verdictOn(history(1, [held, won, atEdge(30, 31, "ann", 2)], events))).toContain("and claimed is right");
  });
});

describe("what else the edge may say", () => {
  test("a certified start or end is accepted at its time alone", () => {
    const window = settings(1, { startsAt: 100, endsAt: 200 });
    const early = asked(10, 11, claim("bob"), { is: "sale_not_started", startsAt: 100, seq: 1, servedByEdge: true });
    expect(verdictOn(history(window, [early, atEdge(200, 201, "bob", 1, "sale_ended")], []))).toBe("right");
    expect(verdictOn(history(window, [{ ...early, startedAt: 100, clockFrom: 100, endedAt: 101, clockUntil: 101 }], []))).toContain(
      "and claimed is right",
    );
    expect(verdictOn(history(window, [atEdge(198, 199, "bob", 1, "sale_ended")], []))).toContain("and claimed is right");
  });

  test("an ended sale is accepted after a hold is over, and a sold-out one rejected", () => {
    const held = asked(10, 12, hold("ann", 50), { is: "held", seq: 2, heldAt: 11, expiresAt: 61, remaining: 0 });
    const events = [event(2, 11, "held", "ann", { expiresAt: 61 }), event(3, 90, "expired", "ann")];
    expect(verdictOn(history(1, [held, atEdge(50, 60, "bob", 2)], events))).toBe("right");
    expect(verdictOn(history(1, [held, atEdge(61, 62, "bob", 2)], events))).toContain("and claimed is right");
    const ends = settings(1, { endsAt: 20 });
    expect(verdictOn(history(ends, [held, atEdge(70, 71, "bob", 2, "sale_ended")], events))).toBe("right");
  });

  test("another code than the four of a closed sale is rejected", () => {
    const wrong = "the Worker may not say already_claimed by itself";
    expect(verdictOn(history(1, [ann, atEdge(30, 31, "ann", 2, "already_claimed")], soldOut))).toBe(wrong);
  });

  test("a certificate of a deleted coupon is rejected in its next incarnation", () => {
    const gone = asked(30, 40, { kind: "remove" }, { is: "removed", seq: 0 });
    const again = asked(50, 60, { kind: "create", amount: 1, startsAt: null, endsAt: null }, { is: "created", seq: 1, createdAt: 55 });
    const events = [...soldOut, event(0, 35, "removed"), event(1, 55, "created", null, { settings: settings(1) })];
    expect(verdictOn(history(1, [ann, gone, again, atEdge(61, 62, "bob", 1)], events))).toContain("and claimed is right");
    expect(verdictOn(history(1, [ann, gone, again, atEdge(41, 49, "bob", 2)], events))).toContain("which the ledger never reached");
  });

  test("two refusals in the order opposite to what they saw are rejected", () => {
    const paused = [
      event(2, 15, "changed", null, { settings: settings(1, { paused: true }) }),
      event(3, 15, "changed", null, { settings: settings(1, { paused: false, endsAt: 15 }) }),
    ];
    const steady = { clockFrom: 15, clockUntil: 15 };
    const changes = [
      asked(5, 90, { kind: "change", paused: true }, null),
      asked(5, 90, { kind: "change", paused: false, endsAt: 15 }, null),
    ];
    const first = { ...atEdge(20, 21, "bob", 1, "sale_paused"), ...steady };
    const second = { ...atEdge(22, 23, "bob", 1, "sale_ended"), ...steady };
    expect(verdictOn(history(1, [...changes, first, second], paused))).toBe("right");
    const swapped = [
      { ...first, startedAt: 22, endedAt: 23 },
      { ...second, startedAt: 20, endedAt: 21 },
    ];
    expect(verdictOn(history(1, [...changes, ...swapped], paused))).toContain("by a certificate of seq 1");
  });
});

test("random histories with refusals at the edge are accepted, and most corrupted ones rejected", () => {
  const random = seeded(7);
  const scale = { operationCount: 12, clientCount: 4, userCount: 3, amountMax: 2 };
  const made = Array.from({ length: 1_000 }, () => randomHistory(random, scale));
  const edgeCount = made.reduce((sum, { operations }) => sum + operations.filter(({ answer }) => answer?.servedByEdge === true).length, 0);
  expect(edgeCount).toBeGreaterThan(300);
  expect(made.map(violationIn).filter((violation) => violation !== null)).toEqual([]);
  const wrong = made.map((one) => corrupted(random, one)).filter((one) => violationIn(one) !== null);
  expect(wrong.length).toBeGreaterThan(400);
});
