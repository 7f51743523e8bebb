// A lane in the simulation. When it sends is decided by the lane's own rule.

import { LANE_LENGTH_MAX } from "../../src/domain/lane-limits.ts";
import { flushSize } from "../../src/domain/lanes.ts";
import { OVERLOADED, type Answer, type Coupon } from "./coupon.ts";
import { Fifo, type Loop, type Thread } from "./loop.ts";
import type { Sale } from "./sale.ts";

export class Lane {
  readonly #sale: Sale;
  readonly #loop: Loop;
  readonly #thread: Thread;
  readonly #coupon: Coupon;
  /** Requests before the object, and messages in it. */
  readonly #arrived = new Fifo<number>();
  readonly #queue = new Fifo<number>();
  readonly #answered: (users: readonly number[], answer: Answer) => void;
  #isDelivering = false;
  #isStarted = false;
  #nextAtMs = 0;
  #callCount = 0;

  /** `answered` is called when an answer leaves the lane. */
  constructor(sale: Sale, loop: Loop, thread: Thread, coupon: Coupon, answered: (users: readonly number[], answer: Answer) => void) {
    this.#sale = sale;
    this.#loop = loop;
    this.#thread = thread;
    this.#coupon = coupon;
    this.#answered = answered;
  }

  submit(users: readonly number[]): void {
    const room = Math.max(0, LANE_LENGTH_MAX - this.#arrived.length - this.#queue.length);
    for (const user of users.slice(0, room)) this.#arrived.push(user);
    if (users.length > room) this.#answered(users.slice(room), OVERLOADED);
    this.#deliver();
  }

  #deliver(): void {
    if (this.#isDelivering || this.#arrived.length === 0) return;
    this.#isDelivering = true;
    this.#loop.at(this.#nextAtMs, () => this.#thread.post(() => this.#take()));
  }

  #take(): number {
    const { costs, objectRate } = this.#sale;
    const tookMs = (costs.laneUs + (this.#isStarted ? 0 : costs.laneStartUs)) / 1000;
    this.#isStarted = true;
    this.#nextAtMs = this.#loop.nowMs + 1000 / objectRate;
    this.#isDelivering = false;
    const user = this.#arrived.shift();
    if (user !== undefined) this.#queue.push(user);
    this.#deliver();
    this.#flush(tookMs);
    return tookMs;
  }

  #flush(afterMs: number): void {
    const size = flushSize(this.#queue.length, this.#callCount);
    if (size === 0) return;
    const users = this.#queue.splice(size);
    const hopMs = this.#sale.roundTripMs / 2;
    this.#callCount += 1;
    const respond = (answer: Answer): void =>
      this.#loop.at(this.#loop.nowMs + hopMs, () => {
        this.#answered(users, answer);
        this.#loop.at(this.#loop.nowMs + answer.pauseMs, () => {
          this.#callCount -= 1;
          this.#flush(0);
        });
      });
    this.#loop.at(this.#loop.nowMs + afterMs + hopMs, () => {
      if (this.#coupon.room > 0) this.#coupon.call({ isOfLane: true, users, respond });
      else respond(OVERLOADED);
    });
  }
}
