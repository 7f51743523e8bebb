// The one queue of an actor. It stamps each message on arrival, and judges messages in order, many in one
// transaction.

import { assert, BrokenAssertion } from "../domain/assert.ts";
import { BATCH_WAIT_MS_MAX, BATCH_WAIT_MS_MIN, BATCH_WAIT_PER_FLUSH, FLUSH_MS_INITIAL } from "../domain/limits.ts";

/** A message in the mailbox. `at` is the instant of its arrival. */
export type Stamped<Message> = { readonly message: Message; readonly at: number };
type Waiting<Message, Answer> = Stamped<Message> & { readonly resolve: (answer: Answer) => void };

export type MailboxOptions<Message, Answer> = {
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Judges a batch in one transaction. If it throws, it has written nothing. */
  readonly apply: (batch: readonly Stamped<Message>[]) => { readonly answers: readonly Answer[]; readonly isWritten: boolean };
  /** Whether a message must be a batch of its own. */
  readonly isExclusive: (message: Message) => boolean;
  /** Resets memory to the stored state, after `apply` has thrown. */
  readonly restore: (cause: unknown, batchSize: number) => void;
  /** Resolves when all writes so far are on disk. Rejects if that fails. */
  readonly flushed: () => Promise<unknown>;
  /** Resolves when the calls that have reached the object by now have submitted their messages. */
  readonly nextTurn: () => Promise<unknown>;
  /**
   * Returns the refusal of a message. `cause` is a full mailbox, or the failure of the message in a batch of
   * its own.
   */
  readonly refuse: (message: Message, cause: unknown) => Answer;
  /** Ends the object, because an assertion or a flush has failed. */
  readonly abort: (cause: unknown) => void;
  readonly batchSizeMax: number;
  readonly lengthMax: number;
};

/** The `cause` for a message that was refused on arrival. */
export const MAILBOX_IS_FULL = new Error("the mailbox is full");

/**
 * Messages wait and form a batch: in an idle mailbox for a turn, while a flush is in flight until it ends. A batch
 * starts earlier when it is full, or when its oldest message has waited a part of a flush. Every message is answered
 * exactly once, whatever happens to the others of its batch. The platform's output gate, not the mailbox, delays
 * answers until their writes are on disk.
 */
export class Mailbox<Message, Answer> {
  readonly #options: MailboxOptions<Message, Answer>;
  #queue: Waiting<Message, Answer>[] = [];
  #lastStamp = 0;
  /**
   * The flushes in flight, each with the time of its commit, and the turn that an idle mailbox waits for. The
   * first one is the oldest. A turn has the bound of a flush, because it may wait for the write of an alarm.
   */
  readonly #flights = new Set<{ readonly since: number }>();
  #flushMs = FLUSH_MS_INITIAL;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /**
   * Set by a failed assertion. From then on nothing is judged, even if `abort` does not end the object at
   * once.
   */
  #broken: BrokenAssertion | null = null;

  constructor(options: MailboxOptions<Message, Answer>) {
    this.#options = options;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Returns the answer to `message` when it is judged or refused. Never throws. */
  submit(message: Message): Promise<Answer> {
    const { clock, lengthMax, refuse } = this.#options;
    if (this.#queue.length >= lengthMax) return Promise.resolve(refuse(message, MAILBOX_IS_FULL));
    this.#lastStamp = Math.max(clock(), this.#lastStamp);
    const at = this.#lastStamp;
    const answer = new Promise<Answer>((resolve) => this.#queue.push({ message, at, resolve }));
    this.#run();
    return answer;
  }

  /** Judges full batches, and decides when the next one starts. */
  #run(): void {
    // A full batch would get no larger.
    while (this.#queue.length >= this.#options.batchSizeMax) this.#judge(this.#nextBatch());
    if (this.#queue.length === 0) {
      this.#stopTimer();
      return;
    }
    if (this.#flights.size === 0) void this.#awaitTurn();
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#judgeDue();
    }, this.#waitMs());
  }

  /** Waits some microseconds. In a rush, many claims then share the transaction of the first one. */
  async #awaitTurn(): Promise<void> {
    const turn = { since: this.#options.clock() };
    this.#flights.add(turn);
    try {
      await this.#options.nextTurn();
    } catch (cause) {
      this.#end(cause);
    } finally {
      this.#flights.delete(turn);
      this.#judgeDue();
    }
  }

  /** A timer without a message would keep the idle object in memory. */
  #stopTimer(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Judges all batches that have waited long enough. */
  #judgeDue(): void {
    while (this.#queue.length > 0 && this.#waitMs() <= 0) this.#judge(this.#nextBatch());
    this.#run();
  }

  /** Returns how long the next batch waits if no flush ends before, in milliseconds. */
  #waitMs(): number {
    const [oldestFlight] = this.#flights;
    const [oldest] = this.#queue;
    if (oldestFlight === undefined || oldest === undefined) return 0;
    const now = this.#options.clock();
    // If the oldest flush already takes longer than the average, its own time counts.
    const flushMs = Math.max(this.#flushMs, now - oldestFlight.since);
    const waitMs = Math.min(Math.max(flushMs * BATCH_WAIT_PER_FLUSH, BATCH_WAIT_MS_MIN), BATCH_WAIT_MS_MAX);
    return Math.min(Math.ceil(oldest.at + waitMs - now), BATCH_WAIT_MS_MAX);
  }

  /** Takes the next batch out of the queue before anything can throw, so no message is tried twice or lost. */
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

  /** Judges the messages of a failed batch one by one, so that only the failing message is refused. */
  #recover(batch: readonly Waiting<Message, Answer>[], cause: unknown): void {
    const { restore, refuse } = this.#options;
    restore(cause, batch.length);
    const isFinal = batch.length === 1 || cause instanceof BrokenAssertion;
    if (cause instanceof BrokenAssertion) {
      this.#broken = cause;
      this.#end(cause);
    }
    for (const waiting of batch) {
      if (isFinal) waiting.resolve(refuse(waiting.message, cause));
      else this.#judge([waiting]);
    }
  }

  /**
   * Ends the object. The platform's `abort` throws. Until the object has ended, waiting messages are
   * answered.
   */
  #end(cause: unknown): void {
    try {
      this.#options.abort(cause);
    } catch {
      // The exception of `abort` says only that it was called.
    }
  }
}
