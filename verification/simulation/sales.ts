// The kinds of sales: how many requests of which kind, and how bad the network is.

import type { Random } from "../random.ts";
import type { Ask } from "./plan.ts";

/** All users. */
export const USERS = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo", "mia", "ned"] as const;

type Numbers = {
  readonly askCount: number;
  readonly userCount: number;
  readonly amountMax: number;
  /** The longest pause between two requests; with 0 all arrive at once. */
  readonly gapMsMax: number;
  /** The longest way of a message. */
  readonly wayMsMax: number;
  /** How long a flush takes. Messages that arrive meanwhile share the next batch. */
  readonly diskMs: number;
  /** Of a hundred attempts, how many meet a fault. */
  readonly faultPercent: number;
  /** Of a hundred keys, how many are shared between users. */
  readonly sharedKeys: number;
  /** How many isolates the clients use. */
  readonly isolateCount: number;
};

type Weights = Readonly<Partial<Record<Ask["kind"], number>>>;

export type Sale = Numbers & {
  /** How often each kind of request is drawn. */
  readonly asks: Weights;
  /** Whether isolates refuse by certificates. */
  readonly isEdgeOn: boolean;
};

/** A kind of sale: each number is one of its list. */
type Kind = { readonly [Name in keyof Numbers]: readonly number[] } & {
  readonly weight: number;
  readonly asks: Weights;
  readonly isEdgeOn: readonly boolean[];
};

/** Most sales are small, because most bugs show in a few steps. */
const SMALL: Kind = {
  weight: 25,
  asks: {
    claim: 84,
    claim_many: 7,
    hold: 28,
    give_back: 10,
    release: 17,
    change: 14,
    read: 8,
    status: 2,
    view: 2,
    own: 6,
    page: 3,
    metrics: 3,
    holds: 3,
    end_holds: 2,
    archive: 3,
    remove: 5,
    create: 6,
  },
  askCount: [3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6, 7, 8, 10, 12, 18, 35],
  userCount: [2, 3, 4],
  amountMax: [1, 2, 2, 3, 4],
  gapMsMax: [0, 1, 2, 2, 4, 10, 40, 400, 1000],
  wayMsMax: [0, 1, 2, 3, 6],
  diskMs: [0, 0, 1, 2, 4, 12],
  faultPercent: [0, 0, 4, 8, 25],
  sharedKeys: [12],
  isolateCount: [3],
  isEdgeOn: [true, true, false],
};

/** Certificates matter where many users come too late, some time after each other. */
const EDGE: Kind = {
  ...SMALL,
  weight: 24,
  asks: { ...SMALL.asks, claim: 540, release: 80, change: 140, hold: 50, give_back: 34, archive: 6, remove: 13, end_holds: 10, status: 10 },
  askCount: [6, 7, 8, 9, 10, 11, 12, 13, 17, 21],
  userCount: [3, 6, USERS.length],
  amountMax: [1],
  gapMsMax: [20, 100, 200, 400, 900],
  wayMsMax: [0, 3, 200, 500],
  diskMs: [0, 2],
  faultPercent: [0, 0, 8],
  isolateCount: [1, 2, 3],
  isEdgeOn: [true],
};

/** Holds begin and end in every way. */
const HOLDS: Kind = {
  ...SMALL,
  weight: 4,
  asks: { claim: 30, hold: 37, give_back: 6, claim_many: 5, holds: 5, end_holds: 10, release: 2, change: 2, read: 1, own: 1, remove: 1 },
  askCount: [8, 10, 12, 14, 16, 19],
  userCount: [3, 4, 6],
  amountMax: [2, 3, 5],
  gapMsMax: [4, 20, 100, 400],
  wayMsMax: [0, 3, 100],
  diskMs: [0, 2, 12],
  faultPercent: [0, 8, 30],
  sharedKeys: [10, 70],
  isolateCount: [1, 2, 3],
  isEdgeOn: [true, true, true, false],
};

/** Visitors read through one isolate what happens through others. */
const VIEWS: Kind = {
  ...HOLDS,
  weight: 2,
  asks: { claim: 33, status: 20, view: 20, hold: 9, give_back: 3, end_holds: 2, release: 2, change: 3, read: 2, remove: 4, create: 1 },
  gapMsMax: [100, 400, 900],
  isolateCount: [3],
};

/** One coupon after the other has the same name, and sells out. */
const AGAIN: Kind = {
  ...EDGE,
  weight: 3,
  asks: { claim: 78, release: 1, change: 3, hold: 1, remove: 15, read: 1, create: 1 },
  askCount: [10, 12, 14, 16, 19],
  userCount: [2, 3, 4],
  gapMsMax: [100, 300, 600],
  wayMsMax: [0, 3, 100],
  faultPercent: [0],
  isolateCount: [1, 1, 2],
};

/** Many requests during a flush make large batches. */
const LARGE: Kind = {
  ...SMALL,
  weight: 2,
  asks: { claim: 91, claim_many: 1, hold: 2, give_back: 1, release: 2, change: 1, read: 1, own: 1 },
  askCount: [14, 18, 22, 29],
  userCount: [USERS.length],
  amountMax: [12],
  gapMsMax: [0, 1],
  wayMsMax: [0, 2],
  diskMs: [5, 12, 30],
  faultPercent: [0, 0, 8],
  sharedKeys: [30],
  isEdgeOn: [false],
};

const KINDS: readonly Kind[] = [SMALL, EDGE, HOLDS, VIEWS, AGAIN, LARGE];

/** Draws a sale. */
export function saleOf(random: Random): Sale {
  const { pick } = random;
  const kind =
    KINDS[
      drawn(
        random,
        KINDS.map(({ weight }) => weight),
      )
    ] ?? SMALL;
  return {
    asks: kind.asks,
    askCount: pick(kind.askCount),
    userCount: pick(kind.userCount),
    amountMax: pick(kind.amountMax),
    gapMsMax: pick(kind.gapMsMax),
    wayMsMax: pick(kind.wayMsMax),
    diskMs: pick(kind.diskMs),
    faultPercent: pick(kind.faultPercent),
    sharedKeys: pick(kind.sharedKeys),
    isolateCount: pick(kind.isolateCount),
    isEdgeOn: pick(kind.isEdgeOn),
  };
}

/** Draws an index by weights. */
export function drawn({ below }: Random, weights: readonly number[]): number {
  let dice = below(weights.reduce((sum, weight) => sum + weight, 0));
  return weights.findIndex((weight) => (dice -= weight) < 0);
}
