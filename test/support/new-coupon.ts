import type { NewCoupon } from "../../src/domain/coupon.ts";

/** What an operator asks for: a coupon without a window and with the widest limits for holds. */
export function newCoupon(amount: number, more: Partial<NewCoupon> = {}): NewCoupon {
  return {
    name: "PROMO",
    amount,
    startsAt: null,
    endsAt: null,
    holdSecondsMax: 86_400,
    holdsMax: null,
    title: null,
    description: null,
    imageUrl: null,
    ...more,
  };
}
