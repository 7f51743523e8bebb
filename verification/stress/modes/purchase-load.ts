// A rush on one coupon: every virtual user claims once, all at the same instant.

import { latencyOf } from "../latency.ts";
import { claimFault, countFaults, countHttpErrors, countOutcomes, receiptOf } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { CLAIM_BOUNDS, exactly, within } from "../thresholds.ts";
import { rush, type Ground, type Measured } from "./mode.ts";

export async function purchaseLoad(ground: Ground): Promise<Measured> {
  const { coupon, options } = ground;
  const { initialStock, vus } = options;
  await createCoupon(ground.target, coupon, initialStock);

  const sent = await rush("purchase-load", ground, vus, (users) =>
    users.map((user, index) => {
      const userId = `user-${index + 1}`;
      return { atMs: 0, coupon, userId, send: () => user.claim(coupon, userId) };
    }),
  );

  const counts = countOutcomes(sent);
  const httpErrors = countHttpErrors(sent);
  const told = sent.map(receiptOf).filter((receipt) => receipt !== null);
  const latency = latencyOf(sent);
  const winners = Math.min(initialStock, vus);
  return {
    setting: `${vus} users, one claim each, all at once; ${initialStock} units`,
    coupons: [coupon],
    counters: { ...counts, http_errors: httpErrors },
    latency: { claims: latency },
    thresholds: [
      exactly("claims granted", winners, counts.claim_granted),
      exactly("different positions among them", winners, new Set(told.map(({ position }) => position)).size),
      exactly("the others are told out_of_stock", vus - winners, counts.claim_out_of_stock),
      exactly("claim errors", 0, counts.claim_error),
      exactly("HTTP errors", 0, httpErrors),
      ...within("claims", CLAIM_BOUNDS, latency),
    ],
    faults: countFaults(sent.map(claimFault)),
    told,
    released: [],
  };
}
