// The one queue of an actor. It stamps each message on arrival and judges them in order, many in one transaction.

import { assert, BrokenAssertion } from "../domain/assert.ts";
import { BATCH_WAIT_MS_MAX, BATCH_WAIT_MS_MIN, BATCH_WAIT_PER_FLUSH, FLUSH_MS_INITIAL } from "../domain/limits.ts";

/** A message in the mailbox; `at` is the instant at which it arrived. */
export type Stamped<Message> = { readonly message: Message; readonly at: number };
type Waiting<Message, Answer> = Stamped<Message> & { readonly resolve: (answer: Answer) => void };

export type MailboxOptions<Message, Answer> = {
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Judges a batch in one transaction. A throw means that nothing of it was written. */
  readonly apply: (batch: readonly Stamped<Message>[]) => { readonly answers: readonly Answer[]; readonly isWritten: boolean };
  /** Whether a message must be a batch of its own. */
  readonly isExclusive: (message: Message) => boolean;
  /** Brings memory back to what is stored, after a throw of `apply`. */
  readonly restore: (cause: unknown, batchSize: number) => void;
  /** Resolves once all that was written so far is on disk; rejects where that failed. */
  readonly flushed: () => Promise<unknown>;
  /** The answer to a message that found the mailbox full, or that storage refused even alone; `cause` says why. */
  readonly refuse: (message: Message, cause: unknown) => Answer;
  /** Ends the object: a fact that had to hold is broken, or a flush failed. */
  readonly abort: (cause: unknown) => void;
  readonly batchSizeMax: number;
  readonly lengthMax: number;
};

/** Why a message was refused before it was tried. */
export const MAILBOX_IS_FULL = new Error("the mailbox is full");

/**
 * A message that finds it idle is judged in the turn in which it arrived. While a flush is in flight, the others wait together:
 * until none is, or until the oldest of them has waited a part of what a flush takes. Every message is answered exactly once,
 * whatever its neighbors do. Answers are kept back by the platform's output gate until they are on disk, not by this.
 */
export class Mailbox<Message, Answer> {
  readonly #options: MailboxOptions<Message, Answer>;
  #queue: Waiting<Message, Answer>[] = [];
  #lastStamp = 0;
  /** When each batch was committed whose flush is in flight. */
  readonly #flights = new Set<{ readonly since: number }>();
  #flushMs = FLUSH_MS_INITIAL;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** After a failed assertion nothing is judged any more, whether or not `abort` ends this object at once. */
  #broken: BrokenAssertion | null = null;

  constructor(options: MailboxOptions<Message, Answer>) {
    this.#options = options;
  }

  /** Answers `message` once it was judged or refused. Never throws. */
  submit(message: Message): Promise<Answer> {
    const { clock, lengthMax, refuse } = this.#options;
    if (this.#queue.length >= lengthMax) return Promise.resolve(refuse(message, MAILBOX_IS_FULL));
    this.#lastStamp = Math.max(clock(), this.#lastStamp);
    const at = this.#lastStamp;
    const answer = new Promise<Answer>((resolve) => this.#queue.push({ message, at, resolve }));
    this.#run();
    return answer;
  }

  /** Judges batch after batch as long as one is due, and comes back for the next one. */
  #run(): void {
    while (this.#queue.length > 0 && this.#waitMs() <= 0) this.#judge(this.#nextBatch());
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, this.#waitMs());
  }

  /** How long the next batch has to wait if no flush ends before, in milliseconds. */
  #waitMs(): number {
    const [oldestFlight] = this.#flights;
    const [oldest] = this.#queue;
    if (oldestFlight === undefined || oldest === undefined) return 0;
    const now = this.#options.clock();
    // A flush that takes longer than those before it is as long as it has been so far.
    const flushMs = Math.max(this.#flushMs, now - oldestFlight.since);
    const waitMs = Math.min(Math.max(flushMs * BATCH_WAIT_PER_FLUSH, BATCH_WAIT_MS_MIN), BATCH_WAIT_MS_MAX);
    return Math.min(Math.ceil(oldest.at + waitMs - now), BATCH_WAIT_MS_MAX);
  }

  /** Taken out of the queue before anything can throw, so that no message is tried twice or left behind. */
  #nextBatch(): Waiting<Message, Answer>[] {
    const { batchSizeMax, isExclusive } = this.#options;
    const exclusive = this.#queue.slice(0, batchSizeMax).findIndex(({ message }) => isExclusive(message));
    return this.#queue.splice(0, exclusive === 0 ? 1 : exclusive === -1 ? batchSizeMax : exclusive);
  }

  #judge(batch: readonly Waiting<Message, Answer>[]): void {
    try {
      if (this.#broken !== null) throw this.#broken;
      const { answers, isWritten } = this.#options.apply(batch);
      assert(answers.length === batch.length, "every message of a batch is answered");
      for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
      if (isWritten) void this.#awaitFlush();
    } catch (cause) {
      this.#recover(batch, cause);
    }
  }

  async #awaitFlush(): Promise<void> {
    const { clock, flushed } = this.#options;
    const flight = { since: clock() };
    this.#flights.add(flight);
    try {
      await flushed();
      this.#flushMs += (Math.max(0, clock() - flight.since) - this.#flushMs) / 4;
    } catch (cause) {
      this.#end(cause);
    } finally {
      this.#flights.delete(flight);
      this.#run();
    }
  }

  /** Nothing of `batch` was written: one by one, so that a message that can't be written fails alone. */
  #recover(batch: readonly Waiting<Message, Answer>[], cause: unknown): void {
    const { restore, refuse } = this.#options;
    restore(cause, batch.length);
    const isHopeless = batch.length === 1 || cause instanceof BrokenAssertion;
    if (cause instanceof BrokenAssertion) {
      this.#broken = cause;
      this.#end(cause);
    }
    for (const waiting of batch) {
      if (isHopeless) waiting.resolve(refuse(waiting.message, cause));
      else this.#judge([waiting]);
    }
  }

  /** The platform's way to end an object is to throw. Until it is gone, waiting messages are answered. */
  #end(cause: unknown): void {
    try {
      this.#options.abort(cause);
    } catch {
      // What `abort` throws says only that it was called.
    }
  }
}
