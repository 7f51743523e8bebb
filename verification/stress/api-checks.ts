// What can be checked of a run's coupons over the API alone, where the files are out of reach.

import type { Answer, CouponClient } from "../client/coupon-client.ts";
import type { Receipt as Told } from "../verify/verify.ts";

export type ApiCheck = { readonly coupon: string; readonly title: string; readonly isPassed: boolean; readonly detail: string };

type Claims = {
  readonly coupons: readonly string[];
  readonly told: readonly Told[];
  readonly released: readonly Pick<Told, "coupon" | "userId">[];
};

/** Reads each coupon as the operator and holds it against what the users were told. Never throws. */
export async function checkOverApi(operator: CouponClient, { coupons, told, released }: Claims): Promise<ApiCheck[]> {
  const checks: ApiCheck[] = [];
  for (const coupon of coupons) {
    const answer = await operator.read(coupon).catch(() => null);
    const isHere = (each: { readonly coupon: string }): boolean => each.coupon === coupon;
    checks.push(...checkCoupon(coupon, answer, told.filter(isHere), new Set(released.filter(isHere).map(({ userId }) => userId))));
  }
  return checks;
}

/** The checks of one coupon, on what the API answered for it. */
export function checkCoupon(coupon: string, answer: Answer | null, told: readonly Told[], released: ReadonlySet<string>): ApiCheck[] {
  const check = (title: string, isPassed: boolean, detail: string): ApiCheck => ({ coupon, title, isPassed, detail });
  const { amount, remaining_amount: remaining, claimed_by: claimants } = answer?.body ?? {};
  if (answer?.status !== 200 || typeof amount !== "number" || typeof remaining !== "number" || !Array.isArray(claimants)) {
    return [check("the API shows the coupon", false, answer === null ? "no answer" : `it answered ${answer.status}`)];
  }
  const users = new Set<unknown>(claimants);
  const toldUsers = new Set<unknown>(told.map(({ userId }) => userId));
  const missing = told.filter(({ userId }) => !users.has(userId) && !released.has(userId));
  const untold = claimants.filter((userId) => !toldUsers.has(userId));
  // A released claim leaves a gap, so places tell something only where nothing was released.
  const misplaced = released.size > 0 ? [] : told.filter(({ userId, position }) => claimants[position - 1] !== userId);
  return [
    check(
      "claimed and remaining are at most the amount",
      remaining >= 0 && claimants.length + remaining <= amount,
      `${claimants.length} + ${remaining} of ${amount}`,
    ),
    check("no user twice", users.size === claimants.length, `${users.size} users, ${claimants.length} claims`),
    check("everybody who was told 201 is there", missing.length === 0, `${told.length - missing.length} of ${told.length}`),
    check("… at the position that they were told", misplaced.length === 0, `${told.length - misplaced.length} of ${told.length}`),
    check("everybody who is there was told 201", untold.length === 0, `${claimants.length - untold.length} of ${claimants.length}`),
  ];
}
