// Calls of the API beside a page, as another operator or a user makes them.

import { expect } from "vitest";

import type { Server } from "./server.ts";

export type Call = (method: string, path: string, body?: object) => Promise<{ readonly status: number; readonly body: unknown }>;

/** Returns calls of the coupon `name`. A path begins behind its name. `claim` returns the status. */
export function couponCalls({ url }: Server, name: string): Call & { readonly claim: (userId: string) => Promise<number> } {
  const headers = { "Content-Type": "application/json" };
  const call: Call = async (method, path, body) => {
    const address = `${url}/api/coupons/${encodeURIComponent(name)}${path}`;
    const response = await fetch(address, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  };
  async function claim(userId: string): Promise<number> {
    const body = JSON.stringify({ user_id: userId, coupon_name: name });
    return (await fetch(`${url}/api/coupons/claim`, { method: "POST", headers, body })).status;
  }
  return Object.assign(call, { claim });
}

/** Creates a coupon. */
export async function create({ url }: Server, coupon: { readonly name: string; readonly amount: number }): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  expect((await fetch(`${url}/api/coupons`, { method: "POST", headers, body: JSON.stringify(coupon) })).status).toBe(201);
}
