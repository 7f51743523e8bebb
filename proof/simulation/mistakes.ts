// Mistakes that are planted on purpose, by the ports around the product or in its memory: a run that does not find one could
// find none of its kind.

import type { Coupon } from "../../src/domain/coupon.ts";
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
