// The clients: they ask, note what they were told, and ask again where nobody could tell them.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX } from "../../src/domain/limits.ts";
import type { Cursor } from "../../src/domain/messages.ts";
import type { CallFailure } from "../../src/edge/coupon-calls.ts";
import type { RefusedAtEdge } from "../../src/edge/sold-out.ts";
import type { Answer, Call, Operation } from "../history/history.ts";
import type { Result } from "./answers.ts";
import { Certificates } from "./certificates.ts";
import { nameOf, reword, type Recorded, type Request } from "./network.ts";
import { NOBODY, T0, type Ask, type AskStep } from "./plan.ts";
import type { Remembered, Routes, Told } from "./routes.ts";
import type { Scene } from "./scene.ts";

/** An answer of which a history has no word, kept to be checked by itself. */
export type Look = {
  readonly ask: Ask;
  readonly result: Result | Pick<RefusedAtEdge, "ok" | "code" | "seq">;
  readonly life: number;
  /** What came with it: the entity tag of a change, and where a page was to begin. */
  readonly remembered: Remembered;
  /** When the Worker refused by itself; null where the object answered. */
  readonly refusedAt: number | null;
};

const NOTHING: Remembered = { ifMatch: null, cursor: { position: 0, seq: 0, epoch: null } };
const CLIENTS = ["client 0", "client 1", "client 2", "client 3"] as const;

/** What the clients of one history saw, and what the object was asked. */
export class Clients {
  readonly #scene: Scene;
  readonly #routes: Routes;
  /** What clients asked, and what they were told. */
  readonly told: Recorded[] = [];
  /** Messages that were sent beside those that were told of: each can have done the same. */
  readonly repeated: Recorded[] = [];
  /** What reached the object, each delivery by itself. */
  readonly delivered: Recorded[] = [];
  readonly looks: Look[] = [];
  /** Whether every request so far was delivered once, and told what the object answered to it. */
  areToldAsIs = true;
  /** Requests that nobody has answered yet. */
  openCount = 0;
  repeatCount = 0;
  /** Answers that the Worker gave by itself. */
  edgeCount = 0;
  readonly outcomes: string[] = [];
  readonly #certificates = new Certificates();
  readonly #tags = new Map<number, string>();
  readonly #cursors = new Map<number, Cursor>();
  #requests = 0;

  constructor(scene: Scene, routes: Routes) {
    this.#scene = scene;
    this.#routes = routes;
  }

  /** What clients were told, with the object's clock anywhere between the most that it was behind theirs and ahead of it. */
  byTheObjectsClock(skewMsMin: number, skewMsMax: number): Operation[] {
    return [...this.told, ...this.repeated].map((operation) => {
      const { clockFrom, clockUntil } = operation;
      const until = clockUntil === null ? null : clockUntil + skewMsMax;
      return Object.assign({}, operation, { clockFrom: clockFrom + skewMsMin, clockUntil: until });
    });
  }

  /** Asks, and then as often again as the client is patient. */
  ask(step: AskStep, repeats = 0): void {
    const { scheduler } = this.#scene;
    const number = (this.#requests += 1);
    const client = CLIENTS[step.client] ?? "a client";
    const attempt = `a${number}`;
    const calls = callsOf(step.ask);
    const remembered = this.#remembered(step);
    const { ifMatch } = remembered;
    const told = calls.map((call) => recorded(call, client, attempt));
    const startedAt = scheduler.stamp();
    for (const operation of told) {
      operation.startedAt = startedAt;
      operation.clockFrom = T0 + scheduler.now;
    }
    this.told.push(...told);
    this.openCount += 1;
    const request: Request = {
      ask: step.ask,
      fates: repeats === 0 ? step.fates : [],
      client,
      number,
      record: () => {
        const operations = calls.map((call) => recorded(call, client, attempt));
        this.delivered.push(...operations);
        return operations;
      },
      answered: (result, answers) => this.#look(step, result, answers, remembered),
      sentCount: 0,
      messageCount: 0,
      heard: null,
      lastFailure: null,
      sentAt: scheduler.now,
    };
    this.#scene.tell?.(`${nameOf(request)}: ${askText(step.ask)}${ifMatch === null ? "" : ` if it is ${ifMatch}`}`);
    this.#routes.send(step, request, attempt, remembered).then(
      (result) => this.#hear(step, request, told, attempt, result, repeats),
      (cause: unknown) => this.#scene.breach("exception", `the Worker threw at ${nameOf(request)}: ${String(cause)}`),
    );
  }

  #remembered({ ask, client }: AskStep): Remembered {
    const ifMatch = ask.kind === "change" && ask.isGuarded ? (this.#tags.get(client) ?? "*") : null;
    const position = ask.kind === "page" ? ask.after : 0;
    const next = ask.kind === "page" && ask.isGoingOn ? this.#cursors.get(client) : undefined;
    return { ifMatch, cursor: next ?? { position, seq: 0, epoch: null } };
  }

  #hear(step: AskStep, request: Request, told: readonly Recorded[], attempt: string, result: Told, repeats: number): void {
    const { scheduler, digest, tell } = this.#scene;
    this.openCount -= 1;
    const word = result.ok ? "ok" : result.code;
    this.outcomes.push(word);
    digest.add(scheduler.now);
    digest.addText(word);
    tell?.(`${nameOf(request)} is told ${word}${"servedBy" in result ? " by the Worker itself" : ""}`);
    const answers = this.#answersTo(request, result, step.isolate);
    this.#noteRepeats(request, told);
    if (request.messageCount !== 1 || request.heard === null) this.areToldAsIs = false;
    const endedAt = scheduler.stamp();
    for (const [index, operation] of told.entries()) {
      const answer = answers?.[index] ?? answers?.[0] ?? null;
      operation.answer = answer === null ? null : ofOwnAttempt(answer, operation, result, attempt);
      if (!result.ok) reword(operation, result.code);
      operation.endedAt = answer === null ? null : endedAt;
      operation.clockUntil = answer === null ? null : T0 + scheduler.now;
    }
    if ("coupon" in result) this.#tags.set(step.client, tagOf(result.coupon));
    if ("next" in result && result.next !== null) this.#cursors.set(step.client, result.next);
    const isUnclear = !result.ok && (result.code === "outcome_unknown" || result.code === "unavailable");
    if (!isUnclear || repeats >= step.patience) return;
    this.repeatCount += 1;
    this.openCount += 1;
    scheduler.after(step.patienceMs, () => {
      this.openCount -= 1;
      this.ask(step, repeats + 1);
    });
  }

  #noteRepeats(request: Request, told: readonly Recorded[]): void {
    const { ask, messageCount } = request;
    if (messageCount <= 1) return;
    if (!mayBeRepeated(ask)) this.#scene.breach("once", `${nameOf(request)} was sent ${messageCount} times`);
    for (let count = 1; count < messageCount; count += 1) this.repeated.push(...told.map((operation) => ({ ...operation })));
  }

  /** What was told, in the words of a history; null where the outcome is unknown. */
  #answersTo(request: Request, result: Told, isolate: number): readonly Answer[] | null {
    if ("servedBy" in result) {
      const life = this.#refused(result, isolate, request);
      return life === null ? null : [{ is: result.code, seq: result.seq, servedByEdge: true, life }];
    }
    if ("cause" in result) {
      const fault = failureFault(request, result, this.#scene.scheduler.now);
      if (fault !== null) this.#scene.breach("failure", `${nameOf(request)} ${fault}`);
      return result.code === "unavailable" ? [{ is: "unavailable", seq: 0 }] : null;
    }
    // What is told has to be what the object said, to the last attempt that was heard.
    const { heard } = request;
    if (heard?.result === result) {
      this.#certificates.hear(isolate, request.ask, result, heard.answers[0]?.life ?? null);
      return heard.answers;
    }
    this.#scene.breach("answer", `${nameOf(request)} is told what the object never answered: ${JSON.stringify(result)}`);
    return null;
  }

  /** An isolate refused by itself. Answers the life that it meant, null where that can't be told. */
  #refused({ ok, code, seq }: RefusedAtEdge, isolate: number, { ask }: Request): number | null {
    this.edgeCount += 1;
    const fault = this.#certificates.refuse(isolate, ask, seq);
    if (fault !== null) this.#scene.breach("edge", fault);
    const life = this.#certificates.lifeAt(isolate, seq);
    const refusedAt = T0 + this.#scene.scheduler.now;
    this.looks.push({ ask, result: { ok, code, seq }, life: life ?? 0, remembered: NOTHING, refusedAt });
    return life;
  }

  /** Answers for which a history has no words. */
  #look({ ask }: AskStep, result: Result, answers: readonly Answer[], remembered: Remembered): void {
    if (
      ask.kind === "claim" &&
      ask.userId === NOBODY &&
      (result.ok || (result.code !== "invalid_request" && result.code !== "unavailable"))
    )
      this.#scene.breach("object", "a claim of nobody was judged");
    if (ask.kind !== "page" && ask.kind !== "metrics" && remembered.ifMatch === null) return;
    this.looks.push({ ask, result, life: answers[0]?.life ?? 0, remembered, refusedAt: null });
  }
}

/** Why the Worker may not have failed so: what passes by itself is tried again while there is time, unless that does harm. */
function failureFault({ ask, lastFailure, sentCount, heard, sentAt }: Request, { code }: CallFailure, now: number): string | null {
  if (code === "internal_error" && lastFailure !== "own_code") return "is told internal_error, and the object's code threw nothing";
  const isPassing = lastFailure === "retryable" || lastFailure === "reset";
  const isHeard = heard !== null && !heard.result.ok && heard.result.code === "unavailable";
  if (!isPassing || isHeard || !mayBeRepeated(ask) || sentCount > CALL_RETRIES_MAX || now - sentAt >= CALL_DEADLINE_MS) return null;
  return `is given up after ${sentCount} attempts`;
}

/** Whether it does no harm to send an ask more than once. */
function mayBeRepeated(ask: Ask): boolean {
  if (ask.kind === "change") return !ask.isGuarded;
  if (ask.kind === "release") return ask.position !== null;
  return ask.kind !== "create" && ask.kind !== "remove" && ask.kind !== "give_back";
}

/** The operations that an ask is counted as. */
function callsOf(ask: Ask): Call[] {
  switch (ask.kind) {
    case "claim":
      return ask.userId === NOBODY ? [] : [ask];
    case "claim_many":
      return ask.userIds.map((userId) => ({ kind: "claim", userId, key: null }));
    case "page":
    case "metrics":
      return [{ kind: "read" }];
    case "change": {
      const { isGuarded: _isGuarded, ...call } = ask;
      return [call];
    }
    default:
      return [ask];
  }
}

function recorded(call: Call, client: string, attempt: string): Recorded {
  return { call, client, startedAt: 0, endedAt: null, clockFrom: 0, clockUntil: null, attempt, answer: null };
}

/** To the client it is no replay where the Worker's own retry found what its first attempt had done. */
function ofOwnAttempt(answer: Answer, { call }: Operation, result: Told, attempt: string): Answer {
  if (answer.is !== "replayed" || call.kind !== "claim" || !result.ok) return answer;
  const claims = "results" in result ? result.results : [result];
  const isOwn = claims.some((one) => "claim" in one && one.claim?.userId === call.userId && one.claim.attemptId === attempt);
  return isOwn ? { ...answer, is: "claimed" } : answer;
}

/** The entity tag of a coupon, as the documentation of the API has it. */
function tagOf({ epoch, seq, state }: { readonly epoch: string; readonly seq: number; readonly state: string }): string {
  return `"${epoch.slice(0, 8)}-${seq}-${state}"`;
}

/** An ask in words. */
export function askText({ kind, ...asked }: Ask): string {
  const facts = Object.entries(asked).filter(([, value]) => value !== null && value !== false);
  return [kind, ...facts.map(([name, value]) => `${name}=${said(name, value)}`)].join(" ");
}

function said(name: string, value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  return typeof value === "number" && name.endsWith("At") ? `${value - T0} ms` : String(value);
}
