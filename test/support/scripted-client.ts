// A client whose requests get scripted answers, and whose clock moves only by waiting.

import type { ClientOptions } from "../../packages/client/src/index.ts";

export const RECEIPT = { coupon_name: "c", user_id: "u", position: 1, claimed_at: "2026-11-27T09:00:00.000Z", remaining_amount: 0 };
export const GRANTED = () => Response.json(RECEIPT, { status: 201 });
export const REPLAYED = () => Response.json(RECEIPT, { status: 201, headers: { "Idempotent-Replayed": "true" } });
export const LOST = () => Promise.reject(new TypeError("the connection was reset"));
export const HALF = () => new Response(`{"coupon_na`, { status: 201 });
export const AFTER = { "Retry-After": "2" };

export function refused(status: number, code: string, headers: Record<string, string> = {}) {
  return () => Response.json({ error: "a sentence", code, request_id: "r", claim: RECEIPT }, { status, headers });
}

export type Script = readonly (() => Response | Promise<Response>)[];

/** The options of a client whose requests get these answers, the last one for ever. Its clock moves only by waiting. */
export function scripted(script: Script, more: Partial<ClientOptions> = {}) {
  let now = 0;
  const sent: { url: string; headers: Headers; key: string | null; at: number }[] = [];
  const options: ClientOptions = {
    baseUrl: "https://sale.example/",
    token: "t",
    fetch: async (url, init) => {
      const headers = new Headers(init.headers);
      sent.push({ url, headers, key: headers.get("idempotency-key"), at: now });
      return (script[sent.length - 1] ?? script.at(-1) ?? LOST)();
    },
    now: () => now,
    sleep: async (ms) => void (now += ms),
    random: () => 0.5,
    ...more,
  };
  return { options, sent };
}
