// The public views, which come from an isolate's snapshot.

import type { HttpAnswer } from "../faults/wire.ts";
import type { Answer, Outcome } from "../model/types.ts";
import type { Recorded } from "./network.ts";

/** The documented age of a view, in milliseconds. */
const VIEW_MS_MAX = 1_000;

/** How far an isolate's clock may be set back, in milliseconds. */
export const BACK_MS_MAX = 50;

/** A view may be a second old: in a history it is a read that began so much earlier. */
export function viewAnswer(answered: readonly Recorded[], { status, headers, body }: HttpAnswer): Answer {
  const ageMs = VIEW_MS_MAX + 2 * BACK_MS_MAX;
  for (const operation of answered) {
    operation.startedAt -= ageMs;
    operation.clockFrom -= ageMs;
  }
  const seq = Number(headers["coupon-seq"] ?? -1);
  if (status !== 200) return { is: String(body["code"]) as Outcome, seq };
  const facts = {
    amount: Number(body["amount"]),
    remaining: Number(body["remaining_amount"]),
    held: Number(body["held_amount"]),
    state: String(body["state"]),
    startsAt: instantIn(body["starts_at"]),
    endsAt: instantIn(body["ends_at"]),
  };
  return { is: "found", seq, ...facts };
}

function instantIn(value: unknown): number | null {
  return value === null ? null : Date.parse(typeof value === "string" ? value : "");
}
