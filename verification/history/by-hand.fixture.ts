// Histories made by hand, operation by operation and event by event.

import { expect } from "vitest";

import { UNSET, type Settings } from "../model/settings.ts";
import type { Answer, Call, LedgerEvent } from "../model/types.ts";
import { isExplainable } from "./brute-force.ts";
import type { History, Operation } from "./history.ts";
import { violationIn } from "./linearizable.ts";

/** One request from `startedAt` to `endedAt`, in milliseconds. */
export function asked(
  startedAt: number,
  endedAt: number | null,
  call: Call,
  answer: Answer | null,
  more: Partial<Operation> = {},
): Operation {
  const times = { startedAt, endedAt, clockFrom: startedAt, clockUntil: endedAt };
  return { client: "a client", call, attempt: null, answer, ...times, ...more };
}

export const claim = (userId: string, key: string | null = null): Call => ({ kind: "claim", userId, key });
export const hold = (userId: string, ttlMs: number): Call => ({ kind: "hold", userId, ttlMs });
export const release = (userId: string, position: number | null = null): Call => ({ kind: "release", userId, position });
export const giveBack = (userId: string): Call => ({ kind: "give_back", userId });
export const change = (asks: Partial<Settings>): Call => ({ kind: "change", ...asks });
export const read: Call = { kind: "read" };

export const refused = (is: Answer["is"], seq: number): Answer => ({ is, seq });
export const granted = (seq: number, position: number, claimedAt: number, remaining: number): Answer => ({
  is: "claimed",
  seq,
  position,
  claimedAt,
  remaining,
});
export const held = (seq: number, heldAt: number, expiresAt: number, remaining: number): Answer => ({
  is: "held",
  seq,
  heldAt,
  expiresAt,
  remaining,
});

/** A refusal from `startedAt` to `endedAt`, by a certificate that was issued at `seq`. */
export function atEdge(startedAt: number, endedAt: number, userId: string, seq: number, is: Answer["is"] = "out_of_stock"): Operation {
  return asked(startedAt, endedAt, claim(userId), { is, seq, servedByEdge: true });
}

export function settings(amount: number, more: Partial<Settings> = {}): Settings {
  return { ...UNSET, amount, ...more };
}

export function event(
  seq: number,
  at: number,
  kind: LedgerEvent["kind"],
  userId: string | null = null,
  more: Partial<LedgerEvent> = {},
): LedgerEvent {
  return { seq, at, kind, userId, position: null, ...more };
}

export const claimed = (seq: number, at: number, userId: string, position: number, more: Partial<LedgerEvent> = {}) =>
  event(seq, at, "claimed", userId, { position, ...more });
export const changed = (seq: number, at: number, to: Settings) => event(seq, at, "changed", null, { settings: to });
export const created = (at: number, to: Settings) => event(1, at, "created", null, { settings: to });

/** A coupon that is created at 0 ms with an amount or with settings, and what follows. */
export function history(
  amount: number | Settings,
  operations: readonly Operation[],
  events: readonly LedgerEvent[],
  more: Partial<History> = {},
): History {
  const to = typeof amount === "number" ? settings(amount) : amount;
  const { paused: _paused, ...set } = to;
  const creation = asked(0, 2, { kind: "create", ...set }, { is: "created", seq: 1, createdAt: 0, remaining: to.amount });
  const all = { operations: [creation, ...operations], events: [created(0, to), ...events] };
  return { ...all, seenFrom: "object", isClockSteady: true, ...more };
}

/** Ann wins the only unit. */
export const ann = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 0), { attempt: "a" });
export const annsClaim = claimed(2, 15, "ann", 1, { key: "k1", attempt: "a" });

/** All clocks show 15 ms, so that only the order of requests separates them. */
export const AT_15 = { clockFrom: 15, clockUntil: 15 };

/** A name, what the verdict contains, and the history. */
export type Row = readonly [name: string, verdict: string, history: History];

/**
 * Expects a verdict: `right`, or a part of what is wrong. Both checkers judge what the object answers on a
 * steady clock.
 */
export function expectVerdict(recorded: History, verdict: string): void {
  const what = violationIn(recorded)?.what ?? "right";
  if (verdict === "right") expect(what).toBe("right");
  else expect(what).toContain(verdict);
  if (recorded.seenFrom === "object" && recorded.isClockSteady) expect(isExplainable(recorded)).toBe(what === "right");
}
