// The entry of operators: `@doorbuster/client/operator`.

import { call, within, type Options, type Request, type Result } from "./call.ts";
import { RefusedError } from "./events.ts";
import { newKey } from "./key-store.ts";
import type * as types from "./operator-types.ts";
import type { Receipt, Refusal, SaleState } from "./types.ts";

export { RefusedError } from "./events.ts";
export type { Failure, Options, Result, Success } from "./call.ts";
export type * from "./operator-types.ts";
export type * from "./types.ts";

export type OperatorOptions = Options & {
  /** Your name in the history of what you change. */
  readonly actor?: string;
};

type Page<After> = { readonly after?: After; readonly limit?: number };
/** A key names the attempt, so that a repeat returns the same. The client makes one unless you do. */
type Keyed = { readonly key?: string };
type Answered<T> = Promise<Result<T>>;

/**
 * Returns the operator's calls. A call that is safe to repeat is repeated until the deadline. Another one ends with
 * `outcome_unknown` once it may have happened: read the state then.
 */
export function createOperator({ actor, ...options }: OperatorOptions) {
  const send = senders(options, actor);
  return { ...couponCalls(send), ...claimCalls(send, options), webhooks: webhookCalls(send) };
}
export type Operator = ReturnType<typeof createOperator>;

function senders(options: Options, actor: string | undefined) {
  const send = <T>(request: Request): Answered<T> =>
    call<T>(options, { ...request, headers: { ...request.headers, "X-Actor": request.method === "GET" ? undefined : actor } });
  return {
    get: <T>(path: readonly string[], query: Request["query"] = {}): Answered<T> => send({ method: "GET", path, query, effect: "read" }),
    keyed: <T>(path: readonly string[], body: object, { key = newKey() }: Keyed = {}): Answered<T> =>
      send({ method: "POST", path, body, headers: { "Idempotency-Key": key }, effect: "repeatable" }),
    post: <T>(path: readonly string[], effect: Request["effect"], query: Request["query"] = {}, lines?: string): Answered<T> =>
      send({ method: "POST", path, query, effect, ...(lines === undefined ? {} : { body: lines }) }),
    patch: <T>(path: readonly string[], body: object): Answered<T> => send({ method: "PATCH", path, body, effect: "repeatable" }),
    remove: <T>(path: readonly string[], effect: Request["effect"] = "once", query: Request["query"] = {}): Answered<T> =>
      send({ method: "DELETE", path, query, effect }),
  };
}
type Senders = ReturnType<typeof senders>;

function couponCalls({ get, keyed, post, patch, remove }: Senders) {
  const change = (name: string, to: types.Change): Answered<types.Coupon> => patch(["coupons", name], to);
  return {
    create: (coupon: types.NewCoupon, keyOptions?: Keyed): Answered<types.Coupon> => keyed(["coupons"], coupon, keyOptions),
    /** `omit` leaves out the list of all winners. */
    get: (name: string, query: { readonly claimed_by?: "omit" } = {}): Answered<types.Coupon> => get(["coupons", name], query),
    list: (page: Page<string> & { readonly state?: SaleState; readonly q?: string } = {}): Answered<types.CouponPage> =>
      get(["coupons"], page),
    /** A repeat changes nothing: every field is absolute. */
    change,
    pause: (name: string): Answered<types.Coupon> => change(name, { paused: true }),
    resume: (name: string): Answered<types.Coupon> => change(name, { paused: false }),
    /** Closes the sale for good, and keeps everything readable. */
    archive: (name: string): Answered<types.Coupon> => post(["coupons", name, "archive"], "repeatable"),
    /** Removes the coupon with its claims and its ledger. */
    delete: (name: string): Answered<null> => remove(["coupons", name]),
    history: (name: string, page: Page<number> = {}): Answered<types.HistoryPage> => get(["coupons", name, "history"], page),
    timeline: (name: string, query: { readonly points?: number } = {}): Answered<types.Timeline> =>
      get(["coupons", name, "timeline"], query),
    metrics: (name: string): Answered<types.CouponMetrics> => get(["coupons", name, "metrics"]),

    /** Sends whole lines of a backup, at most 1 MiB, as the part `part`. The last part returns the coupon. A repeat changes nothing. */
    restorePart: (name: string, part: number, lines: string): Answered<types.Restore | types.Coupon> =>
      post(["coupons", name, "restore"], "repeatable", { part }, lines),

    delivery: (name: string): Answered<types.Delivery> => get(["coupons", name, "delivery"]),
    failingDeliveries: (query: { readonly limit?: number } = {}): Answered<types.FailingDelivery> => get(["delivery", "failing"], query),
    rebuild: (name: string): Answered<null> => post(["coupons", name, "delivery", "rebuild"], "repeatable"),
  };
}

function claimCalls({ get, keyed, remove }: Senders, options: Options) {
  const listClaims = (name: string, page: Page<number> = {}): Answered<types.ClaimPage> => get(["coupons", name, "claims"], page);
  return {
    /** Claims for up to 1,000 users in one transaction. Count `granted` and `replayed` together. */
    bulkClaim: (name: string, userIds: readonly string[], keyOptions?: Keyed): Answered<types.BulkClaim> =>
      keyed(["coupons", name, "claims"], { user_ids: userIds }, keyOptions),
    listClaims,
    /** Yields all claims behind `after`, in claim order. Throws {@link RefusedError}. */
    async *claims(name: string, { after = 0, limit = 1_000 }: Page<number> = {}): AsyncGenerator<Receipt, void> {
      for (let next: number | null = after; next !== null;) {
        const page: Result<types.ClaimPage> = await listClaims(name, { after: next, limit });
        if (!page.ok) throw new RefusedError(page, page.cause);
        yield* page.value.claims;
        ({ next } = page.value);
      }
    },
    /**
     * Returns all claims as a stream of bytes: NDJSON for programs, CSV for spreadsheets. Throws
     * {@link RefusedError}, also while the stream is read if it breaks off.
     */
    exportClaims: (name: string, format: "csv" | "ndjson", signal?: AbortSignal) =>
      download(options, { method: "GET", path: ["coupons", name, "claims"], query: { format }, effect: "read" }, signal),
    /** Returns the claims of all coupons as CSV, in the same way. */
    exportReport: (range: { readonly from?: string; readonly to?: string } = {}, signal?: AbortSignal) =>
      download(
        options,
        { method: "GET", path: ["reports", "claims.csv"], query: range, headers: { Accept: "text/csv" }, effect: "read" },
        signal,
      ),
    /** Returns a backup of the coupon as a stream of bytes, in the same way. Without its last line it is not complete. */
    backup: (name: string, signal?: AbortSignal) =>
      download(options, { method: "GET", path: ["coupons", name, "backup"], effect: "read" }, signal),
    /** Give the `position` that you read: then a repeat can't revoke a later claim of the user. */
    revoke: (name: string, userId: string, { position }: { readonly position?: number } = {}): Answered<types.RevokedClaim> =>
      remove(["coupons", name, "claims", userId], position === undefined ? "once" : "repeatable", { position }),
    userClaims: (userId: string, page: Page<string> = {}): Answered<types.UserClaimPage> => get(["users", userId, "claims"], page),
    /** Erases a user in up to 50 coupons, or in one. Call it again with `next_after` as `after` until that is null. */
    eraseUser: (userId: string, from: { readonly after?: string; readonly coupon?: string } = {}): Answered<types.Erasure> =>
      remove(["users", userId], "repeatable", from),

    holds: (name: string, page: Page<string> = {}): Answered<types.HoldPage> => get(["coupons", name, "holds"], page),
    releaseAllHolds: (name: string): Answered<types.ReleasedHolds> => remove(["coupons", name, "holds"]),
  };
}

function webhookCalls({ get, keyed, post, patch, remove }: Senders) {
  return {
    create: (webhook: types.NewWebhook, keyOptions?: Keyed): Answered<types.WebhookWithSecret> => keyed(["webhooks"], webhook, keyOptions),
    get: (id: string): Answered<types.Webhook> => get(["webhooks", id]),
    list: (page: Page<string> = {}): Answered<types.WebhookPage> => get(["webhooks"], page),
    change: (id: string, to: types.WebhookChange): Answered<types.Webhook> => patch(["webhooks", id], to),
    delete: (id: string): Answered<null> => remove(["webhooks", id]),
    /** If the answer is lost, rotate again. */
    rotate: (id: string): Answered<types.RotatedWebhook> => post(["webhooks", id, "rotate"], "once"),
    test: (id: string): Answered<types.WebhookTest> => post(["webhooks", id, "test"], "once"),
    replay: (id: string, query: { readonly coupon: string; readonly from_seq?: number }): Answered<null> =>
      post(["webhooks", id, "replay"], "repeatable", query),
  };
}

/** Begins a stream like any read. Throws {@link RefusedError}, also later, if the stream breaks off or falls silent. */
async function download(options: Options, request: Request, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const begun = await call(options, { ...request, signal }, streamOf);
  if (!begun.ok) throw new RefusedError(begun, begun.cause);
  const reader = begun.value.getReader();
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    reader.cancel().catch(() => undefined);
  };
  signal?.addEventListener("abort", stop);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await within(reader.read(), stop);
        signal?.throwIfAborted();
        if (isStopped) throw new TypeError("the server sends nothing more");
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        controller.error(signal?.aborted === true ? signal.reason : new RefusedError(brokenOff, cause));
      }
    },
    cancel: stop,
  });
}

function streamOf({ body }: Response): Promise<ReadableStream<Uint8Array>> {
  return body === null ? Promise.reject(new TypeError("the answer is empty")) : Promise.resolve(body);
}

const brokenOff: Refusal = {
  error: "the stream broke off, so what came is not complete: get it again",
  code: "unavailable",
  request_id: "",
};
