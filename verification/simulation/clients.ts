// The clients: they send HTTP requests to the Worker's isolates, record the answers, and retry where the
// outcome is unknown.

import { answerOf, type HttpAnswer } from "../faults/wire.ts";
import type { Operation } from "../history/history.ts";
import type { Answer } from "../model/types.ts";
import { Backups, type Part } from "./backups.ts";
import { runFor, type Context } from "./context.ts";
import { unanswered } from "./deliveries.ts";
import type { Isolates } from "./isolates.ts";
import { nameOf, type Network, type Recorded, type Request as Sent } from "./network.ts";
import { callsOf, failureFault, mayBeRepeated } from "./outcomes.ts";
import { T0, type AskStep } from "./plan.ts";
import type { App } from "./product.ts";
import { askText, httpRequestOf } from "./requests.ts";
import { Stub } from "./stub.ts";
import { viewAnswer } from "./views.ts";

const CLIENTS = ["client 0", "client 1", "client 2", "client 3"] as const;

const NO_PART: Part = { backup: "", text: "" };

/** Requests that a history judges by the object's answers, because those to clients have other words. */
const LISTED: ReadonlySet<string> = new Set(["backup", "claim_many", "erase", "metrics", "page", "restore"]);

/** The requests and answers of one history. */
export class Clients {
  readonly #context: Context;
  readonly #network: Network;
  readonly #apps: readonly App[];
  readonly #isolates: Isolates;
  readonly #name: string;
  /** All requests of clients, with their answers. */
  readonly answered: Recorded[] = [];
  /** Messages that were sent besides the answered one: each may have the same effect. */
  readonly repeated: Recorded[] = [];
  /** Requests without an answer yet. */
  openCount = 0;
  /** The code of each answer, or `ok`. */
  readonly outcomes: string[] = [];
  readonly #tags = new Map<number, string>();
  readonly #backups = new Backups();
  #requests = 0;

  constructor(context: Context, network: Network, apps: readonly App[], isolates: Isolates, name: string) {
    this.#context = context;
    this.#network = network;
    this.#apps = apps;
    this.#isolates = isolates;
    this.#name = name;
  }

  /**
   * The requests by the object's clock, which is between its largest skew behind the true one and its largest
   * skew ahead.
   */
  byTheObjectsClock(skewMsMin: number, skewMsMax: number): Operation[] {
    return [...this.answered, ...this.repeated].map((operation) => {
      const { clockFrom, clockUntil } = operation;
      const until = clockUntil === null ? null : clockUntil + skewMsMax;
      return Object.assign({}, operation, { clockFrom: clockFrom + skewMsMin, clockUntil: until });
    });
  }

  /** Sends a request, and repeats it as often as the plan says. */
  ask(step: AskStep, repeats = 0): void {
    const { scheduler } = this.#context;
    const part = step.ask.kind === "restore" ? this.#backups.part(step.ask.part, step.ask.of) : NO_PART;
    if (part === null || (step.ask.kind === "restore" && part.text === "")) return;
    const number = (this.#requests += 1);
    const client = CLIENTS[step.client] ?? "a client";
    const tag = step.ask.kind === "change" && step.ask.isGuarded ? (this.#tags.get(step.client) ?? "*") : null;
    const startedAt = scheduler.stamp();
    const clockFrom = T0 + scheduler.now;
    const answered = callsOf(step.ask, part.backup).map((call) => unanswered(call, client, null, startedAt, clockFrom));
    this.answered.push(...answered);
    this.#context.count("operations", answered.length);
    if (repeats === 0) this.#context.count(`asked.${step.ask.kind}`);
    this.openCount += 1;
    const sent: Sent = {
      ask: step.ask,
      isolate: step.isolate,
      hasLeft: false,
      pendingCount: 0,
      faultPlans: repeats === 0 ? step.faultPlans : [],
      client,
      number,
      attempt: null,
      sentCount: 0,
      messageCount: 0,
      isInLane: false,
      received: null,
      lastFailure: null,
      sentAt: scheduler.now,
    };
    this.#context.log?.(`${nameOf(sent)} to isolate ${step.isolate}: ${askText(step.ask)}${tag === null ? "" : ` if it is ${tag}`}`);
    const known = this.#isolates.resultCount(step.isolate);
    let isOver = false;
    runFor(this.#context, sent, () => {
      void this.#fetched(sent, tag, part.text).then(
        (received) => {
          if (!isOver) this.#receive(step, sent, answered, received, repeats, known);
          isOver = true;
          return null;
        },
        (cause: unknown) => this.#context.breach("exception", `the Worker threw at ${nameOf(sent)}: ${String(cause)}`),
      );
    });
    if (step.leavesMs === null) return;
    scheduler.after(step.leavesMs, () => {
      sent.hasLeft = true;
      if (isOver) return;
      isOver = true;
      this.#context.count("visitors.left");
      this.#context.log?.(`${nameOf(sent)}: the visitor leaves`);
      this.openCount -= 1;
      this.#noteRepeats(sent, answered, true);
    });
  }

  async #fetched(sent: Sent, tag: string | null, part: string): Promise<HttpAnswer> {
    const { ask, isolate } = sent;
    const { plan } = this.#context;
    const isPublic = ask.kind === "status" || ask.kind === "view";
    const env = {
      COUPONS: { idFromName: (text: string) => ({ name: text }), get: () => new Stub(this.#network, sent) },
      ...(plan.lanes === undefined ? {} : { LANES: plan.lanes.setting, LANE_OBJECTS: this.#laneObjects(sent) }),
      SOLD_OUT_CACHE: plan.isEdgeOn ? "on" : "off",
      REQUEST_LOG: "off",
      RATE_LIMIT: "off",
      IDENTITY: "off",
      ADMIN_AUTH: isPublic ? "on" : "off",
    };
    const executionContext = {
      waitUntil: (work: Promise<unknown>) => {
        sent.pendingCount += 1;
        void work.finally(() => (sent.pendingCount -= 1));
      },
      passThroughOnException: () => undefined,
    };
    const end = ask.kind === "claim" || ask.kind === "hold" ? this.#isolates.open(isolate) : null;
    const response = await this.#apps[isolate]?.fetch(httpRequestOf(this.#name, ask, tag, part), env, executionContext);
    end?.();
    if (response === undefined) throw new Error(`there is no isolate ${isolate}`);
    const text = await response.text();
    const isJson = response.headers.get("content-type") === "application/json";
    const body = (isJson ? JSON.parse(text) : { text }) as HttpAnswer["body"];
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  }

  #laneObjects(sent: Sent) {
    const get = ({ name }: { readonly name: string }): Stub => {
      this.#isolates.checkLane(sent.isolate);
      return new Stub(this.#network, sent, name);
    };
    return { idFromName: (name: string) => ({ name }), get };
  }

  #receive(step: AskStep, sent: Sent, answered: readonly Recorded[], received: HttpAnswer, repeats: number, known: number): void {
    const { scheduler, digest, log, count } = this.#context;
    this.openCount -= 1;
    const { code } = received.body;
    const word = typeof code === "string" ? code : "ok";
    const isFromEdge = received.headers["served-by"] === "edge";
    this.outcomes.push(word);
    count(`answered.${word}`);
    digest.add(scheduler.now);
    digest.addText(word);
    log?.(`${nameOf(sent)} is answered ${word}${isFromEdge ? " by the Worker itself" : ""}`);
    const answers = this.#answersTo(sent, answered, received, isFromEdge);
    this.#noteRepeats(sent, answered, false);
    const endedAt = scheduler.stamp();
    for (const [index, operation] of answered.entries()) {
      const answer = answers?.[index] ?? answers?.[0] ?? null;
      operation.answer = answer;
      operation.attempt = sent.attempt;
      operation.endedAt = answer === null ? null : endedAt;
      operation.clockUntil = answer === null ? null : T0 + scheduler.now;
    }
    const isView = step.ask.kind === "status" || step.ask.kind === "view";
    const fault =
      isView || isFromEdge
        ? this.#isolates.viewFault(step.isolate, received, isView ? known : this.#isolates.resultCount(step.isolate))
        : null;
    if (fault !== null) this.#context.breach("isolate", `${nameOf(sent)}: ${fault}`);
    if (step.ask.kind === "restore" && step.ask.of > 1 && received.status === 201) count("restored.inParts");
    if (step.ask.kind === "backup" && received.status === 200) this.#backups.add(String(received.body["text"]));
    const { etag } = received.headers;
    if (typeof etag === "string" && step.ask.kind !== "status") this.#tags.set(step.client, etag);
    const isUnclear = word === "outcome_unknown" || word === "unavailable";
    if (!isUnclear || repeats >= step.patience) return;
    this.#context.count("retries.client");
    this.openCount += 1;
    scheduler.after(step.patienceMs, () => {
      this.openCount -= 1;
      this.ask(step, repeats + 1);
    });
  }

  #noteRepeats({ ask, messageCount, attempt, number, client }: Sent, answered: readonly Recorded[], hasLeft: boolean): void {
    for (const operation of answered) operation.attempt = attempt;
    if (messageCount <= 1 && !hasLeft) return;
    if (messageCount > 1 && !mayBeRepeated(ask))
      this.#context.breach("once", `${client}'s request ${number} was sent ${messageCount} times`);
    for (let count = 1; count < messageCount; count += 1)
      this.repeated.push(...answered.map((operation) => ({ ...operation, answer: null, endedAt: null, clockUntil: null })));
  }

  /** Returns the answers in the words of a history; null where the outcome is unknown. */
  #answersTo(sent: Sent, answered: readonly Recorded[], http: HttpAnswer, isFromEdge: boolean): readonly Answer[] | null {
    const { ask, received } = sent;
    const { status, body } = http;
    const code = body["code"];
    if (status === 500) this.#context.breach("failure", `${nameOf(sent)} is answered 500`);
    if (code === "outcome_unknown" || code === "unavailable") {
      const fault = failureFault(sent, code, this.#context.scheduler.now) ?? this.#network.laneFault(sent);
      if (fault !== null) this.#context.breach("failure", `${nameOf(sent)} ${fault}`);
      return code === "unavailable" ? [{ is: "unavailable", seq: 0 }] : null;
    }
    if (isFromEdge) this.#context.count("answers.edge");
    const { kind } = ask;
    if (kind === "status" || kind === "view") {
      const answer = viewAnswer(answered, http);
      return [{ ...answer, ...this.#isolates.incarnationAt(sent.isolate, answer.seq, true) }];
    }
    const [first] = answered;
    if (first === undefined) return [];
    const isListed = LISTED.has(kind);
    if (isFromEdge || !isListed) {
      const answer = answerOf(this.#name, first.call, http);
      if (isFromEdge) return answer === null ? null : [{ ...answer, ...this.#isolates.incarnationAt(sent.isolate, answer.seq) }];
      return this.#sameAsObject(sent, answered, answer, code === "precondition_failed");
    }
    if (received === null) {
      this.#context.breach("answer", `${nameOf(sent)} is answered what the object never answered`);
      return null;
    }
    return kind === "claim_many" && status === 200 ? this.#bulkAnswers(sent, http, received.answers) : received.answers;
  }

  /** Checks that the client's answer is the object's answer to the last attempt. */
  #sameAsObject(sent: Sent, answered: readonly Recorded[], answer: Answer | null, isTagFault: boolean): readonly Answer[] | null {
    const byObject = sent.received?.answers[0];
    const { ask } = sent;
    // The Worker itself refuses a sale window that ends before it starts.
    if (
      byObject === undefined &&
      answer?.is === "invalid_request" &&
      ask.kind === "create" &&
      (ask.endsAt ?? Infinity) <= (ask.startsAt ?? 0)
    )
      return [{ is: "undelivered", seq: 0 }];
    if (answer === null || byObject === undefined) {
      this.#context.breach("answer", `${nameOf(sent)} is answered ${answer?.is ?? "nothing"}, which the object never answered`);
      return null;
    }
    const is = isTagFault ? "found" : answer.is;
    if (isTagFault) for (const operation of answered) operation.call = { kind: "read" };
    // To the client, a claim that another message of the same request got is no replay.
    const isOwn = byObject.is === "replayed" && is === "claimed" && (sent.sentCount > 1 || sent.messageCount > 1);
    if (byObject.seq !== answer.seq || (byObject.is !== is && !isOwn))
      this.#context.breach(
        "answer",
        `${nameOf(sent)} is answered ${is} at seq ${answer.seq}, and the object said ${byObject.is} at seq ${byObject.seq}`,
      );
    const incarnation = byObject.incarnation === undefined ? {} : { incarnation: byObject.incarnation };
    return [{ ...answer, is, ...incarnation }];
  }

  #bulkAnswers(sent: Sent, { body }: HttpAnswer, said: readonly Answer[]): readonly Answer[] {
    const results = Array.isArray(body["results"]) ? (body["results"] as Record<string, unknown>[]) : [];
    return said.map((answer, index) => {
      const { outcome, position } = results[index] ?? {};
      const is = outcome === "granted" ? "claimed" : outcome;
      const isOwn = answer.is === "replayed" && is === "claimed" && sent.sentCount > 1;
      if ((is !== answer.is && !isOwn) || (position !== undefined && position !== answer.position))
        this.#context.breach("answer", `${nameOf(sent)} is answered ${String(outcome)}, and the object said ${answer.is}`);
      // Bulk claims with one key are one attempt.
      return isOwn || (answer.is === "replayed" && sent.attempt?.startsWith("bulk ") === true)
        ? { ...answer, is: "claimed" as const }
        : answer;
    });
  }
}
