// The answers that a coupon owes at each step of a scenario, by the reference model.

import { isDeepStrictEqual } from "node:util";

import { answerOf } from "../faults/wire.ts";
import { follow, type Coupon } from "../model/coupon.ts";
import { differenceIn } from "../model/difference.ts";
import type { Answer, Call, Outcome } from "../model/types.ts";
import { judge, type Verdict } from "../model/judge.ts";
import { eventsFor } from "../model/reference.ts";
import type { FuzzAnswer } from "./request.ts";
import { isConditional, type Step } from "./scenario-steps.ts";
import { objectIn } from "./streams.ts";

export type ScenarioModel = {
  readonly name: string;
  coupon: Coupon | null;
  /** The ledger's head; 0 without a coupon. */
  seq: number;
  /** The latest entity tag, and the version of the coupon that it stands for. */
  tag: { readonly text: string; readonly version: string } | null;
  /** How often the coupon was created. */
  incarnations: number;
  /** Bulk claims so far. Each one without a key is an attempt of its own. */
  bulks: number;
};

export function newModel(name: string): ScenarioModel {
  return { name, coupon: null, seq: 0, tag: null, incarnations: 0, bulks: 0 };
}

/** Takes one step. Returns what is wrong with its answer, or null. */
export function follows(model: ScenarioModel, asked: Step, answer: FuzzAnswer): string | null {
  const fault = stepped(model, asked, answer);
  if (fault !== null) return fault;
  const seq = Number(answer.headers["coupon-seq"]);
  if (seq !== model.seq) return `Coupon-Seq is ${seq} instead of ${model.seq}`;
  const tag = answer.headers["etag"];
  if (typeof tag === "string" && asked.kind === "call") model.tag = { text: tag, version: versionOf(model) };
  return null;
}

function stepped(model: ScenarioModel, asked: Step, { status, headers, body: text }: FuzzAnswer): string | null {
  const { coupon, tag } = model;
  const body = objectIn(text) ?? {};
  const isCurrent = tag?.version === versionOf(model);
  if (asked.kind === "call") {
    if (coupon !== null && tag !== null && isConditional(asked) && !isCurrent) return differs({ code: "precondition_failed" }, body);
    const returned = answerOf(model.name, asked.call, { status, headers, body });
    return returned === null ? "the outcome is unknown" : judged(model, asked.call, returned);
  }
  if (coupon === null) return differs({ status: 404 }, { status });
  if (asked.kind === "list") return listed(coupon, asked, body);
  if (asked.kind === "bulk") return claimedInBulk(model, coupon, asked, body);
  if (isConditional(asked) && isCurrent) return differs({ status: 304 }, { status });
  const { state, amount, remaining } = judge(coupon, { kind: "read" }, null, coupon.at);
  return differs({ status: 200, state, amount, remaining_amount: remaining, seq: model.seq }, { ...body, status });
}

/** Compares an answer with the model's, and takes its event into the model. */
function judged(model: ScenarioModel, call: Call, returned: Answer, attempt: string | null = null): string | null {
  const before = model.coupon?.at ?? 0;
  const { createdAt, releasedAt, heldAt, claimedAt } = returned;
  // Changes return no instant.
  const at = (call.kind === "create" ? createdAt : (releasedAt ?? heldAt ?? claimedAt)) ?? before;
  const verdict = judge(model.coupon, call, attempt, at);
  const fault = differenceIn(returned, verdict);
  if (fault !== null || verdict.isEvent === undefined) return fault;
  if (at < before) return "its time went back";
  append(model, call, verdict, at, attempt);
  return null;
}

/** The incarnation and the ledger's head, as an entity tag identifies them. */
function versionOf({ incarnations, seq }: ScenarioModel): string {
  return `${incarnations} ${seq}`;
}

function append(model: ScenarioModel, call: Call, verdict: Verdict, at: number, attempt: string | null): void {
  for (const event of eventsFor(verdict, call, attempt, model.coupon, model.seq, at)) {
    model.coupon = follow(model.coupon, event, attempt, call.kind === "claim" ? call.key : null);
    model.seq = event.seq;
    if (event.kind === "created") model.incarnations += 1;
  }
}

function listed({ claims }: Coupon, { after, limit }: Step & { kind: "list" }, body: Readonly<Record<string, unknown>>): string | null {
  const behind = Array.from(claims.values()).filter(({ position }) => position > after);
  const page = behind.slice(0, limit);
  const next = behind.length > limit ? (page.at(-1)?.position ?? null) : null;
  const due = page.map(({ userId, position, claimedAt }) => [userId, position, claimedAt]);
  const returned = recordsIn(body["claims"]).map((claim) => [claim["user_id"], claim["position"], Date.parse(String(claim["claimed_at"]))]);
  return differs({ claims: due, next }, { claims: returned, next: body["next"] });
}

function claimedInBulk(
  model: ScenarioModel,
  coupon: Coupon,
  { userIds, key }: Step & { kind: "bulk" },
  body: Readonly<Record<string, unknown>>,
): string | null {
  model.bulks += 1;
  const attempt = `bulk ${key ?? `without a key ${model.bulks}`}`;
  const results = recordsIn(body["results"]);
  const before = coupon.claims.size;
  for (const [index, userId] of userIds.entries()) {
    const { user_id: returnedUser, outcome, position, claimed_at: claimedAt } = results[index] ?? {};
    const receipt = position === undefined ? {} : { position: Number(position), claimedAt: Date.parse(String(claimedAt)) };
    const returned = { is: (outcome === "granted" ? "claimed" : outcome) as Outcome, seq: 0, ...receipt };
    const fault =
      differs({ user_id: userId }, { user_id: returnedUser }) ?? judged(model, { kind: "claim", userId, key: null }, returned, attempt);
    if (fault !== null) return `for user ${index + 1}: ${fault}`;
  }
  const { remaining } = judge(coupon, { kind: "read" }, null, coupon.at);
  const due = { results: userIds.length, granted_count: coupon.claims.size - before, remaining_amount: remaining };
  return differs(due, { ...body, results: results.length });
}

function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as readonly Readonly<Record<string, unknown>>[]) : [];
}

/** The first field that differs, or null. */
function differs(due: Readonly<Record<string, unknown>>, returned: Readonly<Record<string, unknown>>): string | null {
  const wrong = Object.entries(due).find(([name, value]) => !isDeepStrictEqual(returned[name], value));
  return wrong === undefined ? null : `${wrong[0]} is ${JSON.stringify(returned[wrong[0]])} instead of ${JSON.stringify(wrong[1])}`;
}
