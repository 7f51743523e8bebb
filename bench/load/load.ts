// Load on a server: what to send, how it has to be answered, and which driver sends it.

import { drive } from "./undici.ts";
import { drivenByWrk, wrkVersion } from "./wrk.ts";

/** One kind of request. */
export type Sent = {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The body around its users, each of whom is met once: `before`, so many quoted ids with commas between, `after`. */
  readonly body?: { readonly before: string; readonly users: number; readonly after: string };
};

/** A request that is sent again and again. */
export type Load = Sent & {
  /** Where it is given, every second request is this one. */
  readonly other?: Sent;
  /** The status of every answer; any other is wrong. */
  readonly status: number;
};

export type Drive = {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** How long a connection rests between an answer and its next request; not at all when left out. */
  readonly pauseMs?: number;
  /** Begins the id of every user. Another for each run, so that no user is met twice. */
  readonly users: string;
  readonly signal?: AbortSignal;
};

export type Measured = {
  /** Answers that came. Requests that were still open at the end are not among them. */
  readonly answers: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Answers with another status than the load's, and requests that broke. */
  readonly wrong: number;
};

export type Driver = {
  /** Such as `wrk 4.1.0`. */
  readonly name: string;
  readonly drive: (load: Load, drive: Drive) => Promise<Measured>;
};

/** wrk where it is installed, because it takes the least of the machine; else the one built in. */
export async function driverOf(): Promise<Driver> {
  const version = await wrkVersion();
  return version === null ? { name: "undici, built in", drive } : { name: version, drive: drivenByWrk };
}

/** A claim of one unit of `coupon` by a new user. */
export function claimsOf(coupon: string, status: number = 201): Load {
  return {
    method: "POST",
    path: "/api/coupons/claim",
    body: { before: '{"user_id":', users: 1, after: `,"coupon_name":"${coupon}"}` },
    status,
  };
}

/** How long the benchmark's holds last: longer than any run. */
const HOLD_SECONDS = 86_400;

/** Claims and holds of one unit of `coupon` in turn, each by a new user. */
export function claimsAndHoldsOf(coupon: string): Load {
  const body = { before: '{"user_id":', users: 1, after: `,"ttl_seconds":${HOLD_SECONDS}}` };
  return { ...claimsOf(coupon), other: { method: "POST", path: `/api/coupons/${coupon}/holds`, body } };
}
