// What a user's side calls: claim, hold, read and watch.

import { call, type Options, type Result } from "./call.ts";
import { holdOf, receiptOf, statusOf } from "./checks.ts";
import { watch, type WatchEvent, type WatchOptions } from "./events.ts";
import { memoryKeys, newKey, type KeyStore } from "./key-store.ts";
import { claimRefused, holdRefused, type ClaimOutcome, type HoldOutcome } from "./outcome.ts";
import type { GrantedReceipt, NewHold, Status, UserClaim } from "./types.ts";

export type ClientOptions = Options & {
  /** Keeps the keys of claims without a final answer: in memory unless set. In a browser take `storageKeys()`. */
  readonly keyStore?: KeyStore;
};

type Signal = { readonly signal?: AbortSignal };
export type HoldOptions = Signal & {
  /** The token of a solved Turnstile challenge. */
  readonly challengeToken?: string;
};
export type ClaimOptions = HoldOptions & {
  /**
   * Your name for this attempt, such as an order number. Without it the client makes one, and keeps it. `maybeGranted`
   * knows the attempts of this call alone if you give it.
   */
  readonly key?: string;
};

export type Client = {
  /**
   * Claims one unit for a user, and tries again until the outcome is certain or the deadline is over. A call after
   * `unknown`, also after a reload, sends the same key. Rejects with the signal's reason if it is aborted; the
   * claim may have been granted then, and its key is kept.
   */
  claim(coupon: string, userId: string, options?: ClaimOptions): Promise<ClaimOutcome>;
  /** Holds one unit for a user. A repeated call never extends the hold. */
  hold(coupon: string, userId: string, ttlSeconds: number, options?: HoldOptions): Promise<HoldOutcome>;
  /** Releases the user's hold. It is not repeated once it may have happened: read the user's claim then. */
  releaseHold(coupon: string, userId: string, options?: Signal): Promise<Result<null>>;
  /** Returns the user's claim or running hold. Without either, the code is `claim_not_found`. */
  getUserClaim(coupon: string, userId: string, options?: Signal): Promise<Result<UserClaim>>;
  /** Returns a snapshot of the sale, at most a second old. */
  status(coupon: string, options?: Signal): Promise<Result<Status>>;
  /** Yields a snapshot at once, and one after each change. Ends with `deleted`, or when the signal is aborted. */
  watch(coupon: string, options?: WatchOptions): AsyncGenerator<WatchEvent, void>;
};

/** Returns a client of the server at `baseUrl`. */
export function createClient({ keyStore = memoryKeys(), ...options }: ClientOptions): Client {
  return {
    async claim(coupon, userId, { key: given, challengeToken, signal } = {}) {
      const name = `doorbuster ${JSON.stringify([options.baseUrl, coupon, userId])}`;
      const stored = given === undefined ? await keyStore.get(name) : null;
      const key = given ?? stored ?? newKey();
      // Before the first byte leaves, so that no attempt can be forgotten.
      if (given === undefined && key !== stored) await keyStore.set(name, key);
      const body = { user_id: userId, coupon_name: coupon };
      const headers = { "Idempotency-Key": key, "Turnstile-Token": challengeToken };
      const path = ["coupons", "claim"];
      // A key that was kept belongs to attempts without a final answer.
      const isInDoubt = key === stored;
      const isClaim = receiptOf(coupon, userId);
      const checks = { isAnswer: isClaim, isClaim };
      const request = { method: "POST", path, headers, body, effect: "repeatable", isInDoubt, signal, ...checks } as const;
      const result = await call<GrantedReceipt>(options, request);
      if (given === undefined && (result.ok || !result.maybeDone)) await keyStore.delete(name);
      return result.ok ? { outcome: "granted", receipt: result.value, replayed: result.replayed } : claimRefused(result);
    },
    async hold(coupon, userId, ttlSeconds, { challengeToken, signal } = {}) {
      const body = { user_id: userId, ttl_seconds: ttlSeconds };
      const headers = { "Turnstile-Token": challengeToken };
      const path = ["coupons", coupon, "holds"];
      const checks = { isAnswer: holdOf(coupon, userId), isClaim: receiptOf(coupon, userId) };
      const result = await call<NewHold>(options, { method: "POST", path, headers, body, effect: "repeatable", signal, ...checks });
      return result.ok ? { outcome: "held", hold: result.value } : holdRefused(result);
    },
    releaseHold: (coupon, userId, { signal } = {}) =>
      call(options, { method: "DELETE", path: ["coupons", coupon, "holds", userId], effect: "once", signal }),
    getUserClaim: (coupon, userId, { signal } = {}) => {
      const [isReceipt, isHold] = [receiptOf(coupon, userId), holdOf(coupon, userId)];
      const isAnswer = (value: unknown): boolean => isReceipt(value) || isHold(value);
      return call(options, { method: "GET", path: ["coupons", coupon, "claims", userId], effect: "read", signal, isAnswer });
    },
    status: (coupon, { signal } = {}) =>
      call(options, {
        method: "GET",
        path: ["coupons", coupon, "status"],
        effect: "read",
        isPublic: true,
        signal,
        isAnswer: statusOf(coupon),
      }),
    watch: (coupon, watchOptions) => watch(options, coupon, watchOptions),
  };
}
