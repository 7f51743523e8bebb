// The HTTP requests of clients.

import { requestOf } from "../faults/wire.ts";
import { T0, type Ask } from "./plan.ts";

const ORIGIN = "http://simulation";

/** The request about the coupon `name`; `tag` is its If-Match, and `part` is what a restore sends. */
export function httpRequestOf(name: string, ask: Ask, tag: string | null, part: string): Request {
  const coupon = `${ORIGIN}/api/coupons/${name}`;
  switch (ask.kind) {
    case "status":
      return new Request(`${coupon}/status`);
    case "view":
      return new Request(coupon);
    case "metrics":
      return new Request(`${coupon}/metrics`);
    case "page":
      return new Request(`${coupon}/claims?after=${ask.after}&limit=${ask.limit}`);
    case "backup":
      return new Request(`${coupon}/backup`);
    case "restore":
      return sentText("POST", `${coupon}/restore?part=${ask.part}`, part);
    case "claim_many":
      return sent("POST", `${coupon}/claims`, { user_ids: ask.userIds }, ask.key === null ? {} : { "idempotency-key": ask.key });
    default: {
      const { method, path, headers, body } = requestOf(name, ask);
      return sent(method, ORIGIN + path, body, tag === null ? headers : { ...headers, "if-match": tag });
    }
  }
}

function sent(method: string, url: string, body: object | null, headers: Readonly<Record<string, string>>): Request {
  if (body === null) return new Request(url, { method, headers });
  return sentText(method, url, JSON.stringify(body), headers);
}

function sentText(method: string, url: string, text: string, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request(url, { method, headers: { ...headers, "content-length": String(Buffer.byteLength(text)) }, body: text });
}

/** A request in words. */
export function askText({ kind, ...asked }: Ask): string {
  const facts = Object.entries(asked).filter(([, value]) => value !== null && value !== false);
  return [kind, ...facts.map(([name, value]) => `${name}=${valueText(name, value)}`)].join(" ");
}

function valueText(name: string, value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  return typeof value === "number" && name.endsWith("At") ? `${value - T0} ms` : String(value);
}
