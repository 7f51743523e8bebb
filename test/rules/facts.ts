// The facts of a coupon, as the rules get them.

import type { Coupon } from "../../src/domain/coupon.ts";
import { newCoupon } from "../support/new-coupon.ts";

export const T0 = 1_000_000;

/** One unit, open, created at {@link T0}. */
export const COUPON: Coupon = {
  ...newCoupon(1, { holdSecondsMax: 900 }),
  claimed: 0,
  held: 0,
  paused: false,
  archivedAt: null,
  lastPosition: 0,
  seq: 1,
  createdAt: T0,
  epoch: "epoch-1",
  clockAt: T0,
  nextExpiryAt: null,
};
