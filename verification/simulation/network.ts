// The network between the Worker's isolates and the object: it delays, loses and repeats messages.

import type * as messages from "../../src/domain/rpc.ts";
import type { Operation } from "../history/history.ts";
import type { Result } from "../model/product-answers.ts";
import type { Answer, Call } from "../model/types.ts";
import { runFor, type Context, type Visitor } from "./context.ts";
import { EXCEPTIONS, isOverloaded } from "./exceptions.ts";
import type { SimulatedObject } from "./instance.ts";
import type { Lanes } from "./lanes.ts";
import { FAULTS, type Ask, type FaultPlan, type Mark } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Command } from "./points.ts";
import type { Stub } from "./stub.ts";

/** An operation during the recording. */
export type Recorded = { -readonly [Field in keyof Operation]: Operation[Field] };

/** A call in the words of a history, and the Worker's name for it. */
export type Asked = {
  readonly command: Command;
  readonly calls: readonly Call[];
  readonly attempt: string | null;
  readonly ifMatch?: string | null;
  readonly page?: { readonly after: messages.Cursor; readonly limit: number };
};

/** One call that reaches the object. */
export type Delivery = Asked & {
  readonly call: (object: SimulatedObject) => Promise<Result>;
  readonly reply: (result: Result, answers: readonly Answer[]) => void;
  /** Called when the instance ends before its answer. */
  readonly fail: (mark: Mark) => void;
  readonly request: Request;
  /** For the trace: the number of the message, from 1, and whether the network repeated it. */
  readonly number: number;
  readonly isRepeat: boolean;
};

/** One request of a client. */
export type Request = Visitor & {
  readonly ask: Ask;
  readonly faultPlans: readonly FaultPlan[];
  readonly client: string;
  readonly number: number;
  /** The Worker's name for it, after the first attempt. */
  attempt: string | null;
  /** Attempts of the Worker, and messages on the network. */
  sentCount: number;
  messageCount: number;
  /** Whether its current attempt waits in a lane. */
  isInLane: boolean;
  /** When its first attempt was sent. */
  readonly sentAt: number;
  /** Why the last attempt failed. */
  lastFailure: Mark | "turned_away" | null;
  /** The last result that came back. */
  received: { readonly result: Result; readonly answers: readonly Answer[] } | null;
};

const GOOD: FaultPlan = { is: "delivered", toMs: 1, backMs: 1, mark: "retryable", duplicateMs: null };
/** A history allows one answered delivery, and two more. */
export const MESSAGES_MAX = 3;

const ignore = (): void => undefined;
const REPORT = {
  number: 1,
  isRepeat: false,
  request: {
    ask: { kind: "read" },
    isolate: 0,
    hasLeft: false,
    pendingCount: 0,
    faultPlans: [],
    client: "an isolate",
    number: 1,
    attempt: null,
    sentCount: 1,
    messageCount: 1,
    isInLane: false,
    received: null,
    lastFailure: null,
    sentAt: 0,
  } satisfies Request,
} as const;

/** A result that an isolate gets. */
export type Received = { readonly isolate: number; readonly result: Result; readonly incarnation: number; readonly command: Command };

export class Network {
  readonly #context: Context;
  readonly #platform: Platform;
  readonly #lanes: Lanes | null;
  readonly #onReceived: (received: Received) => void;

  constructor(context: Context, platform: Platform, lanes: Lanes | null, onReceived: (received: Received) => void) {
    this.#context = context;
    this.#platform = platform;
    this.#lanes = lanes;
    this.#onReceived = onReceived;
  }

  /** Sends one attempt of a request. */
  send<Answered extends Result>(stub: Stub, asked: Asked, call: (object: SimulatedObject) => Promise<Answered>): Promise<Answered> {
    const { request } = stub;
    const isOwn = asked.command !== "certify";
    const faultPlan = isOwn ? this.#nextFault(request) : this.#backgroundFault();
    if (isOwn) {
      request.attempt ??= asked.attempt;
      request.isInLane = stub.lane !== null;
    }
    return new Promise<Answered>((resolve, reject) => {
      const fail = (mark: Mark | "turned_away"): void => {
        // The attempt has failed already, so a late answer changes nothing.
        if (stub.broken !== null) return;
        stub.broken = EXCEPTIONS[mark];
        if (isOwn) Object.assign(request, { lastFailure: mark, isInLane: false });
        runFor(this.#context, request, () => reject(EXCEPTIONS[mark]));
      };
      const { scheduler } = this.#context;
      const { toMs, backMs } = faultPlan;
      if (faultPlan.is === "request_lost" || faultPlan.is === "turned_away") {
        scheduler.after(toMs + backMs, () => fail(faultPlan.is === "turned_away" ? "turned_away" : faultPlan.mark));
        return;
      }
      if (faultPlan.is === "late") scheduler.after(Math.min(1, toMs), () => fail(faultPlan.mark));
      const reply = (result: Result, answers: readonly Answer[]): void => {
        if (faultPlan.is === "answer_lost") scheduler.after(backMs, () => fail(faultPlan.mark));
        if (faultPlan.is !== "delivered") return;
        const { incarnation } = this.#context.storage;
        scheduler.after(backMs, () => {
          if (stub.broken !== null) return;
          runFor(this.#context, request, () => {
            if (isOwn) request.received = { result, answers };
            this.#onReceived({
              isolate: request.isolate,
              result,
              incarnation: answers[0]?.incarnation ?? incarnation,
              command: asked.command,
            });
            resolve(result as Answered);
          });
        });
      };
      const failed = faultPlan.is === "silent" ? () => undefined : fail;
      const delivery: Delivery = { ...asked, request, call, reply, fail: failed, number: request.sentCount, isRepeat: false };
      this.#deliver(delivery, faultPlan.is === "late" ? toMs + 1 : toMs, stub.lane);
      if (faultPlan.duplicateMs !== null && request.messageCount < MESSAGES_MAX)
        this.#repeat(delivery, toMs + faultPlan.duplicateMs, stub.lane);
    });
  }

  /**
   * Why a request must not have failed in its lane; null if it may. The lane's own deadline leaves time for two
   * more attempts, unless the messages waited for other calls that got no answer.
   */
  laneFault({ isInLane, sentCount, faultPlans, received }: Request): string | null {
    const isSilent = faultPlans.slice(0, sentCount).some(({ is }) => is === "silent") || (this.#lanes?.silentCount ?? 0) > 2;
    return isInLane && received === null && !isSilent ? "has waited in a lane until its deadline" : null;
  }

  /** Isolates report claims that they have refused before the start. */
  report(count: number): void {
    const call = (object: SimulatedObject): Promise<Result> => object.countRefused({ sale_not_started: count });
    this.#platform.deliver({ command: "certify", calls: [], attempt: null, call, reply: ignore, fail: ignore, ...REPORT });
  }

  #nextFault(request: Request): FaultPlan {
    const faultPlan = request.faultPlans[request.sentCount] ?? GOOD;
    if (request.sentCount > 0) this.#context.count("retries.worker");
    if (isOverloaded(request.lastFailure))
      this.#context.breach("again", `${nameOf(request)} is sent again although the last attempt failed as ${request.lastFailure}`);
    request.sentCount += 1;
    if (faultPlan.is !== "delivered") {
      this.#context.count(`network.${faultPlan.is}`);
      this.#context.log?.(`attempt ${request.sentCount} of ${nameOf(request)} will be ${faultPlan.is} (${faultPlan.mark})`);
    }
    return faultPlan;
  }

  /** Draws the fault of a request for a certificate, which no visitor waits for. */
  #backgroundFault(): FaultPlan {
    const { plan, random } = this.#context;
    const toMs = random.below(plan.wayMsMax + 1);
    const backMs = random.below(plan.wayMsMax + 1);
    const is = random.below(100) < plan.faultPercent ? random.pick(FAULTS) : "delivered";
    return { is, toMs, backMs, mark: "retryable", duplicateMs: null };
  }

  #deliver(delivery: Delivery, ms: number, lane: string | null): void {
    if (delivery.command !== "certify") delivery.request.messageCount += 1;
    const deliver = (): void => (lane === null ? this.#platform.deliver(delivery) : this.#lanes?.deliver(lane, delivery));
    this.#context.scheduler.after(ms, deliver);
  }

  /** Sends the same message again, without a reply. */
  #repeat(delivery: Delivery, ms: number, lane: string | null): void {
    this.#context.count("network.duplicate");
    this.#deliver({ ...delivery, reply: () => undefined, fail: () => undefined, isRepeat: true }, ms, lane);
  }
}

/** A request in words. */
export function nameOf({ client, number }: Request): string {
  return `${client}'s request ${number}`;
}
