// A real coupon behind the object's queue, with a disk that the test settles by hand.

import { GroupCommit, type GroupCommitOptions } from "../../src/object/group-commit.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { ClaimResult } from "../../src/domain/messages.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { newCoupon, T0 } from "./coupon.ts";
import { faultySql, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

/** The disk of a platform: what was committed is on it once the test says so. */
export type Disk = {
  /** Lets the oldest commit under way reach the disk, and waits until the queue has gone on from there. */
  settle(): Promise<void>;
};

export type Queued = {
  readonly queue: GroupCommit<ClaimRequest, ClaimResult>;
  readonly engine: CouponEngine;
  readonly sql: FaultySql;
  readonly disk: Disk;
  /** The users of each batch that was tried, in the order of the tries. */
  readonly batches: string[][];
  /** Who was refused by the queue, and why. */
  readonly refused: [user: string, cause: string][];
  /** Why the object was ended, once for each time. */
  readonly aborts: string[];
};

/** Tests put in what is no string, too. */
function nameOf({ userId }: { readonly userId: unknown }): string {
  return String(userId);
}

type Bounds = Partial<Pick<GroupCommitOptions<never, never>, "batchSizeMax" | "queueLengthMax">>;

/** A coupon of `amount` units behind a queue; null: a coupon that was never created. */
export function queued(amount: number | null, { batchSizeMax = 512, queueLengthMax = 8192 }: Bounds = {}): Queued {
  const sql = faultySql(nodeSql());
  const engine = new CouponEngine(sql);
  if (amount !== null) engine.create(newCoupon(amount), "epoch-1", T0);
  const underWay: (() => void)[] = [];
  const batches: string[][] = [];
  const refused: [string, string][] = [];
  const aborts: string[] = [];

  const queue = new GroupCommit<ClaimRequest, ClaimResult>({
    commit(requests) {
      batches.push(requests.map(nameOf));
      return engine.claimMany(requests, T0);
    },
    restore: () => engine.reload(),
    settled: () => new Promise<void>((resolve) => underWay.push(resolve)),
    refuse(request, cause) {
      refused.push([nameOf(request), cause instanceof Error ? cause.message : String(cause)]);
      return { ok: false, code: "unavailable", seq: engine.seq };
    },
    abort: ({ message }) => aborts.push(message),
    batchSizeMax,
    queueLengthMax,
  });

  const disk: Disk = {
    async settle() {
      underWay.shift()?.();
      // One turn of the event loop: every promise that can go on has gone on by then.
      await new Promise(setImmediate);
    },
  };
  return { queue, engine, sql, disk, batches, refused, aborts };
}
