// Every virtual user claims one coupon once, all at the same instant.

import { latencyOf } from "../latency.ts";
import { claimFault, countFaults, countOutcomes, receiptsOf } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { CLAIM_BOUNDS, exactly, within } from "../thresholds.ts";
import { load, withoutErrors, type Measured, type Run } from "./mode.ts";

export async function purchaseLoad(run: Run): Promise<Measured> {
  const { coupon, options } = run;
  const { initialStock, vus } = options;
  await createCoupon(run.target, coupon, initialStock);

  const sent = await load("purchase-load", run, vus, (users) =>
    users.map((user, index) => {
      const userId = `user-${index + 1}`;
      return { atMs: 0, coupon, userId, send: () => user.claim(coupon, userId) };
    }),
  );

  const counters = countOutcomes(sent);
  const receipts = receiptsOf(sent);
  const latency = latencyOf(sent);
  const winners = Math.min(initialStock, vus);
  return {
    setting: `${vus} users, one claim each, all at once; ${initialStock} units`,
    coupons: [coupon],
    counters,
    latency: { claims: latency },
    thresholds: [
      exactly("claims granted", winners, counters.claim_granted),
      exactly("different positions among them", winners, new Set(receipts.map(({ position }) => position)).size),
      exactly("the others get out_of_stock", vus - winners, counters.claim_out_of_stock),
      ...withoutErrors(counters),
      ...within("claims", CLAIM_BOUNDS, latency),
    ],
    faults: countFaults(sent.map(claimFault)),
    receipts,
  };
}
