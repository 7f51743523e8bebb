// The network between the Worker's isolates and the object: it delays, loses and repeats, and says so, or not.

import type { Change } from "../../src/domain/change.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { HoldRequest } from "../../src/domain/hold.ts";
import type * as messages from "../../src/domain/messages.ts";
import type { ReleaseRequest } from "../../src/domain/release.ts";
import type { CertificateWish } from "../../src/domain/sold-out.ts";
import type { Answer, Operation } from "../history/history.ts";
import type { Result } from "./answers.ts";
import type { SimulatedObject } from "./instance.ts";
import type { Ask, Fate, Mark } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Command } from "./points.ts";
import type { Scene } from "./scene.ts";

/** An operation while it is recorded. */
export type Recorded = { -readonly [Field in keyof Operation]: Operation[Field] };

/** Puts an operation into the words of a history, once it is known how it was refused. */
export function reword(operation: Recorded, code: string): void {
  // That the tag does not fit is a word about the coupon.
  if (code === "precondition_failed") operation.call = { kind: "read" };
  // That there is a coupon is said from memory, whatever has run out meanwhile.
  if (code === "coupon_exists") operation.clockFrom = 0;
}

/** One call that reaches the object. */
export type Delivery = {
  readonly command: Command;
  readonly call: (object: SimulatedObject) => Promise<Result>;
  readonly reply: (result: Result, answers: readonly Answer[]) => void;
  /** Told when the instance ended before it had answered. */
  readonly fail: (mark: Mark) => void;
  readonly request: Request;
  /** For the story: which message it is of the request, from 1, and whether the network made it. */
  readonly attempt: number;
  readonly isRepeat: boolean;
};

/** One request of a client, as the network knows it. */
export type Request = {
  readonly ask: Ask;
  readonly fates: readonly Fate[];
  readonly client: string;
  readonly number: number;
  /** Records the operations that a delivery of it is counted as. */
  readonly record: () => readonly Recorded[];
  /** Whatever the object answered, also where nobody hears of it. */
  readonly answered: (result: Result, answers: readonly Answer[]) => void;
  /** Attempts that were made, and messages that were sent. */
  sentCount: number;
  messageCount: number;
  /** When it was first sent. */
  readonly sentAt: number;
  /** Why the last attempt failed. */
  lastFailure: Mark | "turned_away" | null;
  /** What came back last. */
  heard: { readonly result: Result; readonly answers: readonly Answer[] } | null;
};

/** The client's own words are told apart from each other by what the platform says of its exceptions. */
const EXCEPTIONS: Readonly<Record<Mark | "turned_away", Error>> = {
  retryable: Object.assign(new Error("network connection lost"), { retryable: true }),
  reset: Object.assign(new Error("the object was reset"), { durableObjectReset: true }),
  out_of_memory: Object.assign(new Error("the object was out of memory"), { overloaded: true, durableObjectReset: true }),
  unmarked: new Error("internal error; reference = 1"),
  own_code: Object.assign(new Error("thrown by the object's own code"), { remote: true, retryable: true, durableObjectReset: true }),
  turned_away: Object.assign(new Error("the object is overloaded"), { overloaded: true, retryable: true }),
};

const GOOD: Fate = { is: "delivered", toMs: 1, backMs: 1, mark: "retryable", duplicateMs: null };
/** The history allows one answered delivery, and two more. */
const MESSAGES_MAX = 3;

export class Network {
  readonly #scene: Scene;
  readonly #platform: Platform;
  /** The fates of attempts that did not simply go well. */
  readonly mishaps: Fate[] = [];
  duplicateCount = 0;
  retryCount = 0;

  constructor(scene: Scene, platform: Platform) {
    this.#scene = scene;
    this.#platform = platform;
  }

  /** Sends one attempt of a request. */
  send<Told extends Result>(stub: Stub, command: Command, call: (object: SimulatedObject) => Promise<Told>): Promise<Told> {
    const { request } = stub;
    const fate = request.fates[request.sentCount] ?? GOOD;
    if (request.sentCount > 0) this.retryCount += 1;
    const { lastFailure } = request;
    if (lastFailure !== null && lastFailure !== "retryable" && lastFailure !== "reset")
      this.#scene.breach("again", `${nameOf(request)} is sent again although the last attempt failed as ${lastFailure}`);
    request.sentCount += 1;
    if (fate.is !== "delivered") {
      this.mishaps.push(fate);
      this.#scene.tell?.(`attempt ${request.sentCount} of ${nameOf(request)} will be ${fate.is} (${fate.mark})`);
    }
    return new Promise<Told>((resolve, reject) => {
      const fail = (mark: Mark | "turned_away"): void => {
        // What comes after it was told to have failed, it is not told.
        if (stub.broken !== null) return;
        stub.broken = EXCEPTIONS[mark];
        request.lastFailure = mark;
        reject(stub.broken);
      };
      const { scheduler } = this.#scene;
      const { toMs, backMs } = fate;
      if (fate.is === "request_lost" || fate.is === "turned_away") {
        scheduler.after(toMs + backMs, () => fail(fate.is === "turned_away" ? "turned_away" : fate.mark));
        return;
      }
      if (fate.is === "late") scheduler.after(Math.min(1, toMs), () => fail(fate.mark));
      const reply = (result: Result, answers: readonly Answer[]): void => {
        request.answered(result, answers);
        if (fate.is === "answer_lost") scheduler.after(backMs, () => fail(fate.mark));
        if (fate.is !== "delivered") return;
        scheduler.after(backMs, () => {
          request.heard = { result, answers };
          resolve(result as Told);
        });
      };
      const failed = fate.is === "silent" ? () => undefined : fail;
      const delivery: Delivery = { request, command, call, reply, fail: failed, attempt: request.sentCount, isRepeat: false };
      this.#deliver(delivery, fate.is === "late" ? toMs + 1 : toMs);
      if (fate.duplicateMs !== null && request.messageCount < MESSAGES_MAX) this.#repeat(delivery, toMs + fate.duplicateMs);
    });
  }

  #deliver(delivery: Delivery, ms: number): void {
    delivery.request.messageCount += 1;
    this.#scene.scheduler.after(ms, () => this.#platform.deliver(delivery));
  }

  /** The same message once more. Nobody listens for its answer. */
  #repeat(delivery: Delivery, ms: number): void {
    this.duplicateCount += 1;
    this.#deliver({ ...delivery, reply: delivery.request.answered, fail: () => undefined, isRepeat: true }, ms);
  }
}

/** A request in words. */
export function nameOf({ client, number }: Request): string {
  return `${client}'s request ${number}`;
}

/** What the Worker holds of the object. One that threw stays broken, as on the platform. */
export class Stub implements messages.CouponCalls {
  readonly request: Request;
  broken: Error | null = null;
  readonly #network: Network;

  constructor(network: Network, request: Request) {
    this.#network = network;
    this.request = request;
  }

  create(coupon: NewCoupon) {
    return this.#send("create", (object) => object.create(coupon));
  }

  read(wanted: { readonly claimedBy: boolean }) {
    return this.#send("read", (object) => object.read(wanted));
  }

  change(change: Change, ifMatch: string | null) {
    return this.#send("change", (object) => object.change(change, ifMatch));
  }

  remove() {
    return this.#send("remove", (object) => object.remove());
  }

  claim(request: ClaimRequest, wish?: CertificateWish) {
    return this.#send("claim", (object) => object.claim(request, wish));
  }

  claimMany(userIds: readonly string[], attemptId: string) {
    return this.#send("claim_many", (object) => object.claimMany(userIds, attemptId));
  }

  hold(request: HoldRequest, wish?: CertificateWish) {
    return this.#send("hold", (object) => object.hold(request, wish));
  }

  giveBack(userId: string) {
    return this.#send("give_back", (object) => object.giveBack(userId));
  }

  own(userId: string) {
    return this.#send("own", (object) => object.own(userId));
  }

  release(request: ReleaseRequest) {
    return this.#send("release", (object) => object.release(request));
  }

  page(after: messages.Cursor, limit: number) {
    return this.#send("page", (object) => object.page(after, limit));
  }

  metrics() {
    return this.#send("metrics", (object) => object.metrics());
  }

  #send<Told extends Result>(command: Command, call: (object: SimulatedObject) => Promise<Told>): Promise<Told> {
    return this.broken === null ? this.#network.send(this, command, call) : Promise.reject(this.broken);
  }
}
