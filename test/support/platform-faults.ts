// The platform between the Worker and a coupon's object, made to fail. The objects behind it are real.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { onTestFinished } from "vitest";

import type { CouponNamespace } from "../../src/edge/env.ts";
import type { Answer } from "./api.ts";
import { stubOf } from "./storage.ts";
import { workerWith, type Sent } from "./worker.ts";

/** What the platform, or code in its name, says of an exception. */
export type Marks = Record<string, unknown>;

/** What becomes of one call. `deliver` hands it to the real object. */
export type Delivery = (deliver: () => Promise<unknown>) => Promise<unknown>;

/** Words that only the platform uses. No answer may contain them. */
export const PLATFORM_WORDS = "Durable Object reset because its code was updated; reference = 4b1d";

export function platformError(marks: Marks): Error {
  return Object.assign(new Error(PLATFORM_WORDS), marks);
}

export const delivered: Delivery = (deliver) => deliver();

/** The call never reaches the object. */
export function lost(thrown: unknown): Delivery {
  return () => Promise.reject(thrown);
}

/** The object does what it was asked, and its answer is lost. */
export function answerLost(thrown: unknown): Delivery {
  return async (deliver) => {
    await deliver();
    throw thrown;
  };
}

/** The call is never answered. */
export const silence: Delivery = () => new Promise(() => undefined);

/** A delivery that waits until it is opened. */
export function gated(): { readonly delivery: Delivery; readonly open: () => void } {
  const opened = Promise.withResolvers<void>();
  return { delivery: async (deliver) => (await opened.promise, deliver()), open: opened.resolve };
}

export type Platform = {
  readonly coupons: CouponNamespace;
  /** Every call that was made, in order: its method and how many stubs there were by then. */
  readonly calls: { readonly method: string; readonly stub: number }[];
  /** The names whose ids were computed. */
  readonly named: string[];
  /** Resolves at the first call. */
  readonly called: Promise<void>;
};

/**
 * A namespace in front of the real one. The first calls meet `deliveries` one after the other, later ones are
 * delivered. As on the platform, a stub that threw throws the same from then on.
 */
export function platform(...deliveries: readonly Delivery[]): Platform {
  const upcoming = [...deliveries];
  const calls: { method: string; stub: number }[] = [];
  const named: string[] = [];
  const called = Promise.withResolvers<void>();
  let stubCount = 0;

  function stubFor(id: DurableObjectId): unknown {
    const real = env.COUPONS.get(id) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
    const stub = (stubCount += 1);
    let broken: { readonly by: unknown } | null = null;
    async function meet(method: string, args: readonly unknown[]): Promise<unknown> {
      calls.push({ method, stub });
      called.resolve();
      try {
        if (broken !== null) throw broken.by;
        // A method that is taken off a real stub loses its object.
        const deliver = async () => real[method]?.(...args);
        return await (upcoming.shift() ?? delivered)(deliver);
      } catch (cause) {
        broken ??= { by: cause };
        throw cause;
      }
    }
    return new Proxy(
      {},
      {
        get:
          (_none, method) =>
          (...args: readonly unknown[]) =>
            meet(String(method), args),
      },
    );
  }

  const coupons = {
    idFromName(name: string) {
      named.push(name);
      return env.COUPONS.idFromName(name);
    },
    get: stubFor,
  };
  return { coupons: coupons as unknown as CouponNamespace, calls, named, called: called.promise };
}

/** Sends one request through a Worker whose objects are behind `coupons`. */
export function sendOver({ coupons }: Platform, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  return workerWith({ COUPONS: coupons })(method, path, sent);
}

export function claimOver(over: Platform, name: string, userId: string, headers: Record<string, string> = {}): Promise<Answer> {
  return sendOver(over, "POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers });
}

/** Makes the object of coupon `name` hang. Its calls wait until `resume` or the end of the test. */
export async function hangObject(name: string): Promise<{ readonly resume: () => Promise<void> }> {
  const gate = { isOpen: false, isHanging: false };
  // The object is another I/O context: neither side can await a promise of the other and stay in its own.
  const blocked = runInDurableObject(stubOf(name), (_object, state) =>
    state.blockConcurrencyWhile(async () => {
      gate.isHanging = true;
      while (!gate.isOpen) await scheduler.wait(1);
    }),
  );
  const resume = () => {
    gate.isOpen = true;
    return blocked;
  };
  onTestFinished(resume);
  while (!gate.isHanging) await scheduler.wait(1);
  return { resume };
}
