// One instance of the object, and what the platform gives it: storage, an alarm, and an end.

import type { BatchCalls, CouponCalls } from "../../src/domain/rpc.ts";
import type { Result } from "../model/product-answers.ts";
import type { Answer } from "../model/types.ts";
import type { Context } from "./context.ts";
import type { Sender } from "./courier-platform.ts";
import type { Row, Value } from "./database.ts";
import type { Delivery, Recorded } from "./network.ts";
import type { Platform } from "./platform.ts";
import type { Gatekeeper, Turn } from "./storage.ts";

/** The product's class, called as the platform calls it. */
export type SimulatedObject = CouponCalls & BatchCalls & { readonly alarm: () => Promise<void> };
export type ObjectClass = new (ctx: unknown, env: unknown) => SimulatedObject;

/** A call that an instance has, with its result once there is one. */
export type Waiting = {
  readonly delivery: Delivery;
  readonly operations: readonly Recorded[];
  readonly deliveredAt: number;
  /** The incarnation of the answer, if another one began or ended before the answer. */
  incarnation: number | null;
  /**
   * The incarnation before the one that began during the wait. An answer that the coupon is gone is about it.
   */
  incarnationBefore: number | null;
  result: Result | null;
  answers: readonly Answer[];
  /** The write that has to be on disk before the answer leaves. */
  version: number;
  endedAt: number;
  clockUntil: number;
};

export const UNANSWERED = { incarnation: null, incarnationBefore: null, result: null, answers: [], version: 0 } as const;

export class Instance implements Gatekeeper {
  isDead = false;
  readonly waiting = new Set<Waiting>();
  readonly object: SimulatedObject;
  readonly crash: Gatekeeper["crash"];

  /**
   * An incarnation begins behind `incarnation`, or ends: a result that was judged before is about
   * `incarnation`.
   */
  settleIncarnations(turn: Turn, incarnation: number): void {
    let isBehind = false;
    for (const waiting of this.waiting) {
      if (waiting.result !== null || waiting.incarnation !== null) continue;
      if (turn === "create" || isBehind) waiting.incarnationBefore = turn === "create" ? incarnation : null;
      else waiting.incarnation = incarnation;
      isBehind ||= turn === "remove" && waiting.delivery.command === "remove";
    }
  }

  /** The incarnation that an answer is about; `incarnation` is the current one. */
  incarnationOf(waiting: Waiting, result: Result, incarnation: number): number {
    const isOver = (!result.ok || "nextPart" in result) && "seq" in result && result.seq === 0;
    return (isOver ? waiting.incarnationBefore : null) ?? waiting.incarnation ?? incarnation;
  }

  /** When the next removal arrived, by the clock of this instance. */
  get removalAskedAt(): number | null {
    for (const { delivery, result, clockUntil } of this.waiting) if (delivery.command === "remove" && result === null) return clockUntil;
    return null;
  }

  constructor(objectClass: ObjectClass, platform: Platform) {
    this.crash = (end) => platform.ended(this, end);
    const sender: Sender = { resume: (run) => platform.resume(this, run), afterDisk: (run) => platform.afterDisk(run) };
    this.object = constructed(objectClass, contextOf(this, platform), platform.env(sender), platform.context);
  }
}

/** An object whose constructor throws answers nothing. */
function constructed(objectClass: ObjectClass, context: unknown, env: object, { breach }: Context): SimulatedObject {
  try {
    return new objectClass(context, env);
  } catch (cause) {
    breach("exception", `the object's constructor threw: ${String(cause)}`);
    return new Proxy({} as SimulatedObject, { get: () => () => new Promise(() => undefined) });
  }
}

/** The `ctx` of the class: the part of the platform's that an object may use. */
function contextOf(instance: Instance, platform: Platform): unknown {
  const { name, clock } = platform;
  const { storage } = platform.context;
  return {
    id: { name },
    storage: {
      sql: {
        exec: (query: string, ...bindings: readonly Value[]): { readonly toArray: () => Row[] } => {
          const rows = storage.run(instance, query, bindings);
          return { toArray: () => rows };
        },
      },
      transactionSync: <Done>(work: () => Done): Done => storage.transaction(instance, work),
      sync: () => (instance.isDead ? new Promise<void>(() => undefined) : platform.onDisk()),
      getAlarm: async (): Promise<number | null> => storage.alarmAt,
      setAlarm: async (at: number): Promise<void> => {
        if (!instance.isDead) platform.setAlarm(at);
      },
      deleteAlarm: async (): Promise<void> => {
        if (!instance.isDead) platform.setAlarm(null);
      },
      deleteAll: () => {
        if (!instance.isDead) storage.deleteAll({ from: instance.removalAskedAt ?? clock.now(), until: clock.now() });
        return instance.isDead ? new Promise<void>(() => undefined) : platform.onDisk();
      },
    },
    abort: (reason: string) => {
      if (!instance.isDead) platform.abort(instance, reason);
    },
  };
}
