// Group commit: what arrives while a commit is on its way to disk shares the next one.

import { assert, BrokenAssertion } from "../domain/assert.ts";

type Waiter<Item, Result> = { readonly item: Item; readonly resolve: (result: Result) => void };

export type GroupCommitOptions<Item, Result> = {
  /** Commits a batch in one transaction and answers each item. A throw means that nothing of the batch was written. */
  readonly commit: (items: readonly Item[]) => readonly Result[];
  /** Brings memory back to what is stored, after a throw of `commit`. */
  readonly restore: (cause: unknown) => void;
  /** Resolves once all that was committed so far is on disk. Must not reject. */
  readonly settled: () => Promise<unknown>;
  /** What an item is told that could not be taken in, or that storage refused even alone; `cause` says why. */
  readonly refuse: (item: Item, cause: unknown) => Result;
  /** Ends the object: a fact that had to hold is broken. */
  readonly abort: (cause: BrokenAssertion) => void;
  readonly batchSizeMax: number;
  readonly queueLengthMax: number;
};

/** Why an item was refused before it was tried. */
export const QUEUE_IS_FULL = new Error("the queue of claims is full");

/**
 * The queue in front of one transaction. An item that finds it idle is committed at once; those that arrive until that
 * commit is on disk wait together for the next. Every item is answered exactly once, whatever its neighbours do.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  #queue: Waiter<Item, Result>[] = [];
  #isBusy = false;
  /** Once a fact was broken nothing is committed any more, whether or not `abort` ends this object at once. */
  #broken: BrokenAssertion | null = null;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  /** Answers `item` once it was committed or refused. Never throws. */
  submit(item: Item): Promise<Result> {
    if (this.#queue.length >= this.#options.queueLengthMax) return Promise.resolve(this.#options.refuse(item, QUEUE_IS_FULL));
    const answer = new Promise<Result>((resolve) => this.#queue.push({ item, resolve }));
    if (!this.#isBusy) void this.#drain();
    return answer;
  }

  /** Commits batch after batch until nobody waits; the first one before it returns to its caller. */
  async #drain(): Promise<void> {
    this.#isBusy = true;
    while (this.#queue.length > 0) {
      // Taken out of the queue before anything can throw, so that no item is tried twice or left behind.
      const batch = this.#queue.splice(0, this.#options.batchSizeMax);
      this.#commit(batch);
      await this.#options.settled();
    }
    this.#isBusy = false;
  }

  #commit(batch: readonly Waiter<Item, Result>[]): void {
    try {
      if (this.#broken !== null) throw this.#broken;
      const results = this.#options.commit(batch.map(({ item }) => item));
      assert(results.length === batch.length, "every item of a batch is answered");
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (cause) {
      this.#recover(batch, cause);
    }
  }

  /** Nothing of `batch` was written: one by one, so that an item that can't be written fails alone. */
  #recover(batch: readonly Waiter<Item, Result>[], cause: unknown): void {
    this.#options.restore(cause);
    const isHopeless = batch.length === 1 || cause instanceof BrokenAssertion;
    if (cause instanceof BrokenAssertion) {
      this.#broken = cause;
      this.#options.abort(cause);
    }
    for (const waiter of batch) {
      if (isHopeless) waiter.resolve(this.#options.refuse(waiter.item, cause));
      else this.#commit([waiter]);
    }
  }
}
