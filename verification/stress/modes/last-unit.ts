// A crowd and a single unit, round after round: one user wins it, and then all ask again, most of whom the edge refuses.

import { progressOf } from "../../cli/progress.ts";
import { openCrowd, type Crowd } from "../crowd.ts";
import { drive, type Sent } from "../load.ts";
import {
  CLAIM_OUTCOMES,
  claimFault,
  countFaults,
  countHttpErrors,
  countOutcomes,
  receiptOf,
  showsReceipt,
  type ClaimSlot,
  type Fault,
} from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { exactly } from "../thresholds.ts";
import type { Ground, Measured } from "./mode.ts";

/** What is left of a round: keeping every request of a thousand rounds would take gigabytes. */
type Round = Pick<Measured, "counters" | "told"> & {
  readonly coupon: string;
  /** The only one who won was told 409 when they asked again, with the receipt. */
  readonly isWinnerTold: boolean;
  readonly faults: readonly Fault[];
};

export async function lastUnit(ground: Ground): Promise<Measured> {
  const { coupon, options } = ground;
  const { rounds: roundCount, vus } = options;
  const rounds: Round[] = [];
  const crowd = await openCrowd(ground.target, vus);
  const progress = progressOf("last-unit", roundCount);
  try {
    for (let number = 1; number <= roundCount; number += 1) {
      rounds.push(await roundOf(ground, crowd, `${coupon}-${number}`));
      progress.update(number);
    }
  } finally {
    progress.stop();
    await crowd.leave();
  }

  const counters = summed(rounds);
  return {
    setting: `${roundCount} rounds of ${vus} users and one unit: all claim at once, and when all are answered, all claim again`,
    coupons: rounds.map((round) => round.coupon),
    counters,
    latency: {},
    thresholds: [
      exactly("rounds with exactly one winner", roundCount, rounds.filter(({ told }) => told.length === 1).length),
      exactly("winners told 409 and their receipt", roundCount, rounds.filter(({ isWinnerTold }) => isWinnerTold).length),
      exactly("the others are told out_of_stock, twice", 2 * (vus - 1) * roundCount, counters["claim_out_of_stock"] ?? 0),
      exactly("claim errors", 0, counters["claim_error"] ?? 0),
      exactly("HTTP errors", 0, counters["http_errors"] ?? 0),
    ],
    faults: countFaults(rounds.flatMap(({ faults }) => faults.flatMap(({ what, count }) => Array<string>(count).fill(what)))),
    told: rounds.flatMap(({ told }) => told),
    released: [],
  };
}

async function roundOf({ target }: Ground, crowd: Crowd, coupon: string): Promise<Round> {
  await createCoupon(target, coupon, 1);
  const slots = crowd.users.map((user, index): ClaimSlot => {
    const userId = `user-${index + 1}`;
    return { atMs: 0, coupon, userId, send: () => user.claim(coupon, userId) };
  });
  const first = await drive(null, slots, crowd);
  const again = await drive(null, slots, crowd);
  const sent = [...first, ...again];
  const told = sent.map(receiptOf).filter((receipt) => receipt !== null);
  const [won] = told;
  return {
    coupon,
    told,
    isWinnerTold: won !== undefined && again.some((each) => each.slot.userId === won.userId && showsReceipt(each, won)),
    counters: { ...countOutcomes(sent), served_by_edge: sent.filter(isOfEdge).length, http_errors: countHttpErrors(sent) },
    faults: countFaults(sent.map(claimFault)),
  };
}

function isOfEdge({ answer }: Sent<ClaimSlot>): boolean {
  return answer?.headers["served-by"] === "edge";
}

function summed(rounds: readonly Round[]): Record<string, number> {
  const names = [...CLAIM_OUTCOMES, "served_by_edge", "http_errors"];
  return Object.fromEntries(names.map((name) => [name, rounds.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0)]));
}
