// Checks answers of `GET …/status` for a coupon whose only events are claims.

import type { Answer } from "../client/coupon-client.ts";

/** The oldest valid status: `Cache-Control: max-age=1`. */
const STATUS_AGE_MS_MAX = 1_000;

/**
 * What is wrong with a status by itself, or null. The ledger of such a coupon has one event for its creation
 * and one for each claim, so its head determines the remaining amount.
 */
export function statusFault(status: Answer["body"], { name, amount }: { readonly name: string; readonly amount: number }): string | null {
  const { remaining_amount: remaining, state, seq } = status;
  if (status["name"] !== name || status["amount"] !== amount) return "another coupon";
  if (typeof remaining !== "number" || !Number.isInteger(remaining) || typeof seq !== "number") return "no numbers";
  if (remaining < 0) return "a negative amount remains";
  if (remaining !== amount - (seq - 1)) return "the remaining amount does not fit seq";
  return state === (remaining === 0 ? "sold_out" : "open") ? null : "the state does not fit the remaining amount";
}

type Received = { readonly sentAtMs: number; readonly endedAtMs: number; readonly answer: Answer | null };

/**
 * One fault for each status that is older than an answer which arrived over a second before the status was
 * requested.
 */
export function behind(statuses: readonly Received[], everything: readonly Received[]): string[] {
  const received = everything
    .map(({ endedAtMs, answer }) => ({ endedAtMs, seq: answer?.seq ?? 0 }))
    .sort((a, b) => a.endedAtMs - b.endedAtMs);
  const late: string[] = [];
  let next = 0;
  let seqMin = 0;
  for (const { sentAtMs, answer } of statuses.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
    for (let one = received[next]; one !== undefined && one.endedAtMs < sentAtMs - STATUS_AGE_MS_MAX; one = received[(next += 1)]) {
      seqMin = Math.max(seqMin, one.seq);
    }
    const { seq } = answer?.body ?? {};
    if (typeof seq !== "number" || seq < seqMin) late.push("status: more than a second old");
  }
  return late;
}
