// A call as an HTTP request, and an HTTP answer as the answer of a history.

import type { Answer, Call, Facts, Outcome, Settings } from "../history/history.ts";

export type Request = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
};

export type Heard = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/** The request for a call about the coupon `name`; a read of its small snapshot where `isStatus`. */
export function requestOf(name: string, call: Call, isStatus = false): Request {
  const coupon = `/api/coupons/${encodeURIComponent(name)}`;
  switch (call.kind) {
    case "create":
      return request("POST", "/api/coupons", { name, ...settingsOf(call) });
    case "change":
      return request("PATCH", coupon, settingsOf(call));
    case "claim": {
      const headers: Record<string, string> = call.key === null ? {} : { "idempotency-key": call.key };
      return request("POST", "/api/coupons/claim", { user_id: call.userId, coupon_name: name }, headers);
    }
    case "hold":
      return request("POST", `${coupon}/holds`, { user_id: call.userId, ttl_seconds: call.ttlMs / 1000 });
    case "give_back":
      return request("DELETE", `${coupon}/holds/${encodeURIComponent(call.userId)}`);
    case "release": {
      const guard = call.position === null ? "" : `?position=${call.position}`;
      return request("DELETE", `${coupon}/claims/${encodeURIComponent(call.userId)}${guard}`);
    }
    case "own":
      return request("GET", `${coupon}/claims/${encodeURIComponent(call.userId)}`);
    case "remove":
      return request("DELETE", coupon);
    default:
      return request("GET", isStatus ? `${coupon}/status` : coupon);
  }
}

function request(method: Request["method"], path: string, body: Request["body"] = null, headers: Request["headers"] = {}): Request {
  return { method, path, body, headers };
}

function settingsOf({ amount, startsAt, endsAt, paused }: Partial<Settings>): Record<string, unknown> {
  const all = { amount, starts_at: written(startsAt), ends_at: written(endsAt), paused };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function written(at: number | null | undefined): string | null | undefined {
  return typeof at === "number" ? new Date(at).toISOString() : at;
}

const SUCCESSES = {
  create: { 201: "created" },
  change: { 200: "changed" },
  claim: { 201: "claimed" },
  hold: { 201: "held", 200: "held_already" },
  give_back: { 204: "given_back" },
  release: { 200: "released" },
  own: { 200: "has_claim" },
  read: { 200: "found" },
  remove: { 204: "removed" },
} as const satisfies Record<Call["kind"], Readonly<Record<number, Outcome>>>;

/** What was told, or null where the server itself does not know. What is no answer to this call keeps its status as its name. */
export function answerOf(name: string, call: Call, { status, headers, body }: Heard): Answer | null {
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

function isAboutUser(call: Call, body: Heard["body"]): boolean {
  return !("userId" in call) || (body["user_id"] ?? call.userId) === call.userId;
}

function namedOutcome(success: Outcome, headers: Heard["headers"], body: Heard["body"]): Outcome {
  if (success === "claimed" && headers["idempotent-replayed"] === "true") return "replayed";
  return success === "has_claim" && body["expires_at"] !== undefined ? "has_hold" : success;
}

function refusalFacts(body: Heard["body"]): Facts {
  const { claim, starts_at: startsAt, amount_min: amountMin } = body;
  return {
    ...(typeof claim === "object" && claim !== null ? receiptFacts(claim as Heard["body"]) : {}),
    ...(startsAt === undefined ? {} : { startsAt: instant(startsAt) }),
    ...(amountMin === undefined ? {} : { amountMin: Number(amountMin) }),
  };
}

/** What each success has to show. What is missing becomes NaN, or a word that nothing equals. */
function successFacts(call: Call, body: Heard["body"]): Facts & { at?: number } {
  const remaining = Number(body["remaining_amount"]);
  switch (call.kind) {
    case "create":
    case "read":
      return { ...viewFacts(body), ...claimantsIn(body), remaining };
    case "change":
      return { ...viewFacts(body), remaining };
    case "claim":
      return { ...receiptFacts(body), remaining };
    case "hold":
      return { ...holdFacts(body), remaining };
    case "release":
      return { ...receiptFacts(body), releasedAt: instant(body["released_at"]), remaining };
    case "own":
      return body["expires_at"] === undefined ? receiptFacts(body) : holdFacts(body);
    default:
      return {};
  }
}

function viewFacts(body: Heard["body"]): Facts & { at?: number } {
  const view = {
    amount: Number(body["amount"]),
    state: String(body["state"]),
    startsAt: instantOrNull(body["starts_at"]),
    endsAt: instantOrNull(body["ends_at"]),
  };
  if (body["server_time"] !== undefined) return { ...view, at: instant(body["server_time"]) };
  return { ...view, paused: body["paused"] === true, createdAt: instant(body["created_at"]) };
}

/** The operator is shown the claimants of a coupon, unless it is the small snapshot. */
function claimantsIn({ server_time: isSnapshot, claimed_by: claimedBy }: Heard["body"]): Facts {
  if (isSnapshot !== undefined) return {};
  return { claimants: Array.isArray(claimedBy) ? (claimedBy as string[]) : ["(nobody was told)"] };
}

function receiptFacts({ position, claimed_at: claimedAt }: Heard["body"]): Facts {
  return { position: Number(position), claimedAt: instant(claimedAt) };
}

function holdFacts({ held_at: heldAt, expires_at: expiresAt }: Heard["body"]): Facts {
  return { heldAt: instant(heldAt), expiresAt: instant(expiresAt) };
}

function instant(value: unknown): number {
  return Date.parse(String(value));
}

function instantOrNull(value: unknown): number | null {
  return value === null ? null : instant(value);
}
