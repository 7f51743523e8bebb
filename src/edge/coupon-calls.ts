// Calls of a coupon's object, directly or through a lane: the stub, the deadline and the retries.

import { laneName, type LaneHint } from "../domain/lanes.ts";
import type { LocationHint } from "../domain/location-hint.ts";
import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, ID_CACHE_SIZE_MAX, RETRY_PAUSE_MS } from "../domain/limits.ts";
import type { CouponCalls, CouponView, LaneCalls } from "../domain/rpc.ts";
import type { CouponEnv, LaneNamespace } from "./env.ts";
import { recordState } from "./known-states.ts";
import { recordHint } from "./lane-hints.ts";
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
type Answer = {
  readonly ok: boolean;
  readonly code?: string;
  readonly seq?: number;
  readonly coupon?: CouponView;
  readonly lanes?: LaneHint;
};

/**
 * Calls the object of the coupon `name`. Returns its answer, or the failure. Never throws. All attempts
 * together take at most `deadlineMs`. After the deadline a mutation stays unknown, because the object may
 * still execute it.
 */
export function callCoupon<Result extends Answer>(
  env: CouponEnv,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  deadlineMs: number = CALL_DEADLINE_MS,
): Promise<Result | CallFailure> {
  return callWithin(deadlineMs, name, () => call(stubOf(env, name)), effect);
}

/** A lane of a coupon: its label, where it is placed, and the namespace of its object. */
export type LaneTarget = { readonly lane: string; readonly location: LocationHint | undefined; readonly namespace: LaneNamespace };

/**
 * As {@link callCoupon}, for a claim or a hold. `laneNow` returns the lane of an attempt, or null for none. The last
 * attempt takes no lane.
 */
export function callThroughLanes<Result extends Answer>(
  env: CouponEnv,
  name: string,
  laneNow: () => LaneTarget | null,
  call: (coupon: LaneCalls) => Promise<Result>,
): Promise<Result | CallFailure> {
  const attempt = (retry: number) => {
    // A broken lane must not take every attempt. The callers of a lost batch must not all call the coupon at once.
    const target = retry < CALL_RETRIES_MAX ? laneNow() : null;
    return call(target === null ? stubOf(env, name) : laneStubOf(name, target));
  };
  return callWithin(CALL_DEADLINE_MS, name, attempt, "repeatable");
}

async function callWithin<Result extends Answer>(
  deadlineMs: number,
  name: string,
  attempt: (retry: number) => Promise<Result>,
  effect: CallEffect,
): Promise<Result | CallFailure> {
  const order = nextOrder();
  const caller = { isWaiting: true };
  // One promise costs a claim half as much as `Promise.race`.
  const result = await new Promise<Result | CallFailure>((resolve) => {
    const timer = setTimeout(() => resolve(failureOf(effect, `no answer in ${deadlineMs} ms`)), deadlineMs);
    const end = (answered: Result | CallFailure): void => {
      // A request can have 10,000 timers at most, and an export makes many calls.
      clearTimeout(timer);
      resolve(answered);
    };
    void callWithRetries(attempt, effect, caller).then(end);
  });
  caller.isWaiting = false;
  if (!("cause" in result)) {
    recordHead(name, result, order);
    recordHint(name, result.lanes);
    if (result.coupon !== undefined && result.seq !== undefined) recordState(name, result.seq, result.coupon);
  }
  return result;
}

/** Never throws. */
async function callWithRetries<Result extends Answer>(
  attempt: (retry: number) => Promise<Result>,
  effect: CallEffect,
  caller: { readonly isWaiting: boolean },
): Promise<Result | CallFailure> {
  for (let retry = 0; ; retry += 1) {
    try {
      // A new stub each time, because a stub that threw stays broken.
      const result = await attempt(retry);
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

const couponIds = new Map<string, DurableObjectId>();
const laneIds = new Map<string, DurableObjectId>();

/** Returns the id of the object `name`. A full cache of ids is cleared, and ids in demand soon return to it. */
function idOf(ids: Map<string, DurableObjectId>, namespace: Pick<DurableObjectNamespace, "idFromName">, name: string): DurableObjectId {
  let id = ids.get(name);
  if (id === undefined) {
    if (ids.size >= ID_CACHE_SIZE_MAX) ids.clear();
    id = namespace.idFromName(name);
    ids.set(name, id);
  }
  return id;
}

function stubOf({ COUPONS, LOCATION_HINT }: CouponEnv, name: string): CouponCalls {
  const id = idOf(couponIds, COUPONS, name);
  // The first call of an object places it permanently.
  return LOCATION_HINT === undefined ? COUPONS.get(id) : COUPONS.get(id, { locationHint: LOCATION_HINT });
}

function laneStubOf(name: string, { lane, location, namespace }: LaneTarget): LaneCalls {
  const id = idOf(laneIds, namespace, laneName(name, lane));
  return location === undefined ? namespace.get(id) : namespace.get(id, { locationHint: location });
}
