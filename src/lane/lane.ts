// The queue of a lane. It decides when messages leave, and gives each its own answer.

import { LANE_LENGTH_MAX } from "../domain/lane-limits.ts";
import { flushSize } from "../domain/lanes.ts";
import type * as rpc from "../domain/rpc.ts";

type Kind = rpc.LaneMessage["kind"];
type MessageOf<K extends Kind> = Extract<rpc.LaneMessage, { readonly kind: K }>;
type AnswerTo<K extends Kind> = { claim: rpc.ClaimResult; hold: rpc.HoldResult }[K];
type Waiting = {
  readonly message: rpc.LaneMessage;
  readonly resolve: (answer: rpc.LaneAnswer | undefined) => void;
  readonly reject: (cause: unknown) => void;
};

/** Sends messages to the coupon in one call. */
export type Send = rpc.BatchCalls["batch"];

export class Lane {
  readonly #send: Send;
  #queue: Waiting[] = [];
  #callCount = 0;
  /** The claims that it has refused and not reported. */
  #refusedCount = 0;
  /** The ledger's head in the last answer. */
  #seq = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Returns the coupon's answer. Rejects if the call that has the message fails: the outcome is unknown. */
  submit<K extends Kind>(message: MessageOf<K>): Promise<AnswerTo<K> | rpc.Failed> {
    if (this.#queue.length >= LANE_LENGTH_MAX) {
      if (message.kind === "claim") this.#refusedCount += 1;
      return Promise.resolve({ ok: false, code: "unavailable", seq: this.#seq });
    }
    const answered = new Promise<AnswerTo<K>>((resolve, reject) => {
      const resolveOwn = (answer: rpc.LaneAnswer | undefined): void => {
        if (isAnswerTo(message, answer)) resolve(answer);
        else reject(new Error("the coupon has answered fewer messages than it got"));
      };
      this.#queue.push({ message, resolve: resolveOwn, reject });
    });
    this.#flush();
    return answered;
  }

  #flush(): void {
    // Each message and each answer allows at most one more call, so this needs no loop.
    const size = flushSize(this.#queue.length, this.#callCount);
    if (size > 0) void this.#call(this.#queue.splice(0, size));
  }

  async #call(batch: readonly Waiting[]): Promise<void> {
    this.#callCount += 1;
    // A call that fails may have been counted, so no other call reports the same refusals.
    const refusedCount = this.#refusedCount;
    this.#refusedCount = 0;
    try {
      const {
        answers,
        lanes,
        pauseMs = 0,
      } = await this.#send(
        batch.map(({ message }) => message),
        refusedCount,
      );
      for (const [index, { resolve }] of batch.entries()) {
        const answer = answers[index];
        resolve(answer === undefined || lanes === undefined ? answer : { ...answer, lanes });
      }
      this.#seq = answers.at(-1)?.seq ?? this.#seq;
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    } finally {
      this.#callCount -= 1;
      this.#flush();
    }
  }
}

/** Whether there is an answer. It has the type that belongs to the kind of its message. */
function isAnswerTo<K extends Kind>(_message: MessageOf<K>, answer: rpc.LaneAnswer | undefined): answer is AnswerTo<K> {
  return answer !== undefined;
}
