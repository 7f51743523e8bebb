// The lanes in front of the coupon. Each is an actor that can end, and its calls can be late, lost or repeated.

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { HoldRequest } from "../../src/domain/hold.ts";
import type { BatchResult, LaneAnswer, LaneCalls, LaneMessage } from "../../src/domain/rpc.ts";
import { answersOf, type Result } from "../model/product-answers.ts";
import type { Context } from "./context.ts";
import { EXCEPTIONS, markOf } from "./exceptions.ts";
import type { SimulatedObject } from "./instance.ts";
import { MESSAGES_MAX, type Delivery } from "./network.ts";
import type { LanesPlan } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Timer } from "./scheduler.ts";

export type LaneClass = new (ctx: unknown, env: unknown) => LaneCalls;
type Instance = { isDead: boolean; lane: LaneCalls | null; readonly callers: Set<Delivery> };

/** What becomes of a call of a lane: `twice` is delivered two times and answered once. */
const FAULTS = ["lost", "answer_lost", "silent", "twice"] as const;

export class Lanes {
  readonly #context: Context;
  readonly #plan: LanesPlan;
  readonly #platform: Platform;
  readonly #class: LaneClass;
  readonly #instances = new Map<string, Instance>();
  #turn: Instance | null = null;
  /** How many calls to the coupon got no answer. */
  silentCount = 0;
  /** By each message in a lane: the delivery that brought it. */
  readonly #deliveries = new WeakMap<ClaimRequest | HoldRequest, Delivery>();
  /** The incarnation that the coupon's answer to a delivery is about. */
  readonly #incarnations = new WeakMap<Delivery, number>();

  constructor(context: Context, plan: LanesPlan, platform: Platform, laneClass: LaneClass) {
    this.#context = context;
    this.#plan = plan;
    this.#platform = platform;
    this.#class = laneClass;
  }

  /** Whether code of a lane runs in this event. */
  get isRunning(): boolean {
    return this.#turn !== null;
  }

  afterEvent(): void {
    this.#turn = null;
  }

  timer(run: () => void, ms: number): Timer {
    const instance = this.#turn;
    return this.#context.scheduler.after(ms, () => (instance === null ? undefined : this.#resume(instance, run)));
  }

  /** A claim or a hold reaches a lane. */
  deliver(name: string, delivery: Delivery): void {
    const instance = this.#instanceOf(name);
    const { lane, callers } = instance;
    if (lane === null) return;
    callers.add(delivery);
    this.#context.count("lanes.message");
    const own = <Asked extends ClaimRequest | HoldRequest>(request: Asked): Asked => {
      const copy = { ...request };
      this.#deliveries.set(copy, delivery);
      return copy;
    };
    const through = { claim: (request: ClaimRequest) => lane.claim(own(request)), hold: (request: HoldRequest) => lane.hold(own(request)) };
    const settle = (run: () => void): void => {
      if (!instance.isDead && callers.delete(delivery)) run();
    };
    delivery.call(through as unknown as SimulatedObject).then(
      (result) => settle(() => delivery.reply(result, answersOf(delivery.calls, result, this.#incarnations.get(delivery)))),
      (cause: unknown) => settle(() => delivery.fail(markOf(cause))),
    );
  }

  /** Ends all lanes. What they have sent goes on. */
  end(): void {
    const { scheduler, count } = this.#context;
    for (const instance of this.#instances.values()) {
      count("lanes.end");
      instance.isDead = true;
      for (const delivery of instance.callers) scheduler.after(1, () => delivery.fail("reset"));
    }
    this.#instances.clear();
  }

  #instanceOf(name: string): Instance {
    const known = this.#instances.get(name);
    const instance = known ?? { isDead: false, lane: null, callers: new Set<Delivery>() };
    this.#enter(instance);
    if (known !== undefined) return known;
    this.#instances.set(name, instance);
    const coupon = { batch: (messages: readonly LaneMessage[]) => this.#batch(instance, messages) };
    const env = { COUPONS: { idFromName: (coupons: string) => ({ name: coupons }), get: () => coupon } };
    instance.lane = new this.#class({ id: { name } }, env);
    return instance;
  }

  /** A call of a lane. */
  #batch(instance: Instance, messages: readonly LaneMessage[]): Promise<BatchResult> {
    const { scheduler, random, count, log } = this.#context;
    const { faultPercent, wayMsMax } = this.#plan;
    const [toMs, backMs] = [random.below(wayMsMax + 1), random.below(wayMsMax + 1)];
    const deliveries = messages.flatMap(({ request }) => this.#deliveries.get(request) ?? []);
    const fault = random.below(100) < faultPercent ? random.pick(FAULTS) : null;
    count(`lanes.${fault ?? "flush"}`);
    if (fault === "silent") this.silentCount += 1;
    if (messages.length > 1) count("lanes.several");
    log?.(`a lane sends ${messages.length} messages${fault === null ? "" : `: ${fault}`}`);
    return new Promise((resolve, reject) => {
      const answer = (result: BatchResult): void => {
        if (result.pauseMs !== undefined) count("lanes.pause");
        resolve(result);
      };
      const back = (settle: () => void): void => void scheduler.after(backMs, () => this.#resume(instance, settle));
      const lose = (): void => reject(EXCEPTIONS["retryable"]);
      if (fault === "lost") return scheduler.after(toMs, () => back(lose));
      const answered =
        fault === "silent" ? () => undefined : (result: BatchResult) => back(fault === "answer_lost" ? lose : () => answer(result));
      const failed = fault === "silent" ? () => undefined : (cause: unknown) => back(() => reject(cause));
      const mayRepeat = deliveries.every(({ request }) => request.messageCount < MESSAGES_MAX);
      if (fault === "twice" && mayRepeat) {
        for (const { request } of deliveries) request.messageCount += 1;
        const repeats = deliveries.map((one) => ({ ...one, isRepeat: true }));
        scheduler.after(toMs + random.below(60), () =>
          this.#platform.deliver(
            ...this.#parts(
              repeats,
              messages,
              () => undefined,
              () => undefined,
            ),
          ),
        );
      }
      return scheduler.after(toMs, () => this.#platform.deliver(...this.#parts(deliveries, messages, answered, failed)));
    });
  }

  /** The messages of a batch as deliveries to the coupon, which share one call. */
  #parts(
    deliveries: readonly Delivery[],
    messages: readonly LaneMessage[],
    answered: (result: BatchResult) => void,
    failed: (cause: unknown) => void,
  ): Delivery[] {
    let shared: Promise<BatchResult> | null = null;
    let others: Omit<BatchResult, "answers"> = {};
    const answers: LaneAnswer[] = [];
    let answerCount = 0;
    const called = async (object: SimulatedObject): Promise<BatchResult> => {
      const { answers: _answers, ...rest } = await (shared ??= object.batch(messages, 0));
      others = rest;
      return shared;
    };
    return deliveries.map((delivery, index) => ({
      ...delivery,
      call: async (object): Promise<Result> => (await called(object)).answers[index] as LaneAnswer,
      reply: (result, [answer]) => {
        if (answer?.incarnation !== undefined) this.#incarnations.set(delivery, answer.incarnation);
        answers[index] = result as LaneAnswer;
        answerCount += 1;
        if (answerCount === deliveries.length) answered({ answers, ...others });
      },
      fail: (mark) => failed(EXCEPTIONS[mark]),
    }));
  }

  #resume(instance: Instance, run: () => void): void {
    if (instance.isDead) return;
    this.#enter(instance);
    run();
  }

  #enter(instance: Instance): void {
    this.#turn = instance;
    this.#context.skewMs = 0;
    this.#context.visitor = null;
  }
}
