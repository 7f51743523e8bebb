// The API as its callers use it: requests over HTTP, answers as values.

import { exports } from "cloudflare:workers";

export type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };
type HeaderValues = Record<string, string>;

/** Sends one request through the Worker and reads its JSON answer. An empty body reads as `{}`. */
export async function send(
  method: string,
  path: string,
  init: { body?: unknown; raw?: BodyInit; headers?: HeaderValues; signal?: AbortSignal } = {},
): Promise<Answer> {
  const body = init.raw ?? (init.body === undefined ? undefined : JSON.stringify(init.body));
  const response = await exports.default.fetch(`https://doorbuster.test${path}`, {
    method,
    headers: { "content-type": "application/json", ...init.headers },
    ...(body === undefined ? {} : { body }),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
}

/** A coupon name that no other test uses: storage is shared within a test file. */
export function freshName(about = "coupon"): string {
  return `${about}-${crypto.randomUUID()}`;
}

/** `count` different users. */
export function users(count: number, prefix = "user"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

export function pathOf(name: string, ...rest: readonly string[]): string {
  return ["/api/coupons", ...[name, ...rest].map(encodeURIComponent)].join("/");
}

export function create(name: string, amount: number, more: Record<string, unknown> = {}): Promise<Answer> {
  return send("POST", "/api/coupons", { body: { name, amount, ...more } });
}

/** Creates a coupon under a fresh name and returns the name. */
export async function created(amount: number, more: Record<string, unknown> = {}): Promise<string> {
  const name = freshName();
  const { status } = await create(name, amount, more);
  if (status !== 201) throw new Error(`creating ${name} answered ${status}`);
  return name;
}

export function read(name: string): Promise<Answer> {
  return send("GET", pathOf(name));
}

export function readStatus(name: string, headers: HeaderValues = {}): Promise<Answer> {
  return send("GET", pathOf(name, "status"), { headers });
}

export function change(name: string, body: unknown, headers: HeaderValues = {}): Promise<Answer> {
  return send("PATCH", pathOf(name), { body, headers });
}

export function remove(name: string): Promise<Answer> {
  return send("DELETE", pathOf(name));
}

export function claim(couponName: string, userId: string, headers: HeaderValues = {}): Promise<Answer> {
  return send("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: couponName }, headers });
}

/** `query` as in `?limit=10`. */
export function listClaims(name: string, query = ""): Promise<Answer> {
  return send("GET", pathOf(name, "claims") + query);
}

export function getUserClaim(name: string, userId: string): Promise<Answer> {
  return send("GET", pathOf(name, "claims", userId));
}

/** `query` as in `?position=1`. */
export function revoke(name: string, userId: string, query = ""): Promise<Answer> {
  return send("DELETE", pathOf(name, "claims", userId) + query);
}

export function hold(name: string, userId: string, ttlSeconds: unknown = 60): Promise<Answer> {
  return send("POST", pathOf(name, "holds"), { body: { user_id: userId, ttl_seconds: ttlSeconds } });
}

export function releaseHold(name: string, userId: string): Promise<Answer> {
  return send("DELETE", pathOf(name, "holds", userId));
}

/** An outcome as `404 coupon_not_found`. A success is its status alone. */
export function outcomeOf({ status, body }: Answer): string {
  return status < 400 ? `${status}` : `${status} ${String(body["code"])}`;
}

/** How often each outcome occurred. */
export function countOutcomes(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[outcomeOf(answer)] = (counts[outcomeOf(answer)] ?? 0) + 1;
  return counts;
}

/** The ledger's head that an answer names. */
export function seqOf({ headers }: Answer): number {
  return Number(headers.get("Coupon-Seq"));
}

export function etagOf({ headers }: Answer): string {
  return headers.get("ETag") ?? "";
}

/** The receipt in the answer to a granted claim. */
export function receiptOf({ body }: Answer): Record<string, unknown> {
  const { remaining_amount: _left, ...receipt } = body;
  return receipt;
}
