// How the Worker calls a coupon's object: which one, how long, and whether once more.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, ID_CACHE_SIZE_MAX, RETRY_PAUSE_MS } from "../domain/limits.ts";
import type { CouponCalls } from "../domain/messages.ts";
import type { CouponNamespace } from "./env.ts";
import { pause } from "./time.ts";

/** Why there is no answer of the object: it was certainly not asked to the end, or nobody knows. */
export type CallFailure = {
  readonly ok: false;
  readonly code: "unavailable" | "outcome_unknown" | "internal_error";
  readonly cause: unknown;
};

/**
 * What a call does to the coupon: nothing (`read`), the same however often it is delivered (`repeatable`), or something
 * else each time (`once`). Only the first two are tried again.
 */
export type CallEffect = "read" | "repeatable" | "once";

/** What an answer of the object has to show here: whether it is one that says that nothing was changed. */
type Answer = { readonly ok: boolean; readonly code?: string };

/**
 * Calls the object of the coupon `name` and answers what it answers, or why there is no answer. Never throws. All attempts
 * together take at most `deadlineMs`; what is unknown by then stays unknown, because the object may still do it.
 */
export async function callCoupon<Result extends Answer>(
  coupons: CouponNamespace,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  deadlineMs: number = CALL_DEADLINE_MS,
): Promise<Result | CallFailure> {
  const caller = { isWaiting: true };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<CallFailure>((resolve) => {
    timer = setTimeout(() => resolve(unanswered(effect, `no answer in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([attempts(coupons, name, call, effect, caller), deadline]);
  } finally {
    caller.isWaiting = false;
    clearTimeout(timer ?? null);
  }
}

async function attempts<Result extends Answer>(
  coupons: CouponNamespace,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  caller: { readonly isWaiting: boolean },
): Promise<Result | CallFailure> {
  for (let retry = 0; ; retry += 1) {
    try {
      // A fresh stub each time: one that threw stays broken.
      const result = await call(coupons.get(idOf(coupons, name)));
      // "Nothing was changed" is true of this attempt, but one before it may have been heard.
      return retry > 0 && result.code === "unavailable" ? unanswered(effect, result.code) : result;
    } catch (cause) {
      const fault = faultOf(cause);
      // An attempt before this one may have been heard, whatever became of this one.
      if (retry === 0 && fault === "turned_away") return { ok: false, code: "unavailable", cause };
      if (fault === "bug" && (retry === 0 || effect === "read")) return { ok: false, code: "internal_error", cause };
      if (fault !== "passing") return unanswered(effect, cause);
      if (effect === "once" || retry >= CALL_RETRIES_MAX || !caller.isWaiting) return unanswered(effect, cause);
      await pause(RETRY_PAUSE_MS * 2 ** retry * (0.5 + Math.random() / 2));
      if (!caller.isWaiting) return unanswered(effect, cause);
    }
  }
}

/** What the caller is told where the object may or may not have done what it was asked. A read changes nothing either way. */
function unanswered(effect: CallEffect, cause: unknown): CallFailure {
  return { ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause };
}

/**
 * What an exception of a stub means. The platform marks its own (source: Cloudflare's Durable Objects error handling
 * guide); one that comes out of the object's code (`remote`) can carry any mark, so it is not believed. What is overloaded
 * is not asked again; if it was reset for it, calls that it had begun may have landed. What has no mark, a commit that
 * failed for instance, explains nothing.
 */
function faultOf(cause: unknown): "bug" | "turned_away" | "passing" | "unexplained" {
  if (typeof cause !== "object" || cause === null) return "unexplained";
  const marks: { remote?: unknown; retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown } = cause;
  if (marks.remote === true) return "bug";
  if (marks.overloaded === true) return marks.durableObjectReset === true ? "unexplained" : "turned_away";
  return marks.retryable === true || marks.durableObjectReset === true ? "passing" : "unexplained";
}

const ids = new Map<string, DurableObjectId>();

/** The object's id, remembered. A full memory is emptied: the coupons in demand are back in it at once. */
function idOf(coupons: CouponNamespace, name: string): DurableObjectId {
  const known = ids.get(name);
  if (known !== undefined) return known;
  if (ids.size >= ID_CACHE_SIZE_MAX) ids.clear();
  const id = coupons.idFromName(name);
  ids.set(name, id);
  return id;
}
