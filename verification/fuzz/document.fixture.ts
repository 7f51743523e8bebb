// The product's own document for the fuzzer's tests, and answers that fit it.

import { createApp } from "../../src/http/app.ts";
import { byName, changed, UNSET } from "../model/settings.ts";
import { documentIn } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";

const served = await createApp().request("/openapi.json", {}, { REQUEST_LOG: "off" });
export const DOCUMENT = documentIn(await served.text(), "");

export const AT = "2026-11-21T09:56:14.724Z";
const SALE = { name: "PROMO", state: "open", held_amount: 0, created_at: AT, ...byName(changed(UNSET, { amount: 1 })) };
export const COUPON = { ...SALE, remaining_amount: 1, claimed_by: [] };
export const RECEIPT = { coupon_name: "PROMO", user_id: "ann", position: 1, claimed_at: AT };

export function asks(method: string, target: string, body: string | null = null): FuzzRequest {
  return { method, target, headers: [], body };
}

/** An answer with the request id `r-1`. */
export function answers(status: number, body: object | string, more: Readonly<Record<string, string | undefined>> = {}): FuzzAnswer {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  return { status, body: sent, headers: { "x-request-id": "r-1", "content-type": "application/json", ...more } };
}

export function refuses(status: number, code: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): FuzzAnswer {
  return answers(status, { error: "a sentence", code, request_id: "r-1", ...more }, headers);
}
