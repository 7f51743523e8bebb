// Requests as bytes, and the parts that every refusal has.

import { exports } from "cloudflare:workers";
import { expect } from "vitest";

import type { Answer } from "./api.ts";

/** An instant on the wire: UTC with milliseconds. */
export const WIRE_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Posts `body` unchanged, with `headers` alone. Returns the text of the answer beside its parse. */
export async function postRaw(
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Answer & { readonly text: string }> {
  const response = await exports.default.fetch(`https://doorbuster.test${path}`, { method: "POST", body, headers });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text), headers: response.headers, text };
}

/** Expects the refusal `outcome`, as in `404 coupon_not_found`. `error` is a sentence of the contract. */
export function expectRefused({ status, body, headers }: Answer, outcome: string, error?: string): void {
  expect({ outcome: `${status} ${String(body["code"])}`, error: body["error"] }).toEqual({ outcome, error: error ?? expect.any(String) });
  expect(body["request_id"]).toBe(headers.get("X-Request-Id"));
  expect(headers.get("Content-Type")).toBe("application/json");
}
