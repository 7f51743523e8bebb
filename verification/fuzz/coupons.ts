// The coupons and users of a fuzz run: one in every state, so that most requests find something.

import { jsonRequest, type FuzzRequest } from "./request.ts";

const PAST = "2001-01-01T00:00:00Z";
const FUTURE = "2099-01-01T00:00:00Z";

/** A coupon that exists when the run begins, and again after it was deleted. */
type Stock = {
  readonly name: string;
  readonly amount: number;
  readonly window?: { readonly starts_at?: string; readonly ends_at?: string };
  readonly isPaused?: true;
  /** The first users claim so many units, and the next ones hold so many. */
  readonly claims?: number;
  readonly holds?: number;
};

function several(count: number, name: string, stock: Omit<Stock, "name">): Stock[] {
  return Array.from({ length: count }, (_, index) => ({ name: `fuzz-${name}-${index + 1}`, ...stock }));
}

const STOCK: readonly Stock[] = [
  ...several(8, "open", { amount: 400 }),
  ...several(4, "last", { amount: 6, claims: 4 }),
  ...several(4, "gone", { amount: 5, claims: 5 }),
  ...several(3, "ended", { amount: 10, window: { ends_at: PAST } }),
  ...several(3, "scheduled", { amount: 10, window: { starts_at: FUTURE } }),
  ...several(3, "paused", { amount: 10, claims: 2, isPaused: true }),
  ...several(4, "held", { amount: 8, claims: 2, holds: 4 }),
  // Names that are also routes, escapes or properties.
  ...["claim", "claims", "status", "a/b", "100%", "用户 🎉", "__proto__", "' OR 1=1 --", "a\\b"].map((name) => ({ name, amount: 50 })),
];

export const COUPON_NAMES = STOCK.map(({ name }) => name);
export const USER_IDS = Array.from({ length: 60 }, (_, index) => `user-${index + 1}`);
export const KEYS = Array.from({ length: 5 }, (_, index) => `key-${index + 1}`);

/** The requests that create them. A coupon that exists stays as it is, except for claims and holds. */
export function stockRequests(operator: string | undefined): FuzzRequest[] {
  const requests: FuzzRequest[] = [];
  for (const { name, amount, window = {}, isPaused, claims = 0, holds = 0 } of STOCK) {
    const at = `/api/coupons/${encodeURIComponent(name)}`;
    const holders = USER_IDS.slice(claims, claims + holds);
    requests.push(jsonRequest("POST", "/api/coupons", { name, amount, ...window }, operator));
    if (claims > 0) requests.push(jsonRequest("POST", `${at}/claims`, { user_ids: USER_IDS.slice(0, claims) }, operator));
    for (const user_id of holders) requests.push(jsonRequest("POST", `${at}/holds`, { user_id, ttl_seconds: 900 }, operator));
    if (isPaused === true) requests.push(jsonRequest("PATCH", at, { paused: true }, operator));
  }
  return requests;
}
