// The couriers' side of a history: the courier and its calls, and the receivers of webhooks.

import type { OutboxCursor } from "../../src/domain/delivery.ts";
import { WEBHOOK_EVENTS } from "../../src/domain/webhook-events.ts";
import type { Result } from "../model/product-answers.ts";
import type { Context } from "./context.ts";
import { CourierPlatform, type CourierClass, type Sender } from "./courier-platform.ts";
import type { SimulatedObject } from "./instance.ts";
import type { Request } from "./network.ts";
import { type CourierStep, type DeliveryPlan } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { ReadModel } from "./read-model.ts";

/** A webhook that a receiver took. */
export type Taken = { readonly id: string; readonly body: string };

type Answered = { readonly ok: boolean; readonly status: number; readonly body: null };
/** What the product's `fetch` is given. */
export type Init = { readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly signal: AbortSignal };

/** How long after the faults an operator deletes the webhooks whose receivers are gone. */
const DELETED_MS = 7_200_000;

const SECRET = `whsec_${Buffer.alloc(32).toString("base64")}`;
const REQUEST: Request = {
  ask: { kind: "read" },
  isolate: 0,
  hasLeft: false,
  pendingCount: 0,
  faultPlans: [],
  client: "the courier",
  number: 1,
  attempt: null,
  sentCount: 1,
  messageCount: 1,
  isInLane: false,
  received: null,
  lastFailure: null,
  sentAt: 0,
};

export class Delivery {
  readonly courier: CourierPlatform;
  readonly readModel: ReadModel;
  /** What each receiver took, in the order of arrival. */
  readonly taken: Taken[][];
  readonly #context: Context;
  readonly #platform: Platform;
  readonly #plan: DeliveryPlan;
  #sender: Sender | null = null;

  constructor(context: Context, plan: DeliveryPlan, platform: Platform, courierClass: CourierClass, readModel: ReadModel) {
    this.#context = context;
    this.#plan = plan;
    this.#platform = platform;
    this.readModel = readModel;
    this.taken = plan.receivers.map(() => []);
    this.courier = new CourierPlatform(context, plan, platform.name, courierClass);
    this.courier.env = (sender) => this.#envOfCourier(sender);
    platform.env = (sender) => ({ COURIERS: this.#couriers(sender) });
    readModel.begin();
    // A courier looks for ever whether a receiver that is gone comes back.
    context.scheduler.after(plan.faultsUntil + DELETED_MS, () => {
      for (const [index, { is }] of plan.receivers.entries())
        if (is === "gone") readModel.rows("DELETE FROM webhooks WHERE id = ?", `receiver-${index}`);
    });
    for (const [index, { events }] of plan.receivers.entries())
      readModel.rows(
        "INSERT INTO webhooks (id, url, events, secret, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        `receiver-${index}`,
        `https://receiver.example/${index}`,
        JSON.stringify(events ?? WEBHOOK_EVENTS),
        SECRET,
        0,
        0,
      );
  }

  take({ what, ...step }: CourierStep): void {
    const { count, log } = this.#context;
    if (what === "end") return this.courier.arm({ what, ...step });
    count("delivery.rebuild");
    log?.("an operator has the read model written again");
    this.courier.call((courier) => courier.rebuild(), ...IGNORED);
  }

  /** The product's `fetch`. */
  async fetch(url: string, { headers, body, signal }: Init): Promise<Answered> {
    const sender = this.#sender;
    const index = Number(url.slice(-1));
    if (sender === null) throw new Error("no courier sends this");
    return this.courier.send<Answered>(sender, "webhook", (done) => done(this.#receive(index, headers, body)), signal);
  }

  #receive(index: number, headers: Init["headers"], body: string): Answered {
    const { scheduler, random, count } = this.#context;
    const taken = this.taken[index] ?? [];
    const { is, goneAfter } = this.#plan.receivers[index] ?? { is: "down", goneAfter: 0 };
    const isFailing = scheduler.now < this.#plan.faultsUntil && random.below(100) < this.#plan.faultPercent;
    const status = is === "gone" && taken.length >= goneAfter ? 410 : is === "down" || isFailing ? 500 : 200;
    count(`delivery.status${status}`);
    if (status === 200) taken.push({ id: headers["webhook-id"] ?? "", body });
    return { ok: status === 200, status, body: null };
  }

  #envOfCourier(sender: Sender): object {
    this.#sender = sender;
    const { courier, readModel } = this;
    const ask = (kind: string, call: (object: SimulatedObject) => Promise<Result>) =>
      courier.send<Result>(sender, kind, (done, failed) => {
        const message = { command: "courier" as const, calls: [], attempt: null, call, request: REQUEST, number: 1, isRepeat: false };
        this.#platform.deliver({ ...message, reply: done, fail: (mark) => failed(new Error(`the coupon's object has ended: ${mark}`)) });
      });
    const coupon = {
      outbox: (after: OutboxCursor | null, limit: number) => ask("outbox", (object) => object.outbox(after, limit)),
      forget: (cursors: readonly (OutboxCursor | null)[]) => ask("forget", (object) => object.forget(cursors)),
    };
    return {
      COUPONS: { idFromName: (name: string) => this.#checkName(name), get: () => coupon },
      COURIERS: this.#couriers(sender),
      DB: readModel.binding((run) =>
        courier.send(sender, "d1", (done, failed) => {
          try {
            done(run());
          } catch (cause) {
            this.#context.breach("d1", String(cause));
            failed(cause);
          }
        }),
      ),
    };
  }

  #checkName(name: string): string {
    if (name !== this.#platform.name) this.#context.breach("name", `the courier calls the coupon "${name}"`);
    return name;
  }

  #couriers(sender: Sender): object {
    const { courier } = this;
    const called = {
      notify: () => courier.send<void>(sender, "notice", (...ends) => courier.call((one) => one.notify(), ...ends)),
      deliver: (sinkId: string) =>
        courier.send<string>(sender, "deliver", (...ends) => courier.call((one) => one.deliver(sinkId), ...ends)),
    };
    return { idFromName: (name: string) => name, get: () => called };
  }
}

const IGNORED = [() => undefined, () => undefined] as const;
