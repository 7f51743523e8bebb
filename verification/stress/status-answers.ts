// What an answer of `GET …/status` may say of a coupon that is claimed meanwhile, and of nothing else.

import type { Answer } from "../client/coupon-client.ts";

/** How old a status may be: `Cache-Control: max-age=1`. */
const STATUS_AGE_MS_MAX = 1_000;

/**
 * What is wrong with a status by itself, or null. The ledger of such a coupon begins with its creation and has one event for
 * each unit given, so its head tells how many are left.
 */
export function statusFault(status: Answer["body"], { name, amount }: { readonly name: string; readonly amount: number }): string | null {
  const { remaining_amount: remaining, state, seq } = status;
  if (status["name"] !== name || status["amount"] !== amount) return "another coupon";
  if (typeof remaining !== "number" || !Number.isInteger(remaining) || typeof seq !== "number") return "no numbers";
  if (remaining < 0) return "fewer than none are left";
  if (remaining !== amount - (seq - 1)) return "what is left does not fit the ledger's head";
  return state === (remaining === 0 ? "sold_out" : "open") ? null : "the state does not fit what is left";
}

type Heard = { readonly sentAtMs: number; readonly endedAtMs: number; readonly answer: Answer | null };

/**
 * The statuses that knew less than somebody had been told over a second before they were asked for, whether by another status or
 * by a claim: one line each.
 */
export function behind(statuses: readonly Heard[], everything: readonly Heard[]): string[] {
  const heard = everything.map(({ endedAtMs, answer }) => ({ endedAtMs, seq: answer?.seq ?? 0 })).sort((a, b) => a.endedAtMs - b.endedAtMs);
  const late: string[] = [];
  let next = 0;
  let seqMin = 0;
  for (const { sentAtMs, answer } of statuses.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
    for (let one = heard[next]; one !== undefined && one.endedAtMs < sentAtMs - STATUS_AGE_MS_MAX; one = heard[(next += 1)]) {
      seqMin = Math.max(seqMin, one.seq);
    }
    const { seq } = answer?.body ?? {};
    if (typeof seq !== "number" || seq < seqMin) late.push("status: older than what was told over a second before");
  }
  return late;
}
