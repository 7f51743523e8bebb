// The platform between the Worker and a coupon's object, made to fail as it does. The objects behind it are the real ones.

import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { onTestFinished } from "vitest";

import type { CouponNamespace } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";
import type { Answer } from "./api.ts";
import { stubOf } from "./storage.ts";

/** What the platform, or code in its name, says of an exception. */
export type Marks = Record<string, unknown>;

/** What becomes of one call: `deliver` hands it to the real object. */
export type Fate = (deliver: () => Promise<unknown>) => Promise<unknown>;

/** Words that only the platform would use; no answer may carry them. */
export const PLATFORM_WORDS = "Durable Object reset because its code was updated; reference = 4b1d";

export function platformError(marks: Marks): Error {
  return Object.assign(new Error(PLATFORM_WORDS), marks);
}

const delivered: Fate = (deliver) => deliver();

/** The call never reaches the object. */
export function lost(thrown: unknown): Fate {
  return () => Promise.reject(thrown);
}

/** The object does what it was asked, and its answer never comes back. */
export function answerLost(thrown: unknown): Fate {
  return async (deliver) => {
    await deliver();
    throw thrown;
  };
}

/** Nothing ever comes back. */
export const silence: Fate = () => new Promise(() => undefined);

export type Platform = {
  readonly coupons: CouponNamespace;
  /** Every call that was made, in order: its method and how many stubs there were by then. */
  readonly calls: { readonly method: string; readonly stub: number }[];
  /** The names whose ids were computed. */
  readonly named: string[];
  /** Resolves as soon as a call is made. */
  readonly called: Promise<void>;
};

/**
 * A namespace in front of the real one: the first calls meet `fates` one after the other, later ones are delivered. As on
 * the platform, a stub that threw throws the same for ever.
 */
export function platform(...fates: readonly Fate[]): Platform {
  const upcoming = [...fates];
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
        // Called where it is looked up: a method taken off a real stub loses its object.
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

const app = createApp();

/** Sends one request through a Worker whose objects are behind `coupons`. */
export async function sendOver(
  { coupons }: Platform,
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await app.request(`https://doorbuster.test${path}`, init, { ...env, COUPONS: coupons }, createExecutionContext());
  return { status: response.status, body: await response.json(), headers: response.headers };
}

export function claimOver(over: Platform, name: string, userId: string, headers: Record<string, string> = {}): Promise<Answer> {
  return sendOver(over, "POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers });
}

/**
 * Makes the object of coupon `name` hang: every call that comes in waits. Answers how to let go of it; the end of the test
 * does so as well.
 */
export async function hung(name: string): Promise<{ readonly letGo: () => Promise<void> }> {
  const isHeld = Promise.withResolvers<void>();
  const gate = { isOpen: false };
  const holding = runInDurableObject(stubOf(name), (_object, state) =>
    state.blockConcurrencyWhile(async () => {
      isHeld.resolve();
      // A promise of the test can't be awaited in here: the object is another I/O context.
      while (!gate.isOpen) await scheduler.wait(1);
    }),
  );
  const letGo = () => {
    gate.isOpen = true;
    return holding;
  };
  onTestFinished(letGo);
  await isHeld.promise;
  return { letGo };
}
