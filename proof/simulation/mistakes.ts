// Mistakes that are planted on purpose, by the ports around the product or in its memory: a run that does not find one could
// find none of its kind.

import { saleState, type Coupon } from "../../src/domain/coupon.ts";
import type { CouponCalls } from "../../src/domain/messages.ts";
import type { CallEffect } from "../../src/edge/coupon-calls.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { CouponStore } from "../../src/engine/coupon-store.ts";
import { SCHEMA } from "../../src/engine/statements.ts";
import type { Edge, Product } from "./product.ts";
import type { Slips } from "./scene.ts";

/** What is wrong. A patch of the product's classes stays for the life of the thread. */
export type Mistake = {
  /** As a sentence. */
  readonly fault: string;
  readonly slips?: Slips;
  readonly schema?: readonly string[];
  readonly edge?: (edge: Edge) => Partial<Edge>;
  readonly patch?: () => void;
};

export const MISTAKES: Readonly<Record<string, Mistake>> = {
  "answer-before-disk": { fault: "Answers leave the object before the disk has what they tell.", slips: { answersBeforeDisk: true } },
  "alarm-forgotten": { fault: "The platform is never told when to call back.", slips: { forgetsAlarms: true } },
  "rollback-forgotten": { fault: "A transaction that throws keeps what it wrote.", slips: { keepsFailedTransactions: true } },
  "memory-ahead-of-storage": {
    fault: "Memory follows before the commit, and after a failure it goes on as if there had been none.",
    patch: () => {
      wrap(CouponStore.prototype, "advance", (_, before, after) => void Object.assign(before as Coupon, after));
      Object.assign(CouponEngine.prototype, { reload: () => undefined });
    },
  },
  "users-not-unique": {
    fault: "Neither the rule nor the tables know who has a claim.",
    schema: SCHEMA.map((statement) =>
      statement.includes("TABLE claims")
        ? statement
            .replace("user_id TEXT PRIMARY KEY", "user_id TEXT NOT NULL")
            .replace("position INTEGER NOT NULL", "position INTEGER PRIMARY KEY")
        : statement,
    ),
    patch: () => Object.assign(CouponStore.prototype, { claimOf: () => null, claimsOf: () => [] }),
  },
  "keys-not-looked-up": {
    fault: "A key that is another user's is not noticed before the tables refuse it.",
    patch: () => Object.assign(CouponStore.prototype, { keyOwner: () => null, keyOwners: () => [] }),
  },
  "holds-for-ever": {
    fault: "Holds that are over are not found.",
    patch: () => Object.assign(CouponStore.prototype, { expired: () => [] }),
  },
  "mark-forgotten": {
    fault: "A new instance does not know how late it was for the last one.",
    patch: () => wrap(CouponStore.prototype, "read", ({ coupon, outcomes }) => ({ coupon: { ...coupon, clockAt: 0 }, outcomes })),
  },
  "certificate-for-ever": {
    fault: "A certificate is believed for a minute.",
    patch: () => wrap(CouponEngine.prototype, "certificate", (given) => (given === null ? null : { ...given, validForMs: 60_000 })),
  },
  "retry-of-anything": {
    fault: "The Worker sends again what does harm when it is done twice.",
    edge: ({ callCoupon }) => ({
      callCoupon: ((coupons, name, call, effect, deadlineMs) =>
        callCoupon(
          coupons,
          name,
          call,
          (effect === "once" ? "repeatable" : effect) satisfies CallEffect,
          deadlineMs,
        )) as Edge["callCoupon"],
    }),
  },
  "retry-of-nothing-known": {
    fault: "Where the outcome is unknown, the caller is told that nothing was changed.",
    edge: ({ callCoupon }) => ({
      callCoupon: (async (coupons, name, call, effect, deadlineMs) => {
        const result = await callCoupon(coupons, name, call, effect, deadlineMs);
        return "code" in result && result.code === "outcome_unknown" ? { ...result, code: "unavailable" } : result;
      }) as Edge["callCoupon"],
    }),
  },
  "retry-of-the-overloaded": {
    fault: "The Worker asks once more where the platform said that the object is overloaded.",
    edge: ({ callCoupon }) => ({
      callCoupon: (async (coupons, name, call, effect, deadlineMs) => {
        const result = await callCoupon(coupons, name, call, effect, deadlineMs);
        const isFailure = "cause" in result && result.code === "unavailable";
        return isFailure ? callCoupon(coupons, name, call, effect, deadlineMs) : result;
      }) as Edge["callCoupon"],
    }),
  },
  "given-up-at-once": {
    fault: "The Worker does not try again what could be.",
    edge: ({ callCoupon }) => ({
      callCoupon: ((coupons, name, call, effect, deadlineMs) =>
        callCoupon(coupons, name, call, effect === "repeatable" ? "once" : effect, deadlineMs)) as Edge["callCoupon"],
    }),
  },
  "answer-made-up": {
    fault: "The Worker tells a winner of another unit than the object did.",
    edge: ({ judged }) => ({
      judged: async (env, name, userId, key, ask, isCounted) => {
        const result = await judged(env, name, userId, key, ask, isCounted);
        return result.ok && "claim" in result ? { ...result, claim: { ...(result.claim as object), position: 1 } } : result;
      },
    }),
  },
  "certificate-kept": {
    fault: "An isolate that has just moved the stock goes on refusing by an older certificate.",
    edge: () => ({ forgetSoldOut: () => undefined }),
  },
  "look-not-heeded": {
    fault: "An isolate goes on refusing by a certificate that is older than what it has shown to others.",
    edge: ({ callCoupon }) => ({ lookAt: (coupons, name, ask) => callCoupon(coupons, name, ask, "read") }),
  },
  "tag-ignored": {
    fault: "A change is made although its If-Match names another tag.",
    patch: () => replace(CouponEngine.prototype, "change", (change) => (settings, _ifMatch, now) => change(settings, null, now)),
  },
  "page-too-short": {
    fault: "The last claim of a page is left out.",
    patch: () => wrap(CouponEngine.prototype, "page", (page) => ("claims" in page ? { ...page, claims: page.claims.slice(0, -1) } : page)),
  },
  "time-goes-back": {
    fault: "A look tells the sale by the clock alone, also where that was set back.",
    patch: () =>
      wrap(CouponEngine.prototype, "read", (told, _wanted, now) =>
        told.ok ? { ...told, coupon: { ...told.coupon, state: saleState(told.coupon, now as number) } } : told,
      ),
  },
  "numbers-forget": {
    fault: "The operator's numbers count what is claimed now, and not what was ever granted.",
    patch: () =>
      wrap(CouponEngine.prototype, "metrics", (told) => {
        if (!("outcomes" in told)) return told;
        const claims = { ...told.outcomes.claims, granted: told.coupon.claimed };
        return { ...told, outcomes: { ...told.outcomes, claims } };
      }),
  },
  "attempt-renamed": {
    fault: "The Worker's own retry comes under another name, and finds its first attempt to be somebody else's.",
    edge: ({ judged }) => ({
      judged: (env, name, userId, key, ask) => {
        let sent = 0;
        return judged(env, name, userId, key, (coupon, wish) => {
          sent += 1;
          const attemptOf = (attemptId: string): string => `${attemptId}.${sent}`;
          const renaming: Pick<CouponCalls, "claim" | "hold"> = {
            claim: (request, asked) => coupon.claim({ ...request, attemptId: attemptOf(request.attemptId) }, asked),
            hold: (request, asked) => coupon.hold({ ...request, attemptId: attemptOf(request.attemptId) }, asked),
          };
          return ask(renaming as CouponCalls, wish);
        });
      },
    }),
  },
};

/** Puts another method in the place of one of a class; `change` makes it of the old one. */
function replace<Class extends object, Name extends keyof Class>(
  prototype: Class,
  name: Name,
  change: (method: Class[Name]) => Class[Name],
): void {
  const method = prototype[name] as (this: Class, ...asked: unknown[]) => unknown;
  const replaced = function (this: Class, ...asked: unknown[]): unknown {
    const changed = change(method.bind(this) as Class[Name]) as (...all: unknown[]) => unknown;
    return changed(...asked);
  };
  Object.assign(prototype, { [name]: replaced });
}

/** Has a method of a class answer something else. */
function wrap<Class extends object, Name extends keyof Class, Answered = Class[Name] extends (...asked: never[]) => infer A ? A : never>(
  prototype: Class,
  name: Name,
  change: (answered: Answered, ...asked: unknown[]) => Answered,
): void {
  const method = prototype[name] as (this: Class, ...asked: unknown[]) => Answered;
  const wrapped = function (this: Class, ...asked: unknown[]): Answered {
    return change(method.apply(this, asked), ...asked);
  };
  Object.assign(prototype, { [name]: wrapped });
}

/** The product with a mistake in it. */
export function mistaken(product: Product, { edge, patch }: Mistake): Product {
  patch?.();
  return { ...product, edge: { ...product.edge, ...edge?.(product.edge) } };
}
