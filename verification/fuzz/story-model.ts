// What a coupon has to tell at each step of a story, by the specification that histories are judged by.

import { isDeepStrictEqual } from "node:util";

import { follow, HOLD_LIMITS, type Coupon } from "../history/coupon.ts";
import type { Call, EventKind, LedgerEvent } from "../history/history.ts";
import { changed, judge, type Verdict } from "../history/specification.ts";
import type { FuzzAnswer } from "./request.ts";
import { toldBy, type Step, type Told } from "./story-steps.ts";
import { objectIn } from "./streams.ts";

export type StoryModel = {
  coupon: Coupon | null;
  /** The ledger's head; 0 without a coupon. */
  seq: number;
  /** The entity tag seen last, and the life and the seq of the coupon that it stands for. */
  tag: { readonly text: string; readonly names: string } | null;
  /** How often the coupon was created. */
  lives: number;
  /** Bulk claims so far: one without a key is an attempt of its own. */
  bulks: number;
};

export function newModel(): StoryModel {
  return { coupon: null, seq: 0, tag: null, lives: 0, bulks: 0 };
}

/** Takes one step, and answers what is wrong with what was told, or null. */
export function follows(model: StoryModel, asked: Step, answer: FuzzAnswer): string | null {
  const fault = stepped(model, asked, answer);
  if (fault !== null) return fault;
  const seq = Number(answer.headers["coupon-seq"]);
  if (seq !== model.seq) return `Coupon-Seq is ${seq} and not ${model.seq}`;
  const tag = answer.headers["etag"];
  if (typeof tag === "string" && asked.kind === "call") model.tag = { text: tag, names: named(model) };
  return null;
}

function stepped(model: StoryModel, asked: Step, answer: FuzzAnswer): string | null {
  if (asked.kind === "call") return called(model, asked.call, asked.isTagged, toldBy(asked.call, answer));
  if (model.coupon === null) return differs({ status: 404 }, { status: answer.status });
  const body = objectIn(answer.body) ?? {};
  switch (asked.kind) {
    case "status": {
      const isKnown = asked.isTagged && model.tag?.names === named(model);
      const { state, amount, remaining } = judge(model.coupon, { kind: "read" }, null, model.coupon.at);
      const status = isKnown ? 304 : 200;
      return differs({ status, state, amount, remaining_amount: remaining, seq: model.seq }, { ...body, status: answer.status });
    }
    case "list":
      return listed(model.coupon, asked, body);
    default:
      return claimedInBulk(model, asked, body);
  }
}

function called(model: StoryModel, asked: Call, isTagged: boolean, told: Told): string | null {
  const isStale = asked.kind === "change" && isTagged && model.tag !== null && model.tag.names !== named(model);
  if (isStale && model.coupon !== null) return differs({ is: "precondition_failed" }, told);
  const at = instantOf(asked, told) ?? model.coupon?.at ?? 0;
  const key = asked.kind === "claim" ? asked.key : null;
  const { isEvent, ...verdict } = judge(model.coupon, asked, null, at);
  const fault = differs(verdict, told);
  if (fault !== null || isEvent === undefined) return fault;
  if (at < (model.coupon?.at ?? 0)) return "its time went back";
  happened(model, asked, verdict, at, null, key);
  return null;
}

/** When a call happened, where its answer says; a change does not. */
function instantOf({ kind }: Call, { createdAt, releasedAt, heldAt, claimedAt }: Told): number | undefined {
  return kind === "create" ? createdAt : (releasedAt ?? heldAt ?? claimedAt);
}

/** What has to be told but is not: what an answer does not show is not asked for, but how it ended always is. */
function differs(expected: object, told: object): string | null {
  const facts = told as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(expected).find(
    ([name, value]) => (name in facts || name === "is" || name === "status") && !isDeepStrictEqual(facts[name], value),
  );
  return wrong === undefined ? null : `told ${wrong[0]} ${JSON.stringify(facts[wrong[0]])} and not ${JSON.stringify(wrong[1])}`;
}

/** The life and the ledger's head: what an entity tag stands for. */
function named({ lives, seq }: StoryModel): string {
  return `${lives} ${seq}`;
}

function happened(
  model: StoryModel,
  asked: Call,
  { is, expiresAt }: Verdict,
  at: number,
  attempt: string | null,
  key: string | null,
): void {
  if (is === "ended") {
    for (const userId of model.coupon?.holds.keys() ?? [])
      happened(model, { kind: "give_back", userId }, { is: "given_back" }, at, attempt, null);
    return;
  }
  const settings =
    asked.kind === "create"
      ? { ...HOLD_LIMITS, ...asked, paused: false }
      : asked.kind === "change" && model.coupon !== null
        ? changed(model.coupon.settings, asked)
        : undefined;
  const event: LedgerEvent = {
    // Where a verdict is an event, the event's kind is the outcome.
    kind: is as EventKind,
    seq: model.seq + 1,
    at,
    userId: "userId" in asked ? asked.userId : null,
    position: null,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(settings === undefined ? {} : { settings }),
  };
  model.coupon = follow(model.coupon, event, attempt, key);
  model.seq = is === "created" ? 1 : is === "removed" ? 0 : model.seq + 1;
  if (is === "created") model.lives += 1;
}

function listed({ claims }: Coupon, { after, limit }: Step & { kind: "list" }, body: Readonly<Record<string, unknown>>): string | null {
  const behind = Array.from(claims.values()).filter(({ position }) => position > after);
  const page = behind.slice(0, limit);
  const told = Array.isArray(body["claims"]) ? (body["claims"] as readonly Readonly<Record<string, unknown>>[]) : [];
  const next = behind.length > limit ? (page.at(-1)?.position ?? null) : null;
  return differs(
    { claims: page.map(({ userId, position, claimedAt }) => [userId, position, claimedAt]), next },
    {
      claims: told.map((claim) => [claim["user_id"], claim["position"], Date.parse(String(claim["claimed_at"]))]),
      next: body["next"],
    },
  );
}

function claimedInBulk(
  model: StoryModel,
  { userIds, key }: Step & { kind: "bulk" },
  body: Readonly<Record<string, unknown>>,
): string | null {
  model.bulks += 1;
  const attempt = `bulk ${key ?? `without a key ${model.bulks}`}`;
  const results = Array.isArray(body["results"]) ? (body["results"] as readonly Readonly<Record<string, unknown>>[]) : [];
  let granted = 0;
  for (const [index, userId] of userIds.entries()) {
    const told = results[index] ?? {};
    const call = { kind: "claim", userId, key: null } as const;
    const at = typeof told["claimed_at"] === "string" ? Date.parse(told["claimed_at"]) : (model.coupon?.at ?? 0);
    const { isEvent, ...verdict } = judge(model.coupon, call, attempt, at);
    const { is, position, claimedAt } = verdict;
    const own = is === "claim_released" || position === undefined ? {} : { position, claimedAt };
    const fault = differs({ userId, is, ...own }, bulkTold(told));
    if (fault !== null) return `for user ${index + 1}: ${fault}`;
    if (isEvent === undefined) continue;
    granted += 1;
    happened(model, call, verdict, at, attempt, null);
  }
  const { remaining } = model.coupon === null ? {} : judge(model.coupon, { kind: "read" }, null, model.coupon.at);
  return differs({ results: userIds.length, granted_count: granted, remaining_amount: remaining }, { ...body, results: results.length });
}

function bulkTold({ user_id: userId, outcome, position, claimed_at: claimedAt }: Readonly<Record<string, unknown>>): object {
  const is = outcome === "granted" ? "claimed" : outcome;
  return { userId, is, ...(position === undefined ? {} : { position, claimedAt: Date.parse(String(claimedAt)) }) };
}
