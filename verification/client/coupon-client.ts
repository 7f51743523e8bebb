// The API as commands call it: one typed function for each route, over an undici dispatcher.

import type { Dispatcher } from "undici";

/** One answer. A body that is not a JSON object is `{}`. */
export type Answer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The ledger's head when the answer was computed, from `Coupon-Seq`; null without the header. */
  readonly seq: number | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

export type CouponClient = ReturnType<typeof couponClient>;

export type ClientOptions = {
  /** Sent with every operator request. */
  readonly adminToken?: string | undefined;
};

type Sent = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

/**
 * Sends requests through `dispatcher`: a `Client` is one connection, a `Pool` is many. Its timeouts are the
 * dispatcher's. A call resolves with any answer, and rejects without one: then the outcome is unknown.
 */
export function couponClient(dispatcher: Dispatcher, { adminToken }: ClientOptions = {}) {
  function send(method: Dispatcher.HttpMethod, path: string, { body, headers = {} }: Sent = {}): Promise<Answer> {
    return answerOf(dispatcher, {
      method,
      path,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  const operator = adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` };

  return {
    send,
    health: () => send("GET", "/health"),
    /** `extra` are further fields of the API, such as `starts_at`. */
    create: (name: string, amount: number, extra: Readonly<Record<string, unknown>> = {}) =>
      send("POST", "/api/coupons", { body: { name, amount, ...extra }, headers: operator }),
    read: (name: string) => send("GET", at(name), { headers: operator }),
    change: (name: string, fields: Readonly<Record<string, unknown>>) => send("PATCH", at(name), { body: fields, headers: operator }),
    remove: (name: string) => send("DELETE", at(name), { headers: operator }),
    status: (name: string) => send("GET", at(name, "status")),
    claim: (name: string, userId: string, { key }: { readonly key?: string | undefined } = {}) =>
      send("POST", "/api/coupons/claim", {
        body: { user_id: userId, coupon_name: name },
        ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
      }),
    /** The user's claim or running hold. */
    userClaim: (name: string, userId: string) => send("GET", at(name, "claims", userId)),
    revoke: (name: string, userId: string, { position }: { readonly position?: number | undefined } = {}) =>
      send("DELETE", at(name, "claims", userId) + (position === undefined ? "" : `?position=${position}`), { headers: operator }),
    claims: (name: string, { after = 0, limit = 1000 }: { readonly after?: number; readonly limit?: number } = {}) =>
      send("GET", `${at(name, "claims")}?after=${after}&limit=${limit}`, { headers: operator }),
    hold: (name: string, userId: string, ttlSeconds: number) =>
      send("POST", at(name, "holds"), { body: { user_id: userId, ttl_seconds: ttlSeconds } }),
    releaseHold: (name: string, userId: string) => send("DELETE", at(name, "holds", userId)),
  };
}

/** Sends one request without undici's streams, which cost more than the rest of a small answer. */
function answerOf(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: Answer["headers"] = {};
    dispatcher.dispatch(request, {
      // Required by undici.
      onRequestStart: () => undefined,
      onResponseStart(_controller, statusCode, fields) {
        status = statusCode;
        headers = fields;
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd: () =>
        resolve({ status, body: objectIn(Buffer.concat(chunks).toString()), seq: seqIn(headers["coupon-seq"]), headers }),
      onResponseError: (_controller, cause) => reject(cause),
    });
  });
}

/** A path below a coupon. Each part is one percent-encoded segment. */
function at(name: string, ...below: readonly string[]): string {
  return ["/api/coupons", ...[name, ...below].map((part) => encodeURIComponent(part))].join("/");
}

function objectIn(text: string): Answer["body"] {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Answer["body"]) : {};
  } catch {
    return {};
  }
}

function seqIn(header: string | string[] | undefined): number | null {
  return typeof header === "string" && /^\d+$/.test(header) ? Number(header) : null;
}
