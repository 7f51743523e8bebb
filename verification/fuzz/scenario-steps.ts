// The steps of a scenario: calls on one coupon, and their requests.

import * as fc from "fast-check";

import { requestOf, type Request } from "../faults/wire.ts";
import { TEXTS } from "../model/settings.ts";
import type { Call } from "../model/types.ts";
import { jsonRequest, type FuzzRequest } from "./request.ts";

/** A call of the reference model, or several claims or reads. `isTagged` sends the latest entity tag. */
export type Step =
  | { readonly kind: "call"; readonly call: Call; readonly isTagged: boolean }
  | { readonly kind: "bulk"; readonly userIds: readonly string[]; readonly key: string | null }
  | { readonly kind: "list"; readonly after: number; readonly limit: number }
  | { readonly kind: "status"; readonly isTagged: boolean };

/** The last one exceeds the default bound of a coupon. */
const TTLS_MS = [600_000, 600_000, 600_000, 3_600_000] as const;
const INSTANTS = [null, Date.UTC(2001, 0), Date.UTC(2002, 0), Date.UTC(2098, 0), Date.UTC(2099, 0)] as const;
const WINDOWS = INSTANTS.flatMap((startsAt) => INSTANTS.map((endsAt) => ({ startsAt, endsAt }))).filter(
  ({ startsAt, endsAt }) => startsAt === null || endsAt === null || startsAt < endsAt,
);

const userId = fc.constantFrom("ann", "bob", "用户 🎉", "a/b");
const key = fc.constantFrom(null, null, "key-1", "key-2");
const instant = fc.constantFrom(...INSTANTS);

function call(weight: number, arbitrary: fc.Arbitrary<Call>): { weight: number; arbitrary: fc.Arbitrary<Step> } {
  return { weight, arbitrary: fc.record({ kind: fc.constant("call"), call: arbitrary, isTagged: fc.boolean() }) };
}

export const creation: fc.Arbitrary<Call> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom({ startsAt: null, endsAt: null }, ...WINDOWS), fc.constantFrom({}, ...TEXTS))
  .map(([amount, { startsAt, endsAt }, texts]) => Object.assign({ kind: "create", amount, startsAt, endsAt } as const, texts));

const settings = fc.record(
  {
    amount: fc.integer({ min: 1, max: 5 }),
    startsAt: instant,
    endsAt: instant,
    paused: fc.boolean(),
    holdSecondsMax: fc.constantFrom(300, 900, 7_200),
    holdsMax: fc.constantFrom(null, 1, 2),
  },
  { requiredKeys: [] },
);
const change: fc.Arbitrary<Call> = fc
  .tuple(settings, fc.constantFrom({}, ...TEXTS))
  .map(([others, texts]) => Object.assign({ kind: "change" } as const, others, texts));

export const step: fc.Arbitrary<Step> = fc.oneof(
  call(1, creation),
  call(8, fc.record({ kind: fc.constant("claim"), userId, key })),
  call(4, fc.record({ kind: fc.constant("hold"), userId, ttlMs: fc.constantFrom(...TTLS_MS) })),
  call(2, fc.record({ kind: fc.constant("give_back"), userId })),
  call(4, fc.constantFrom({ kind: "end_holds" }, { kind: "holds" }, { kind: "read" }, { kind: "archive" }, { kind: "remove" })),
  call(3, fc.record({ kind: fc.constant("release"), userId, position: fc.constantFrom(null, null, 1, 2, 3) })),
  call(2, fc.record({ kind: fc.constant("own"), userId })),
  call(4, change),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("bulk"), userIds: fc.array(userId, { minLength: 1, maxLength: 5 }), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("list"), after: fc.nat(4), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("status"), isTagged: fc.boolean() }) },
);

/** The request of a step on the coupon `name`; `tag` is the latest entity tag. */
export function fuzzRequestOf(asked: Step, name: string, operator: string | undefined, tag: string | null): FuzzRequest {
  const { method, path, headers, body } = wireRequestOf(asked, name);
  const request = jsonRequest(method, path, body, operator);
  // The tag of a status is the one of the coupon without its claimants.
  const tags: [string, string][] = [];
  if (isConditional(asked) && tag !== null)
    tags.push(asked.kind === "status" ? ["If-None-Match", tag.replace("-claimants", "")] : ["If-Match", tag]);
  return { ...request, headers: [...request.headers, ...Object.entries(headers), ...tags] };
}

/** Whether a step sends the latest entity tag. */
export function isConditional(asked: Step): boolean {
  return (asked.kind === "status" || (asked.kind === "call" && asked.call.kind === "change")) && asked.isTagged;
}

function wireRequestOf(asked: Step, name: string): Request {
  if (asked.kind === "call") return requestOf(name, asked.call);
  const coupon = `/api/coupons/${encodeURIComponent(name)}`;
  const get = { method: "GET", headers: {}, body: null } as const;
  if (asked.kind === "status") return { ...get, path: `${coupon}/status` };
  if (asked.kind === "list") return { ...get, path: `${coupon}/claims?after=${asked.after}&limit=${asked.limit}` };
  const headers: Record<string, string> = asked.key === null ? {} : { "Idempotency-Key": asked.key };
  return { method: "POST", path: `${coupon}/claims`, headers, body: { user_ids: asked.userIds } };
}
