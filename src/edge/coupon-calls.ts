// Calls of a coupon's object: which one, the deadline, and retries.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, ID_CACHE_SIZE_MAX, RETRY_PAUSE_MS } from "../domain/limits.ts";
import type { CouponCalls } from "../domain/rpc.ts";
import type { CouponEnv } from "./env.ts";
import { nextOrder, recordHead } from "./monotonic-reads.ts";
import { pause } from "./time.ts";

/** Why there is no answer of the object: a read has failed, or the outcome of a mutation is unknown. */
export type CallFailure = {
  readonly ok: false;
  readonly code: "unavailable" | "outcome_unknown";
  readonly cause: unknown;
};

/**
 * What a call does to the coupon: nothing (`read`), the same however often it is delivered (`repeatable`), or something
 * else each time (`once`). Only the first two are tried again.
 */
export type CallEffect = "read" | "repeatable" | "once";

/** What an answer of the object has to show here. */
type Answer = { readonly ok: boolean; readonly code?: string; readonly seq?: number; readonly coupon?: { readonly epoch: string } };

/**
 * Calls the object of the coupon `name` and answers what it answers, or why there is no answer. Never throws. All attempts
 * together take at most `deadlineMs`; what is unknown by then stays unknown, because the object may still do it.
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
    timer = setTimeout(() => resolve(unanswered(effect, `no answer in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    const result = await Promise.race([attempts(env, name, call, effect, caller), deadline]);
    if (!("cause" in result)) recordHead(name, result, order);
    return result;
  } finally {
    caller.isWaiting = false;
    clearTimeout(timer ?? null);
  }
}

async function attempts<Result extends Answer>(
  env: CouponEnv,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  caller: { readonly isWaiting: boolean },
): Promise<Result | CallFailure> {
  for (let retry = 0; ; retry += 1) {
    try {
      // A fresh stub each time: one that threw stays broken.
      const result = await call(stubOf(env, name));
      // "Nothing was changed" is true of this attempt, but one before it may have been carried out.
      return retry > 0 && result.code === "unavailable" ? unanswered(effect, result.code) : result;
    } catch (cause) {
      if (effect === "once" || retry >= CALL_RETRIES_MAX || isOverloaded(cause) || !caller.isWaiting) return unanswered(effect, cause);
      await pause(RETRY_PAUSE_MS * 2 ** retry * (0.5 + Math.random() / 2));
      if (!caller.isWaiting) return unanswered(effect, cause);
    }
  }
}

/** The failure where the object may or may not have done what it was asked. A read changes nothing either way. */
function unanswered(effect: CallEffect, cause: unknown): CallFailure {
  return { ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause };
}

/**
 * Whether the platform asks not to be called again at once. No other mark of an exception decides anything: one of the platform's own
 * can carry `remote`, and one of the object's code any mark (source: Cloudflare's Durable Objects error handling guide). What may
 * be repeated follows from the call alone.
 */
function isOverloaded(cause: unknown): boolean {
  return typeof cause === "object" && cause !== null && "overloaded" in cause && cause.overloaded === true;
}

const ids = new Map<string, DurableObjectId>();

/** The object, by its remembered id. A full memory is emptied: the coupons in demand are back in it at once. */
function stubOf({ COUPONS, LOCATION_HINT }: CouponEnv, name: string): CouponCalls {
  let id = ids.get(name);
  if (id === undefined) {
    if (ids.size >= ID_CACHE_SIZE_MAX) ids.clear();
    id = COUPONS.idFromName(name);
    ids.set(name, id);
  }
  // The first call of all places an object for good.
  return LOCATION_HINT === undefined ? COUPONS.get(id) : COUPONS.get(id, { locationHint: LOCATION_HINT });
}
