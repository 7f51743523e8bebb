// Rounds with a single unit: all users claim at once, one wins, and then all claim again.

import { progressOf } from "../../../scripts/cli/progress.ts";
import { drive, type Sent } from "../load.ts";
import { claimFault, countFaults, countOutcomes, receiptsOf, showsReceipt, type ClaimSlot, type Fault } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { exactly } from "../thresholds.ts";
import { connectUsers, type VirtualUsers } from "../virtual-users.ts";
import { withoutErrors, type Measured, type Run } from "./mode.ts";

/** The result of a round. Keeping every request of a thousand rounds would take gigabytes. */
type Round = Pick<Measured, "counters" | "receipts"> & {
  readonly coupon: string;
  /** Whether the winner's second claim got 409 with the receipt. */
  readonly isReceiptShown: boolean;
  readonly faults: readonly Fault[];
};

export async function lastUnit(run: Run): Promise<Measured> {
  const { rounds: roundCount, vus } = run.options;
  const rounds: Round[] = [];
  const virtualUsers = await connectUsers(run.target, vus);
  const progress = progressOf("last-unit", roundCount);
  try {
    for (let number = 1; number <= roundCount; number += 1) {
      rounds.push(await roundOf(run, virtualUsers, `${run.coupon}-${number}`));
      progress.update(number);
    }
  } finally {
    progress.stop();
    await virtualUsers.close();
  }

  const counters: Record<string, number> = {};
  for (const round of rounds) for (const [name, count] of Object.entries(round.counters)) counters[name] = (counters[name] ?? 0) + count;
  return {
    setting: `${roundCount} rounds of ${vus} users and one unit: all claim at once, and when all are answered, all claim again`,
    coupons: rounds.map((round) => round.coupon),
    counters,
    latency: {},
    thresholds: [
      exactly("rounds with exactly one winner", roundCount, rounds.filter(({ receipts }) => receipts.length === 1).length),
      exactly("winners who get 409 with their receipt", roundCount, rounds.filter(({ isReceiptShown }) => isReceiptShown).length),
      exactly("the others get out_of_stock, twice", 2 * (vus - 1) * roundCount, counters["claim_out_of_stock"] ?? 0),
      ...withoutErrors(counters),
    ],
    faults: countFaults(rounds.flatMap(({ faults }) => faults.flatMap(({ what, count }) => Array<string>(count).fill(what)))),
    receipts: rounds.flatMap(({ receipts }) => receipts),
  };
}

async function roundOf({ target }: Run, virtualUsers: VirtualUsers, coupon: string): Promise<Round> {
  await createCoupon(target, coupon, 1);
  const slots = virtualUsers.users.map((user, index): ClaimSlot => {
    const userId = `user-${index + 1}`;
    return { atMs: 0, coupon, userId, send: () => user.claim(coupon, userId) };
  });
  const first = await drive(null, slots, virtualUsers);
  const again = await drive(null, slots, virtualUsers);
  const sent = [...first, ...again];
  const receipts = receiptsOf(sent);
  const [won] = receipts;
  return {
    coupon,
    receipts,
    isReceiptShown: won !== undefined && again.some((each) => each.slot.userId === won.userId && showsReceipt(each, won)),
    counters: { ...countOutcomes(sent), served_by_edge: sent.filter(isFromEdge).length },
    faults: countFaults(sent.map(claimFault)),
  };
}

function isFromEdge({ answer }: Sent<ClaimSlot>): boolean {
  return answer?.headers["served-by"] === "edge";
}
