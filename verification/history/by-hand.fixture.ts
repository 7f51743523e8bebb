// Histories made by hand, operation by operation and event by event, and what is expected of them.

import { expect } from "vitest";

import type { Answer, Call, LedgerEvent, Settings } from "../model/types.ts";
import type { History, Operation } from "./history.ts";
import { violationIn } from "./linearizable.ts";
import { historyText } from "./history-text.ts";

/** One request from `startedAt` to `endedAt`, in milliseconds. */
export function asked(
  startedAt: number,
  endedAt: number | null,
  call: Call,
  answer: Answer | null,
  more: Partial<Operation> = {},
): Operation {
  const times = { startedAt, endedAt, clockFrom: startedAt, clockUntil: endedAt };
  return { client: "somebody", call, attempt: null, answer, ...times, ...more };
}

export const claim = (userId: string, key: string | null = null): Call => ({ kind: "claim", userId, key });
export const hold = (userId: string, ttlMs: number): Call => ({ kind: "hold", userId, ttlMs });
export const release = (userId: string, position: number | null = null): Call => ({ kind: "release", userId, position });
export const read: Call = { kind: "read" };
export const refused = (is: Answer["is"], seq: number): Answer => ({ is, seq });
export const granted = (seq: number, position: number, claimedAt: number, remaining: number): Answer => ({
  is: "claimed",
  seq,
  position,
  claimedAt,
  remaining,
});

export function settings(amount: number, more: Partial<Settings> = {}): Settings {
  return { amount, startsAt: null, endsAt: null, paused: false, holdSecondsMax: 900, holdsMax: null, ...more };
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

/** The creation of a coupon at 0 ms, and its event. */
function creation(amount: number, more: Partial<Settings> = {}): { readonly operation: Operation; readonly event: LedgerEvent } {
  const { paused: _paused, ...set } = settings(amount, more);
  return {
    operation: asked(0, 2, { kind: "create", ...set }, { is: "created", seq: 1, createdAt: 0, remaining: amount }),
    event: event(1, 0, "created", null, { settings: settings(amount, more) }),
  };
}

/** A coupon of `amount` units that is created at 0 ms, and what follows. */
export function history(amount: number | Settings, operations: Operation[], events: LedgerEvent[], more: Partial<History> = {}): History {
  const first = typeof amount === "number" ? creation(amount) : creation(amount.amount, amount);
  const all = { operations: [first.operation, ...operations], events: [first.event, ...events] };
  return { ...all, seenFrom: "object", isClockSteady: true, ...more };
}

export function expectRight(recorded: History): void {
  const violation = violationIn(recorded);
  expect(violation === null ? "right" : historyText(recorded, violation)).toBe("right");
}

export function expectWrong(recorded: History, what: string | RegExp): void {
  expect(violationIn(recorded)?.what ?? "right").toMatch(what);
}
