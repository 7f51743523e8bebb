// Calls of a coupon's object: the stub, the deadline and the retries.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, ID_CACHE_SIZE_MAX, RETRY_PAUSE_MS } from "../domain/limits.ts";
import type { CouponCalls, CouponView } from "../domain/rpc.ts";
import type { CouponEnv } from "./env.ts";
import { recordState } from "./known-states.ts";
import { nextOrder, recordHead } from "./monotonic-reads.ts";
import { pause } from "./time.ts";

/** The result without an answer of the object: a read has failed, or the outcome of a mutation is unknown. */
export type CallFailure = {
  readonly ok: false;
  readonly code: "unavailable" | "outcome_unknown";
  readonly cause: unknown;
};

/**
 * The effect of a call: none (`read`), the same for each delivery (`repeatable`), or a new one for each
 * delivery (`once`). A call with effect `once` is never retried.
 */
export type CallEffect = "read" | "repeatable" | "once";

/** The fields of an answer that are read here. */
type Answer = { readonly ok: boolean; readonly code?: string; readonly seq?: number; readonly coupon?: CouponView };

/**
 * Calls the object of the coupon `name`. Returns its answer, or the failure. Never throws. All attempts
 * together take at most `deadlineMs`. After the deadline a mutation stays unknown, because the object may
 * still execute it.
 */
export async function callCoupon<Result extends Answer>(
  env: CouponEnv,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  deadlineMs: number = CALL_DEADLINE_MS,
): Promise<Result | CallFailure> {
  const order = nextOrder();
  const caller = { isWaiting: true };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<CallFailure>((resolve) => {
    timer = setTimeout(() => resolve(failureOf(effect, `no answer in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    const result = await Promise.race([callWithRetries(env, name, call, effect, caller), deadline]);
    if (!("cause" in result)) {
      recordHead(name, result, order);
      if (result.coupon !== undefined && result.seq !== undefined) recordState(name, result.seq, result.coupon);
    }
    return result;
  } finally {
    caller.isWaiting = false;
    clearTimeout(timer ?? null);
  }
}

async function callWithRetries<Result extends Answer>(
  env: CouponEnv,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  caller: { readonly isWaiting: boolean },
): Promise<Result | CallFailure> {
  for (let retry = 0; ; retry += 1) {
    try {
      // A new stub each time, because a stub that threw stays broken.
      const result = await call(stubOf(env, name));
      // `unavailable` means that this attempt changed nothing. An earlier attempt may have changed something.
      return retry > 0 && result.code === "unavailable" ? failureOf(effect, result.code) : result;
    } catch (cause) {
      if (effect === "once" || retry >= CALL_RETRIES_MAX || isOverloaded(cause) || !caller.isWaiting) return failureOf(effect, cause);
      await pause(RETRY_PAUSE_MS * 2 ** retry * (0.5 + Math.random() / 2));
      if (!caller.isWaiting) return failureOf(effect, cause);
    }
  }
}

/** Returns the failure of a call that the object may have executed. A read changes nothing in any case. */
function failureOf(effect: CallEffect, cause: unknown): CallFailure {
  return { ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause };
}

/**
 * Whether the platform says that the object is overloaded, so that a retry would add to the load. No other
 * property of an exception is read: a platform's exception can have `remote`, and the object's code can set
 * any property (source: Cloudflare's Durable Objects error handling guide). Only the effect of the call says
 * whether it can be repeated.
 */
function isOverloaded(cause: unknown): boolean {
  return typeof cause === "object" && cause !== null && "overloaded" in cause && cause.overloaded === true;
}

const ids = new Map<string, DurableObjectId>();

/** Returns a stub of the object. A full cache of ids is cleared, and ids in demand soon return to it. */
function stubOf({ COUPONS, LOCATION_HINT }: CouponEnv, name: string): CouponCalls {
  let id = ids.get(name);
  if (id === undefined) {
    if (ids.size >= ID_CACHE_SIZE_MAX) ids.clear();
    id = COUPONS.idFromName(name);
    ids.set(name, id);
  }
  // The first call of an object places it permanently.
  return LOCATION_HINT === undefined ? COUPONS.get(id) : COUPONS.get(id, { locationHint: LOCATION_HINT });
}
