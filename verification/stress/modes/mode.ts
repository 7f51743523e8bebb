// What every mode is given, and what it brings back.

import { CommandFailure } from "../../cli/command.ts";
import type { CouponClient } from "../../client/coupon-client.ts";
import type { Receipt as Told } from "../../verify/verify.ts";
import { openCrowd, type Crowd } from "../crowd.ts";
import type { Latency } from "../latency.ts";
import { drive, type Sent, type Slot } from "../load.ts";
import type { LoadOptions } from "../options.ts";
import type { Fault } from "../outcomes.ts";
import type { Target } from "../target.ts";
import type { Threshold } from "../thresholds.ts";

export type Ground = {
  readonly target: Target;
  /** The name of the coupon, or what the names begin with. */
  readonly coupon: string;
  readonly options: LoadOptions;
  readonly seed: number;
};

export type Measured = {
  /** What was done, in one line. */
  readonly setting: string;
  /** Every coupon that there is now because of the run. */
  readonly coupons: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  /** By what was asked. */
  readonly latency: Readonly<Record<string, Latency | null>>;
  readonly thresholds: readonly Threshold[];
  readonly faults: readonly Fault[];
  /** Every receipt that a user got. */
  readonly told: readonly Told[];
  /** Users whose claims the run asked to release, by coupon: what they were told need not hold any more. */
  readonly released: readonly Pick<Told, "coupon" | "userId">[];
};

/**
 * Connects `count` users and drives what `plan` makes of them. Throws {@link CommandFailure} where nothing at all was
 * answered: then there is nothing to report.
 */
export async function rush<Planned extends Slot>(
  label: string,
  { target }: Ground,
  count: number,
  plan: (users: Crowd["users"]) => readonly Planned[],
): Promise<Sent<Planned>[]> {
  const crowd = await openCrowd(target, count);
  try {
    const sent = await drive(label, plan(crowd.users), crowd);
    if (sent.every(({ answer }) => answer === null)) {
      throw new CommandFailure(`${target.url} answered none of ${sent.length} requests: ${sent[0]?.failure ?? "none was sent"}`);
    }
    return sent;
  } finally {
    await crowd.leave();
  }
}

/** One user of a crowd that has as many as are asked for. */
export function userAt(users: Crowd["users"], index: number): CouponClient {
  const user = users[index];
  if (user === undefined) throw new Error(`there is no user ${index}`);
  return user;
}
