// A sale to simulate: its users, when they arrive, and what the sale runs on.

import type { LaneSetting } from "../../src/domain/lanes.ts";

/** How users arrive. Each is a share of the time, as a function of the share of users who came before. */
export const SHAPES = {
  once: { about: "everybody at the start", at: () => 0 },
  burst: { about: "half of them in the first tenth of the time", at: (u: number) => (u < 0.5 ? u / 5 : 0.1 + (u - 0.5) * 1.8) },
  flat: { about: "evenly", at: (u: number) => u },
  ramp: { about: "at a rate that grows from nothing", at: (u: number) => Math.sqrt(u) },
  early: {
    about: "half of them before the start, more and more; they are refused, and come back within a second of it",
    at: (u: number) => (u < 0.5 ? Math.sqrt(2 * u) - 1 : 2 * u - 1),
  },
} as const satisfies Record<string, { readonly about: string; readonly at: (usersBefore: number) => number }>;
export type Shape = keyof typeof SHAPES;

/** Microseconds of a thread. */
export type Costs = {
  /** A call of the coupon's object, whatever number of claims it carries. */
  readonly callUs: number;
  /** A claim in a batch of the coupon's object. */
  readonly claimUs: number;
  /** A claim in a lane. */
  readonly laneUs: number;
  /** The start of a lane. 0 where objects start elsewhere, as on Cloudflare. */
  readonly laneStartUs: number;
  /** A claim in the Worker. It counts only with `isOneThread`: Cloudflare starts isolates as it needs them. */
  readonly workerUs: number;
};

export type Sale = {
  readonly users: number;
  readonly stock: number;
  /** How long users arrive after the start. An early crowd arrives as long before it. */
  readonly seconds: number;
  readonly shape: Shape;
  /** 0: claims go to the coupon directly. */
  readonly lanes: LaneSetting;
  readonly costs: Costs;
  /** Requests a second that the platform gives an object. */
  readonly objectRate: number;
  /** An answer leaves when its batch is on disk, after so many milliseconds. */
  readonly flushMs: number;
  /** Milliseconds from the Worker or a lane to an object and back. */
  readonly roundTripMs: number;
  readonly isolates: number;
  readonly hasCertificates: boolean;
  /** Worker, lanes and coupon share one thread, as in the local server. */
  readonly isOneThread: boolean;
  readonly seed: number;
};

/** Returns when the user with this index arrives, in milliseconds from the start of the sale. */
export function arrivalMs({ users, seconds, shape }: Pick<Sale, "users" | "seconds" | "shape">, user: number): number {
  return Math.floor(SHAPES[shape].at((user + 0.5) / users) * seconds * 1000);
}
