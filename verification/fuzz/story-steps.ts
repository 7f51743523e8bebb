// The steps of a story: what somebody asks of one coupon, how that is sent, and what its answer tells.

import * as fc from "fast-check";

import type { Call, Facts, Outcome } from "../history/history.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn } from "./streams.ts";

/** A call that the specification knows, or one that is made of several looks or claims. `isTagged` sends the entity tag seen last. */
export type Step =
  | { readonly kind: "call"; readonly call: Call; readonly isTagged: boolean }
  | { readonly kind: "bulk"; readonly userIds: readonly string[]; readonly key: string | null }
  | { readonly kind: "list"; readonly after: number; readonly limit: number }
  | { readonly kind: "status"; readonly isTagged: boolean };

/** What an answer tells. */
export type Told = Facts & { readonly is: Outcome | "precondition_failed" };

/** Shorter than a coupon allows, and longer. */
const TTLS_MS = [600_000, 600_000, 600_000, 3_600_000] as const;
const INSTANTS = [null, Date.UTC(2001, 0), Date.UTC(2002, 0), Date.UTC(2098, 0), Date.UTC(2099, 0)] as const;

const userId = fc.constantFrom("ann", "bob", "用户 🎉", "a/b");
const key = fc.constantFrom(null, null, "key-1", "key-2");
const instant = fc.constantFrom(...INSTANTS);

function call(arbitrary: fc.Arbitrary<Call>, weight: number): { weight: number; arbitrary: fc.Arbitrary<Step> } {
  return { weight, arbitrary: fc.record({ kind: fc.constant("call"), call: arbitrary, isTagged: fc.boolean() }) };
}

/** Creates the coupon, with a window that lasts. */
export const creation: fc.Arbitrary<Call> = fc
  .record({ kind: fc.constant("create"), amount: fc.integer({ min: 1, max: 4 }), ends: fc.constantFrom([null, null], ...windows()) })
  .map(({ kind, amount, ends: [startsAt, endsAt] }) => ({ kind, amount, startsAt, endsAt }));

function windows(): (readonly [number | null, number | null])[] {
  const pairs = INSTANTS.flatMap((startsAt) => INSTANTS.map((endsAt) => [startsAt, endsAt] as const));
  return pairs.filter(([startsAt, endsAt]) => startsAt === null || endsAt === null || startsAt < endsAt);
}

/** Any step. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  call(creation, 1),
  call(fc.record({ kind: fc.constant("claim"), userId, key }), 8),
  call(fc.record({ kind: fc.constant("hold"), userId, ttlMs: fc.constantFrom(...TTLS_MS) }), 4),
  call(fc.record({ kind: fc.constant("give_back"), userId }), 2),
  call(fc.record({ kind: fc.constant("end_holds") }), 1),
  call(fc.record({ kind: fc.constant("holds") }), 1),
  call(fc.record({ kind: fc.constant("release"), userId, position: fc.constantFrom(null, null, 1, 2, 3) }), 3),
  call(fc.record({ kind: fc.constant("own"), userId }), 2),
  call(fc.record({ kind: fc.constant("read") }), 2),
  call(fc.record({ kind: fc.constant("remove") }), 1),
  call(
    fc.record(
      {
        kind: fc.constant("change"),
        amount: fc.integer({ min: 1, max: 5 }),
        startsAt: instant,
        endsAt: instant,
        paused: fc.boolean(),
        holdSecondsMax: fc.constantFrom(300, 900, 7_200),
        holdsMax: fc.constantFrom(null, 1, 2),
      },
      { requiredKeys: ["kind"] },
    ),
    4,
  ),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("bulk"), userIds: fc.array(userId, { minLength: 1, maxLength: 5 }), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("list"), after: fc.nat(4), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("status"), isTagged: fc.boolean() }) },
);

/** How a step is sent to the coupon `name`; `tag` is the entity tag that was seen last. */
export function requestOf(asked: Step, name: string, operator: string | undefined, tag: string | null): FuzzRequest {
  const at = (...below: readonly string[]) => ["/api/coupons", ...[name, ...below].map(encodeURIComponent)].join("/");
  const headers: [string, string][] = operator === undefined ? [] : [["Authorization", `Bearer ${operator}`]];
  const sent = (method: string, target: string, value?: object): FuzzRequest => ({
    method,
    target,
    headers,
    body: value === undefined ? null : Buffer.from(JSON.stringify(value)).toString("latin1"),
  });
  if (asked.kind === "status") {
    if (asked.isTagged && tag !== null) headers.push(["If-None-Match", tag]);
    return sent("GET", at("status"));
  }
  if (asked.kind === "list") return sent("GET", `${at("claims")}?after=${asked.after}&limit=${asked.limit}`);
  const used = asked.kind === "bulk" ? asked.key : asked.call.kind === "claim" ? asked.call.key : null;
  if (used !== null) headers.push(["Idempotency-Key", used]);
  if (asked.kind === "bulk") return sent("POST", at("claims"), { user_ids: asked.userIds });
  switch (asked.call.kind) {
    case "create":
      return sent("POST", "/api/coupons", { name, amount: asked.call.amount, ...ends(asked.call) });
    case "change": {
      if (asked.isTagged && tag !== null) headers.push(["If-Match", tag]);
      const { amount, paused, holdSecondsMax, holdsMax } = asked.call;
      const limits = { hold_seconds_max: holdSecondsMax, holds_max: holdsMax };
      return sent("PATCH", at(), { amount, paused, ...ends(asked.call), ...limits });
    }
    case "claim":
      return sent("POST", "/api/coupons/claim", { user_id: asked.call.userId, coupon_name: name });
    case "hold":
      return sent("POST", at("holds"), { user_id: asked.call.userId, ttl_seconds: asked.call.ttlMs / 1000 });
    case "holds":
      return sent("GET", at("holds"));
    case "end_holds":
      return sent("DELETE", at("holds"));
    case "give_back":
      return sent("DELETE", at("holds", asked.call.userId));
    case "release":
      return sent("DELETE", at("claims", asked.call.userId) + (asked.call.position === null ? "" : `?position=${asked.call.position}`));
    case "own":
      return sent("GET", at("claims", asked.call.userId));
    case "remove":
      return sent("DELETE", at());
    default:
      return sent("GET", at());
  }
}

/** The ends of a window as they are sent; one that is left out is left out. */
function ends({ startsAt, endsAt }: { readonly startsAt?: number | null; readonly endsAt?: number | null }): object {
  return { starts_at: written(startsAt), ends_at: written(endsAt) };
}

function written(at: number | null | undefined): string | null | undefined {
  return typeof at === "number" ? new Date(at).toISOString() : at;
}

/** What the answer to a call tells. */
export function toldBy(asked: Call, { status, headers, body }: FuzzAnswer): Told {
  const fields = objectIn(body) ?? {};
  const { claim, code } = fields;
  const own = typeof claim === "object" && claim !== null ? (claim as Readonly<Record<string, unknown>>) : fields;
  return defined({
    is: status >= 400 ? (code as Outcome) : succeeded(asked, status, "idempotent-replayed" in headers, fields),
    amount: fields["amount"],
    paused: fields["paused"],
    state: fields["state"],
    remaining: fields["remaining_amount"],
    claimants: fields["claimed_by"],
    amountMin: fields["amount_min"],
    held: fields["held_amount"],
    holdSecondsMax: fields["hold_seconds_max"],
    holdsMax: fields["holds_max"],
    ttlSecondsMax: fields["ttl_seconds_max"],
    count: fields["ended_count"],
    holders: holdersIn(fields["holds"]),
    position: own["position"],
    startsAt: instantIn(fields["starts_at"]),
    endsAt: instantIn(fields["ends_at"]),
    createdAt: instantIn(fields["created_at"]),
    claimedAt: instantIn(own["claimed_at"]),
    heldAt: instantIn(fields["held_at"]),
    expiresAt: instantIn(fields["expires_at"]),
    releasedAt: instantIn(fields["released_at"]),
  }) as Told;
}

const SUCCESSES = {
  create: "created",
  change: "changed",
  remove: "removed",
  read: "found",
  claim: "claimed",
  hold: "held",
  give_back: "given_back",
  end_holds: "ended",
  holds: "listed",
  release: "released",
  own: "has_claim",
} as const satisfies Record<Call["kind"], Outcome>;

function succeeded({ kind }: Call, status: number, isReplay: boolean, fields: Readonly<Record<string, unknown>>): Outcome {
  if (kind === "claim" && isReplay) return "replayed";
  if (kind === "hold" && status === 200) return "held_already";
  if (kind === "own" && "held_at" in fields) return "has_hold";
  return SUCCESSES[kind];
}

function holdersIn(holds: unknown): unknown {
  return Array.isArray(holds) ? holds.map((held: { readonly user_id?: unknown }) => held.user_id) : holds;
}

function instantIn(text: unknown): unknown {
  return typeof text === "string" ? Date.parse(text) : text;
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
