// A few users who each claim many times at the same instant: each wins once, whatever the order.

import { latencyOf } from "../latency.ts";
import { claimFault, countFaults, countHttpErrors, countOutcomes, receiptOf, showsReceipt } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { CLAIM_BOUNDS, exactly, within } from "../thresholds.ts";
import { rush, userAt, type Ground, type Measured } from "./mode.ts";

export async function duplicateUser(ground: Ground): Promise<Measured> {
  const { coupon, options } = ground;
  const { dedupUsers, dedupRequests } = options;
  // Nobody may lose because nothing is left.
  const stock = Math.max(options.initialStock, dedupUsers);
  await createCoupon(ground.target, coupon, stock);

  const requests = dedupUsers * dedupRequests;
  const sent = await rush("duplicate-user", ground, requests, (users) =>
    Array.from({ length: requests }, (_, index) => {
      const userId = `user-${(index % dedupUsers) + 1}`;
      return { atMs: 0, coupon, userId, send: () => userAt(users, index).claim(coupon, userId) };
    }),
  );

  const counts = countOutcomes(sent);
  const httpErrors = countHttpErrors(sent);
  const latency = latencyOf(sent);
  const told = sent.map(receiptOf).filter((receipt) => receipt !== null);
  const wins = Map.groupBy(told, ({ userId }) => userId);
  const wonOnce = Array.from(wins.values()).filter((own) => own.length === 1).length;
  const receipts = new Map(told.map((receipt) => [receipt.userId, receipt]));
  return {
    setting: `${dedupUsers} users, ${dedupRequests} claims each, all at once; ${stock} units`,
    coupons: [coupon],
    counters: { ...counts, http_errors: httpErrors },
    latency: { claims: latency },
    thresholds: [
      exactly("users who won exactly once", dedupUsers, wonOnce),
      exactly("claims granted", dedupUsers, counts.claim_granted),
      exactly("the rest are told 409 or 429", requests - dedupUsers, counts.claim_already_claimed + counts.claim_rate_limited),
      exactly(
        "409s that show the winner's receipt",
        counts.claim_already_claimed,
        sent.filter((each) => showsReceipt(each, receipts.get(each.slot.userId))).length,
      ),
      exactly("claim errors", 0, counts.claim_error),
      exactly("HTTP errors", 0, httpErrors),
      ...within("claims", CLAIM_BOUNDS, latency),
    ],
    faults: countFaults(sent.map(claimFault)),
    told,
    released: [],
  };
}
