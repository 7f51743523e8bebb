// The kinds of sales: how many requests of which kind, and how bad the network is.

import type { Random } from "../random.ts";

/** All users. */
export const USERS = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo", "mia", "ned"] as const;

export type Sale = {
  readonly askCount: number;
  readonly userCount: number;
  readonly amountMax: number;
  /** The longest pause between two requests; with 0 all arrive at once. */
  readonly gapMsMax: number;
  /** The longest way of a message, in milliseconds. */
  readonly wayMsMax: number;
  /** How long a flush takes. Messages that arrive meanwhile share the next batch. */
  readonly diskMs: number;
  /** Of a hundred attempts, how many meet a fault. */
  readonly faultPercent: number;
  /**
   * Of a hundred requests, how many are claims, and how many change the stock, before anything else is drawn.
   */
  readonly claims: number;
  readonly restocks: number;
  /** The same for holds, and for deletions with a new creation. */
  readonly holds: number;
  readonly removals: number;
  /** The same for public views. */
  readonly views: number;
  /** How many isolates the clients use. */
  readonly isolateCount: number;
  /** Of a hundred keys, how many are shared between users. */
  readonly sharedKeys: number;
  /** Whether isolates refuse by certificates. */
  readonly isEdgeOn: boolean;
};

/** Most sales are small, because most bugs show in a few steps. */
export function saleOf(random: Random): Sale {
  const dice = random.below(60);
  if (dice < 24) return saleAtTheEdge(random);
  if (dice < 28) return saleOfHolds(random);
  if (dice < 31) return saleAgain(random);
  if (dice < 33) return saleToWatch(random);
  return dice < 35 ? saleOfManyUsers(random) : smallSale(random);
}

function smallSale(random: Random): Sale {
  const { below, pick } = random;
  const dice = below(100);
  return {
    askCount: dice < 65 ? 3 + below(4) : dice < 93 ? 6 + below(6) : dice < 99 ? 12 + below(9) : 21 + below(30),
    userCount: 2 + below(3),
    amountMax: pick([1, 2, 2, 3, 4]),
    gapMsMax: pick([0, 1, 2, 2, 4, 10, 40, 400, 1000]),
    wayMsMax: pick([0, 1, 2, 3, 6]),
    diskMs: pick([0, 0, 1, 2, 4, 12]),
    faultPercent: pick([0, 0, 4, 8, 25]),
    claims: 0,
    restocks: 0,
    holds: 0,
    removals: 0,
    views: 0,
    isolateCount: 3,
    sharedKeys: 12,
    isEdgeOn: below(3) > 0,
  };
}

/** Certificates matter where many users come too late, some time after each other. */
function saleAtTheEdge({ below, pick }: Random): Sale {
  return {
    askCount: 6 + below(below(3) === 0 ? 16 : 8),
    userCount: pick([3, 6, USERS.length]),
    amountMax: 1,
    gapMsMax: pick([20, 100, 200, 400, 900]),
    wayMsMax: pick([0, 3, 200, 500]),
    diskMs: pick([0, 2]),
    faultPercent: pick([0, 0, 8]),
    claims: 55,
    restocks: 25,
    holds: 0,
    removals: 0,
    views: 0,
    isolateCount: pick([1, 2, 3]),
    sharedKeys: 10,
    isEdgeOn: true,
  };
}

/** Holds begin and end in every way. */
function saleOfHolds({ below, pick }: Random): Sale {
  return {
    askCount: 8 + below(12),
    userCount: pick([3, 4, 6]),
    amountMax: pick([2, 3, 5]),
    gapMsMax: pick([4, 20, 100, 400]),
    wayMsMax: pick([0, 3, 100]),
    diskMs: pick([0, 2, 12]),
    faultPercent: pick([0, 8, 30]),
    claims: 25,
    restocks: 3,
    holds: 60,
    removals: 0,
    views: 0,
    isolateCount: pick([1, 2, 3]),
    sharedKeys: pick([10, 70]),
    isEdgeOn: below(4) > 0,
  };
}

/** Visitors read through one isolate what happens through others. */
function saleToWatch(random: Random): Sale {
  const { below, pick } = random;
  return {
    ...saleOfHolds(random),
    askCount: 8 + below(12),
    gapMsMax: pick([100, 400, 900]),
    claims: 25,
    holds: 10,
    removals: 3,
    views: 40,
    isolateCount: 3,
  };
}

/** One coupon after the other has the same name, and sells out. */
function saleAgain({ below, pick }: Random): Sale {
  return {
    askCount: 10 + below(10),
    userCount: pick([2, 3, 4]),
    amountMax: 1,
    gapMsMax: pick([100, 300, 600]),
    wayMsMax: pick([0, 3, 100]),
    diskMs: pick([0, 2]),
    faultPercent: 0,
    claims: 75,
    restocks: 5,
    holds: 0,
    removals: 15,
    views: 0,
    isolateCount: pick([1, 1, 2]),
    sharedKeys: 10,
    isEdgeOn: true,
  };
}

/** Many requests during a flush make large batches. */
function saleOfManyUsers({ below, pick }: Random): Sale {
  return {
    askCount: 14 + below(16),
    userCount: USERS.length,
    amountMax: 12,
    gapMsMax: below(2),
    wayMsMax: pick([0, 2]),
    diskMs: pick([5, 12, 30]),
    faultPercent: pick([0, 0, 8]),
    claims: 85,
    restocks: 0,
    holds: 0,
    removals: 0,
    views: 0,
    isolateCount: 3,
    sharedKeys: 30,
    isEdgeOn: false,
  };
}
