// How the Worker calls a coupon's object: which one, how long, and whether once more.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, ID_CACHE_SIZE_MAX, RETRY_PAUSE_MS } from "../domain/limits.ts";
import type { CouponCalls } from "../domain/messages.ts";
import type { CouponNamespace } from "./env.ts";

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

/**
 * Calls the object of the coupon `name` and answers what it answers, or why there is no answer. Never throws. All attempts
 * together take at most `deadlineMs`; what is unknown by then stays unknown, because the object may still do it.
 */
export async function callCoupon<Result>(
  coupons: CouponNamespace,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
  deadlineMs: number = CALL_DEADLINE_MS,
): Promise<Result | CallFailure> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<CallFailure>((resolve) => {
    timer = setTimeout(() => resolve(unanswered(effect, `no answer in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([attempts(coupons, name, call, effect), deadline]);
  } finally {
    clearTimeout(timer ?? null);
  }
}

async function attempts<Result>(
  coupons: CouponNamespace,
  name: string,
  call: (coupon: CouponCalls) => Promise<Result>,
  effect: CallEffect,
): Promise<Result | CallFailure> {
  for (let retry = 0; ; retry += 1) {
    try {
      // A fresh stub each time: one that threw stays broken.
      return await call(coupons.get(idOf(coupons, name)));
    } catch (cause) {
      const fault = faultOf(cause);
      if (fault === "bug") return { ok: false, code: "internal_error", cause };
      // Turned away unheard; but an attempt before this one may have been heard.
      if (fault === "overloaded") return retry === 0 ? { ok: false, code: "unavailable", cause } : unanswered(effect, cause);
      if (effect === "once" || retry >= CALL_RETRIES_MAX) return unanswered(effect, cause);
      await pause(RETRY_PAUSE_MS * 2 ** retry * (0.5 + Math.random() / 2));
    }
  }
}

/** What the caller is told where the object may or may not have done what it was asked. A read changes nothing either way. */
function unanswered(effect: CallEffect, cause: unknown): CallFailure {
  return { ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause };
}

/**
 * What an exception of a stub means. The platform marks its own (source: Cloudflare's Durable Objects error handling
 * guide); one that comes out of the object's code (`remote`) can carry any mark, so it is not believed.
 */
function faultOf(cause: unknown): "bug" | "overloaded" | "passing" {
  if (typeof cause !== "object" || cause === null) return "bug";
  const marks: { remote?: unknown; retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown } = cause;
  if (marks.remote === true) return "bug";
  if (marks.overloaded === true) return "overloaded";
  return marks.retryable === true || marks.durableObjectReset === true ? "passing" : "bug";
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
