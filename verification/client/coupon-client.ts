// The API as commands call it: one undici dispatcher, one typed function for each route, answers as values.

import type { Dispatcher } from "undici";

/** One answer. A body that is no JSON object reads as `{}`: whoever cares looks for the fields that it needs. */
export type Answer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The ledger's head when the answer was computed, from `Coupon-Seq`; null where the answer does not say. */
  readonly seq: number | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

export type CouponClient = ReturnType<typeof couponClient>;

export type ClientOptions = {
  /** Sent with every request of the operator, where there is one. */
  readonly adminToken?: string | undefined;
};

type Sent = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

/**
 * Speaks to the server behind `dispatcher`: a `Client` is one connection, a `Pool` is many. Its timeouts are the dispatcher's.
 * Every call resolves with whatever was answered, and rejects where nothing was: then the outcome is unknown.
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
    /** Extra fields are those of the API: `starts_at`, `ends_at`. */
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
    /** The user's own claim, or the hold that runs. */
    own: (name: string, userId: string) => send("GET", at(name, "claims", userId)),
    release: (name: string, userId: string, { position }: { readonly position?: number | undefined } = {}) =>
      send("DELETE", at(name, "claims", userId) + (position === undefined ? "" : `?position=${position}`), { headers: operator }),
    claims: (name: string, { after = 0, limit = 1000 }: { readonly after?: number; readonly limit?: number } = {}) =>
      send("GET", `${at(name, "claims")}?after=${after}&limit=${limit}`, { headers: operator }),
    hold: (name: string, userId: string, ttlSeconds: number) =>
      send("POST", at(name, "holds"), { body: { user_id: userId, ttl_seconds: ttlSeconds } }),
    releaseHold: (name: string, userId: string) => send("DELETE", at(name, "holds", userId)),
  };
}

/** Sends one request. Without undici's streams, which cost the sender more than all the rest of a small answer. */
function answerOf(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: Answer["headers"] = {};
    dispatcher.dispatch(request, {
      // undici insists on it.
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

/** The path of a coupon, or of what is below it: each part is one percent-encoded segment. */
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
