// How a claim ended, and what was wrong with those that should not have ended so.

import type { Answer } from "../client/coupon-client.ts";
import type { Receipt as Told } from "../verify/verify.ts";
import type { Sent, Slot } from "./load.ts";

export type ClaimSlot = Slot & { readonly coupon: string; readonly userId: string };

/** Every way in which a claim of a coupon that exists may end; `claim_error` is every other way. */
export const CLAIM_OUTCOMES = [
  "claim_granted",
  "claim_out_of_stock",
  "claim_already_claimed",
  "claim_rate_limited",
  "claim_error",
] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

const REFUSED: Readonly<Record<string, ClaimOutcome>> = {
  "400 out_of_stock": "claim_out_of_stock",
  "409 already_claimed": "claim_already_claimed",
  "429 rate_limited": "claim_rate_limited",
};

/** An answer in few words: `201`, or `400 out_of_stock`. */
export function wordsOf({ status, body }: Answer): string {
  const { code } = body;
  return typeof code === "string" ? `${status} ${code}` : `${status}`;
}

/** A request that ended well enough to be read, or what it ended with instead of an answer. */
export function endOf(sent: Sent<Slot>): string {
  return sent.answer === null ? sent.failure : wordsOf(sent.answer);
}

export function outcomeOf(sent: Sent<ClaimSlot>): ClaimOutcome {
  if (sent.answer === null) return "claim_error";
  if (sent.answer.status === 201) return receiptOf(sent) === null ? "claim_error" : "claim_granted";
  return REFUSED[wordsOf(sent.answer)] ?? "claim_error";
}

/** The receipt of a 201, if it is one for this coupon and this user. */
export function receiptOf({ slot, answer }: Sent<ClaimSlot>): Told | null {
  return answer?.status === 201 ? receiptIn(answer.body, slot) : null;
}

/** A receipt of `coupon` and `userId`, where the fields are one. */
export function receiptIn(fields: unknown, { coupon, userId }: Pick<Told, "coupon" | "userId">): Told | null {
  if (typeof fields !== "object" || fields === null) return null;
  const { coupon_name: name, user_id: user, position, claimed_at: claimedAt } = fields as Answer["body"];
  const isReceipt = name === coupon && user === userId && typeof position === "number" && typeof claimedAt === "string";
  return isReceipt && Number.isInteger(position) && position >= 1 ? { coupon, userId, position, claimedAt } : null;
}

/** Whether it was told 409 with the receipt that this user's winning claim was told. */
export function showsReceipt(sent: Sent<ClaimSlot>, won: Told | undefined): boolean {
  if (outcomeOf(sent) !== "claim_already_claimed") return false;
  const shown = receiptIn(sent.answer?.body["claim"], sent.slot);
  return shown !== null && shown.position === won?.position && shown.claimedAt === won.claimedAt;
}

/** How often each outcome occurred, in the order of the list. */
export function countOutcomes(sent: readonly Sent<ClaimSlot>[]): Record<ClaimOutcome, number> {
  const counts = { claim_granted: 0, claim_out_of_stock: 0, claim_already_claimed: 0, claim_rate_limited: 0, claim_error: 0 };
  for (const each of sent) counts[outcomeOf(each)] += 1;
  return counts;
}

/** Requests with an answer from 500 on, or none. */
export function countHttpErrors(sent: readonly Sent<Slot>[]): number {
  return sent.filter(({ answer }) => answer === null || answer.status >= 500).length;
}

export type Fault = { readonly what: string; readonly count: number };

/** What went wrong, most frequent first; `null` is what did not. */
export function countFaults(faults: readonly (string | null)[]): Fault[] {
  const counts = new Map<string, number>();
  for (const what of faults) if (what !== null) counts.set(what, (counts.get(what) ?? 0) + 1);
  return Array.from(counts, ([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count);
}

/** What is wrong with how a claim ended, or null. */
export function claimFault(sent: Sent<ClaimSlot>): string | null {
  if (outcomeOf(sent) !== "claim_error") return null;
  return `claim: ${sent.answer?.status === 201 ? "201 without a receipt of this coupon and user" : endOf(sent)}`;
}
