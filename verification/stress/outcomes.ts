// The outcomes of claims, and the faults among them.

import type { Answer } from "../client/coupon-client.ts";
import type { Receipt } from "../verify/verify.ts";
import type { Sent, Slot } from "./load.ts";

export type ClaimSlot = Slot & { readonly coupon: string; readonly userId: string };

/** The expected outcomes of a claim. `claim_error` is every other one. */
export type ClaimOutcome = "claim_granted" | "claim_out_of_stock" | "claim_already_claimed" | "claim_rate_limited" | "claim_error";

const REFUSED: Readonly<Record<string, ClaimOutcome>> = {
  "400 out_of_stock": "claim_out_of_stock",
  "409 already_claimed": "claim_already_claimed",
  "429 rate_limited": "claim_rate_limited",
};

/** An answer in few words: `201` or `400 out_of_stock`. */
export function wordsOf({ status, body }: Answer): string {
  const { code } = body;
  return typeof code === "string" ? `${status} ${code}` : `${status}`;
}

/** An answer in few words, or why there is none. */
export function endOf(sent: Sent<Slot>): string {
  return sent.answer === null ? sent.failure : wordsOf(sent.answer);
}

export function outcomeOf(sent: Sent<ClaimSlot>): ClaimOutcome {
  if (sent.answer === null) return "claim_error";
  if (sent.answer.status === 201) return receiptOf(sent) === null ? "claim_error" : "claim_granted";
  return REFUSED[wordsOf(sent.answer)] ?? "claim_error";
}

/** The receipt of a 201, if it names this coupon and this user. */
export function receiptOf({ slot, answer }: Sent<ClaimSlot>): Receipt | null {
  return answer?.status === 201 ? receiptIn(answer.body, slot) : null;
}

/** The fields as a receipt of `coupon` and `userId`, or null. */
export function receiptIn(fields: unknown, { coupon, userId }: Pick<Receipt, "coupon" | "userId">): Receipt | null {
  if (typeof fields !== "object" || fields === null) return null;
  const { coupon_name: name, user_id: user, position, claimed_at: claimedAt } = fields as Answer["body"];
  const isReceipt = name === coupon && user === userId && typeof position === "number" && typeof claimedAt === "string";
  return isReceipt && Number.isInteger(position) && position >= 1 ? { coupon, userId, position, claimedAt } : null;
}

/** Whether it is a 409 with the receipt of this user's winning claim. */
export function showsReceipt(sent: Sent<ClaimSlot>, won: Receipt | undefined): boolean {
  if (outcomeOf(sent) !== "claim_already_claimed") return false;
  const shown = receiptIn(sent.answer?.body["claim"], sent.slot);
  return shown !== null && shown.position === won?.position && shown.claimedAt === won.claimedAt;
}

/** The receipts of all granted claims. */
export function receiptsOf(sent: readonly Sent<ClaimSlot>[]): Receipt[] {
  return sent.map(receiptOf).filter((receipt) => receipt !== null);
}

/** Counts each outcome, and the HTTP errors. */
export function countOutcomes(sent: readonly Sent<ClaimSlot>[]): Record<ClaimOutcome | "http_errors", number> {
  const counts = { claim_granted: 0, claim_out_of_stock: 0, claim_already_claimed: 0, claim_rate_limited: 0, claim_error: 0 };
  for (const each of sent) counts[outcomeOf(each)] += 1;
  return { ...counts, http_errors: countHttpErrors(sent) };
}

/** Counts requests with a 5xx or without an answer. */
export function countHttpErrors(sent: readonly Sent<Slot>[]): number {
  return sent.filter(({ answer }) => answer === null || answer.status >= 500).length;
}

export type Fault = { readonly what: string; readonly count: number };

/** Counts faults, most frequent first. Null is no fault. */
export function countFaults(faults: readonly (string | null)[]): Fault[] {
  const counts = new Map<string, number>();
  for (const what of faults) if (what !== null) counts.set(what, (counts.get(what) ?? 0) + 1);
  return Array.from(counts, ([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count);
}

/** The fault of a claim, or null. */
export function claimFault(sent: Sent<ClaimSlot>): string | null {
  if (outcomeOf(sent) !== "claim_error") return null;
  return `claim: ${sent.answer?.status === 201 ? "201 without a receipt of this coupon and user" : endOf(sent)}`;
}
