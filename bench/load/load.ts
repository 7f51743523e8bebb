// Load on a server: the requests, the right status, and the driver.

import { drive } from "./undici.ts";
import { drivenByWrk, wrkVersion } from "./wrk.ts";

/** One kind of request. */
export type Sent = {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The body: `before`, then so many quoted ids of new users with commas between, then `after`. */
  readonly body?: { readonly before: string; readonly users: number; readonly after: string };
};

/** A request that is sent again and again. */
export type Load = Sent & {
  /** Every second request, if it differs. */
  readonly other?: Sent;
  /** The right status of every answer. */
  readonly status: number;
};

export type Drive = {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** How long a connection pauses between an answer and its next request. Default: 0. */
  readonly pauseMs?: number;
  /** Prefix of the user ids. Each run has its own, so that no user comes twice. */
  readonly users: string;
  readonly signal?: AbortSignal;
};

export type Measured = {
  /** Answers, without requests that were still open at the end. */
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

/** wrk where it is installed, because it uses the least CPU time. Otherwise the built-in driver. */
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

/** Longer than any run. */
const HOLD_SECONDS = 86_400;

/** Claims and holds of one unit of `coupon` in turn, each by a new user. */
export function claimsAndHoldsOf(coupon: string): Load {
  const body = { before: '{"user_id":', users: 1, after: `,"ttl_seconds":${HOLD_SECONDS}}` };
  return { ...claimsOf(coupon), other: { method: "POST", path: `/api/coupons/${coupon}/holds`, body } };
}
