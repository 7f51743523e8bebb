// The facts of a coupon, as the rules get them.

import type { Coupon } from "../../src/domain/coupon.ts";

export const T0 = 1_000_000;

/** One unit, open, created at {@link T0}. */
export const COUPON: Coupon = {
  name: "PROMO",
  amount: 1,
  claimed: 0,
  held: 0,
  startsAt: null,
  endsAt: null,
  holdSecondsMax: 900,
  holdsMax: null,
  paused: false,
  archivedAt: null,
  lastPosition: 0,
  seq: 1,
  createdAt: T0,
  epoch: "epoch-1",
  clockAt: T0,
  nextExpiryAt: null,
};
