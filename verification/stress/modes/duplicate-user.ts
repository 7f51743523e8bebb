// A few users each claim many times at the same instant. Each wins once.

import { latencyOf } from "../latency.ts";
import { claimFault, countFaults, countOutcomes, receiptsOf, showsReceipt } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { CLAIM_BOUNDS, exactly, within } from "../thresholds.ts";
import { load, userAt, withoutErrors, type Measured, type Run } from "./mode.ts";

export async function duplicateUser(run: Run): Promise<Measured> {
  const { coupon, options } = run;
  const { dedupUsers, dedupRequests } = options;
  // No user may lose for lack of stock.
  const stock = Math.max(options.initialStock, dedupUsers);
  await createCoupon(run.target, coupon, stock);

  const requests = dedupUsers * dedupRequests;
  const sent = await load("duplicate-user", run, requests, (users) =>
    Array.from({ length: requests }, (_, index) => {
      const userId = `user-${(index % dedupUsers) + 1}`;
      return { atMs: 0, coupon, userId, send: () => userAt(users, index).claim(coupon, userId) };
    }),
  );

  const counters = countOutcomes(sent);
  const latency = latencyOf(sent);
  const receipts = receiptsOf(sent);
  const byUser = Map.groupBy(receipts, ({ userId }) => userId);
  const wonOnce = Array.from(byUser.values()).filter((wins) => wins.length === 1).length;
  const withReceipt = sent.filter((each) => showsReceipt(each, byUser.get(each.slot.userId)?.at(-1))).length;
  return {
    setting: `${dedupUsers} users, ${dedupRequests} claims each, all at once; ${stock} units`,
    coupons: [coupon],
    counters,
    latency: { claims: latency },
    thresholds: [
      exactly("users who won exactly once", dedupUsers, wonOnce),
      exactly("claims granted", dedupUsers, counters.claim_granted),
      exactly("the rest get 409 or 429", requests - dedupUsers, counters.claim_already_claimed + counters.claim_rate_limited),
      exactly("409s with the winner's receipt", counters.claim_already_claimed, withReceipt),
      ...withoutErrors(counters),
      ...within("claims", CLAIM_BOUNDS, latency),
    ],
    faults: countFaults(sent.map(claimFault)),
    receipts,
  };
}
