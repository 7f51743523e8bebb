// The input and the result of every mode.

import { CommandFailure } from "../../../scripts/cli/command.ts";
import type { CouponClient } from "../../client/coupon-client.ts";
import type { Receipt } from "../../verify/verify.ts";
import type { Latency } from "../latency.ts";
import { drive, type Sent, type Slot } from "../load.ts";
import type { LoadOptions } from "../options.ts";
import type { Fault } from "../outcomes.ts";
import type { Target } from "../target.ts";
import { exactly, type Threshold } from "../thresholds.ts";
import { connectUsers, type VirtualUsers } from "../virtual-users.ts";

export type Run = {
  readonly target: Target;
  /** The name of the coupon, or the start of the names. */
  readonly coupon: string;
  readonly options: LoadOptions;
  readonly seed: number;
};

export type Measured = {
  /** The load in one line. */
  readonly setting: string;
  /** Every coupon that the run created. */
  readonly coupons: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  /** By kind of request. */
  readonly latency: Readonly<Record<string, Latency | null>>;
  readonly thresholds: readonly Threshold[];
  readonly faults: readonly Fault[];
  readonly receipts: readonly Receipt[];
  /** Users whose claims the run revoked, or tried to. Their receipts need not hold any more. */
  readonly revoked?: readonly Pick<Receipt, "coupon" | "userId">[];
};

/** Connects `count` users and sends the slots of `plan`. Throws {@link CommandFailure} without an answer. */
export async function load<Planned extends Slot>(
  label: string,
  { target }: Run,
  count: number,
  plan: (users: VirtualUsers["users"]) => readonly Planned[],
): Promise<Sent<Planned>[]> {
  const virtualUsers = await connectUsers(target, count);
  try {
    const sent = await drive(label, plan(virtualUsers.users), virtualUsers);
    if (sent.every(({ answer }) => answer === null)) {
      throw new CommandFailure(`${target.url} answered none of ${sent.length} requests: ${sent[0]?.failure ?? "none was sent"}`);
    }
    return sent;
  } finally {
    await virtualUsers.close();
  }
}

/** The user at `index`. Throws beyond the last one. */
export function userAt(users: VirtualUsers["users"], index: number): CouponClient {
  const user = users[index];
  if (user === undefined) throw new Error(`there is no user ${index}`);
  return user;
}

/** No mode may have errors. */
export function withoutErrors(counters: Measured["counters"]): Threshold[] {
  return [exactly("claim errors", 0, counters["claim_error"] ?? 0), exactly("HTTP errors", 0, counters["http_errors"] ?? 0)];
}
