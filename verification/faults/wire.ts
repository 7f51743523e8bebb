// A call as an HTTP request, and an HTTP answer as the answer of a history.

import { isPseudonym } from "../model/pseudonym.ts";
import { byName, fromNames } from "../model/settings.ts";
import type { Answer, Call, Facts, Outcome } from "../model/types.ts";

export type Request = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/**
 * The request for a call about the coupon `name`. A read is the operator's, because a public view may be a
 * second old.
 */
export function requestOf(name: string, call: Call): Request {
  const coupon = `/api/coupons/${encodeURIComponent(name)}`;
  switch (call.kind) {
    case "create":
      return request("POST", "/api/coupons", { name, ...byName(call, written) });
    case "change":
      return request("PATCH", coupon, byName(call, written));
    case "claim": {
      const headers: Record<string, string> = call.key === null ? {} : { "idempotency-key": call.key };
      return request("POST", "/api/coupons/claim", { user_id: call.userId, coupon_name: name }, headers);
    }
    case "hold":
      return request("POST", `${coupon}/holds`, { user_id: call.userId, ttl_seconds: call.ttlMs / 1000 });
    case "holds":
      return request("GET", `${coupon}/holds`);
    case "end_holds":
      return request("DELETE", `${coupon}/holds`);
    case "give_back":
      return request("DELETE", `${coupon}/holds/${encodeURIComponent(call.userId)}`);
    case "release": {
      const guard = call.position === null ? "" : `?position=${call.position}`;
      return request("DELETE", `${coupon}/claims/${encodeURIComponent(call.userId)}${guard}`);
    }
    case "own":
      return request("GET", `${coupon}/claims/${encodeURIComponent(call.userId)}`);
    case "erase":
      return request("DELETE", `/api/users/${encodeURIComponent(call.userId)}?coupon=${encodeURIComponent(name)}`);
    case "archive":
      return request("POST", `${coupon}/archive`);
    case "remove":
      return request("DELETE", coupon);
    default:
      return request("GET", coupon);
  }
}

function request(method: Request["method"], path: string, body: Request["body"] = null, headers: Request["headers"] = {}): Request {
  return { method, path, body, headers };
}

function written(value: unknown, field: string): unknown {
  return field.endsWith("At") && typeof value === "number" ? new Date(value).toISOString() : value;
}

function readSetting(value: unknown, field: string): unknown {
  if (value === undefined) return NaN;
  return field.endsWith("At") && value !== null ? instant(value) : value;
}

const SUCCESSES = {
  create: { 201: "created" },
  change: { 200: "changed" },
  claim: { 201: "claimed" },
  hold: { 201: "held", 200: "held_already" },
  holds: { 200: "listed" },
  end_holds: { 200: "ended" },
  give_back: { 204: "given_back" },
  release: { 200: "released" },
  own: { 200: "has_claim" },
  read: { 200: "found" },
  erase: { 200: "erased" },
  restore: { 201: "restored" },
  archive: { 200: "archived" },
  remove: { 204: "removed" },
} as const satisfies Record<Call["kind"], Readonly<Record<number, Outcome>>>;

/**
 * The answer of a response, or null if the server does not know the outcome. A status that is wrong for this
 * call becomes the outcome.
 */
export function answerOf(name: string, call: Call, { status, headers, body }: HttpAnswer): Answer | null {
  if (body["code"] === "outcome_unknown") return null;
  const seq = Number(headers["coupon-seq"] ?? -1);
  const success = (SUCCESSES[call.kind] as Readonly<Record<number, Outcome>>)[status];
  if (success === undefined) {
    const is = (typeof body["code"] === "string" ? body["code"] : `status_${status}`) as Outcome;
    return { is, seq, ...refusalFacts(body), ...(headers["served-by"] === "edge" ? { servedByEdge: true as const } : {}) };
  }
  const isAboutIt = (body["name"] ?? body["coupon_name"] ?? name) === name && isAboutUser(call, body);
  const is = isAboutIt ? namedOutcome(success, headers, body) : ("about_another" as Outcome);
  return { is, seq, ...successFacts(call, body) };
}

function isAboutUser(call: Call, body: HttpAnswer["body"]): boolean {
  const named = body["user_id"];
  return !("userId" in call) || typeof named !== "string" || named === call.userId || isPseudonym(named);
}

function namedOutcome(success: Outcome, headers: HttpAnswer["headers"], body: HttpAnswer["body"]): Outcome {
  if (success === "claimed" && headers["idempotent-replayed"] === "true") return "replayed";
  return success === "has_claim" && body["expires_at"] !== undefined ? "has_hold" : success;
}

function refusalFacts(body: HttpAnswer["body"]): Facts {
  const { claim, starts_at: startsAt, amount_min: amountMin, ttl_seconds_max: ttlSecondsMax } = body;
  return {
    ...(typeof claim === "object" && claim !== null ? receiptFacts(claim as HttpAnswer["body"]) : {}),
    ...(startsAt === undefined ? {} : { startsAt: instant(startsAt) }),
    ...(amountMin === undefined ? {} : { amountMin: Number(amountMin) }),
    ...(ttlSecondsMax === undefined ? {} : { ttlSecondsMax: Number(ttlSecondsMax) }),
  };
}

/** The facts that each success must show. A missing fact becomes NaN, or a text that equals nothing. */
function successFacts(call: Call, body: HttpAnswer["body"]): Facts {
  const remaining = Number(body["remaining_amount"]);
  switch (call.kind) {
    case "create":
    case "read":
      return { ...viewFacts(body), ...claimantsIn(body), remaining };
    case "change":
    case "archive":
      return { ...viewFacts(body), remaining };
    case "claim":
      return { ...receiptFacts(body), remaining };
    case "hold":
      return { ...holdFacts(body), remaining };
    case "holds":
      return { holders: holdersIn(body["holds"]) };
    case "end_holds":
      return { count: Number(body["ended_count"]), remaining };
    case "release":
      return { ...receiptFacts(body), releasedAt: instant(body["released_at"]), remaining };
    case "own":
      return body["expires_at"] === undefined ? receiptFacts(body) : holdFacts(body);
    default:
      return {};
  }
}

function viewFacts(body: HttpAnswer["body"]): Facts {
  return {
    ...fromNames(body, readSetting),
    state: String(body["state"]),
    held: Number(body["held_amount"]),
    createdAt: instant(body["created_at"]),
  };
}

function holdersIn(holds: unknown): readonly string[] {
  return Array.isArray(holds) ? holds.map((one: { readonly user_id?: unknown }) => String(one.user_id)) : ["(no list)"];
}

/** An operator sees the claimants of a coupon. */
function claimantsIn({ claimed_by: claimedBy }: HttpAnswer["body"]): Facts {
  return { claimants: Array.isArray(claimedBy) ? (claimedBy as string[]) : ["(no claimants)"] };
}

function receiptFacts({ position, claimed_at: claimedAt, user_id: userId }: HttpAnswer["body"]): Facts {
  return { position: Number(position), claimedAt: instant(claimedAt), isHidden: isPseudonym(String(userId)) };
}

function holdFacts({ held_at: heldAt, expires_at: expiresAt }: HttpAnswer["body"]): Facts {
  return { heldAt: instant(heldAt), expiresAt: instant(expiresAt) };
}

function instant(value: unknown): number {
  return Date.parse(String(value));
}
