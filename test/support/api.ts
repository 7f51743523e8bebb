// The Worker as its callers know it: fetches over HTTP, answers as values.

import { exports } from "cloudflare:workers";

export type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

/** Sends one request through the Worker and reads its JSON answer; an empty body reads as `{}`. */
export async function send(
  method: string,
  path: string,
  init: { body?: unknown; raw?: BodyInit; headers?: Record<string, string>; signal?: AbortSignal } = {},
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

export function create(name: string, amount: number, more: Record<string, unknown> = {}): Promise<Answer> {
  return send("POST", "/api/coupons", { body: { name, amount, ...more } });
}

/** Creates a coupon under a fresh name and answers the name. */
export async function created(amount: number, more: Record<string, unknown> = {}): Promise<string> {
  const name = freshName();
  const { status } = await create(name, amount, more);
  if (status !== 201) throw new Error(`creating ${name} answered ${status}`);
  return name;
}

export function claim(couponName: string, userId: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: couponName }, headers });
}

export function look(name: string): Promise<Answer> {
  return send("GET", `/api/coupons/${encodeURIComponent(name)}`);
}

/** `count` different users. */
export function users(count: number, prefix = "user"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** How often each outcome occurred, as `201` or `400 out_of_stock`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const outcome = status < 400 ? `${status}` : `${status} ${String(body["code"])}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
