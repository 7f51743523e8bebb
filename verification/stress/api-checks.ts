// Checks of a run's coupons over the API, for servers whose files are out of reach.

import type { Answer, CouponClient } from "../client/coupon-client.ts";
import type { Receipt } from "../verify/verify.ts";
import type { Measured } from "./modes/mode.ts";

export type ApiCheck = { readonly coupon: string; readonly title: string; readonly verdict: "PASS" | "FAIL"; readonly detail: string };

/** Reads each coupon as the operator and compares it with the receipts. Never throws. */
export async function checkOverApi(operator: CouponClient, { coupons, receipts, revoked = [] }: Measured): Promise<ApiCheck[]> {
  const checks: ApiCheck[] = [];
  for (const coupon of coupons) {
    const answer = await operator.read(coupon).catch(() => null);
    const isOf = (each: { readonly coupon: string }): boolean => each.coupon === coupon;
    checks.push(...checkCoupon(coupon, answer, receipts.filter(isOf), new Set(revoked.filter(isOf).map(({ userId }) => userId))));
  }
  return checks;
}

/** The checks of one coupon. `revoked` are the users whose claim may be gone. */
export function checkCoupon(coupon: string, answer: Answer | null, receipts: readonly Receipt[], revoked: ReadonlySet<string>): ApiCheck[] {
  const check = (title: string, isPassed: boolean, detail: string): ApiCheck => ({
    coupon,
    title,
    verdict: isPassed ? "PASS" : "FAIL",
    detail,
  });
  const { amount, remaining_amount: remaining, claimed_by: claimants } = answer?.body ?? {};
  if (answer?.status !== 200 || typeof amount !== "number" || typeof remaining !== "number" || !Array.isArray(claimants)) {
    return [check("the API shows the coupon", false, answer === null ? "no answer" : `it answered ${answer.status}`)];
  }
  const users = new Set<unknown>(claimants);
  const winners = new Set<unknown>(receipts.map(({ userId }) => userId));
  const missing = receipts.filter(({ userId }) => !users.has(userId) && !revoked.has(userId));
  const unknown = claimants.filter((userId) => !winners.has(userId));
  // A revoked claim leaves a gap, so positions are comparable only without one.
  const misplaced = revoked.size > 0 ? [] : receipts.filter(({ userId, position }) => claimants[position - 1] !== userId);
  return [
    check(
      "claimed and remaining are at most the amount",
      remaining >= 0 && claimants.length + remaining <= amount,
      `${claimants.length} + ${remaining} of ${amount}`,
    ),
    check("no user twice", users.size === claimants.length, `${users.size} users, ${claimants.length} claims`),
    check("every acknowledged claim is stored", missing.length === 0, `${receipts.length - missing.length} of ${receipts.length}`),
    check("each at its position", misplaced.length === 0, `${receipts.length - misplaced.length} of ${receipts.length}`),
    check("every stored claim is acknowledged", unknown.length === 0, `${claimants.length - unknown.length} of ${claimants.length}`),
  ];
}
