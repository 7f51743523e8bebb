// Schedules a write of the claim counts, if no other message writes them before.

import { COUNTS_FLUSH_MS } from "../domain/limits.ts";

export class CountsFlush {
  readonly #isDue: () => boolean;
  readonly #write: () => void;
  #isScheduled = false;

  /** `isDue` says whether only memory has some counts. `write` submits a message that writes them. */
  constructor(isDue: () => boolean, write: () => void) {
    this.#isDue = isDue;
    this.#write = write;
  }

  /** Call this whenever counts may have changed. */
  schedule(): void {
    if (this.#isScheduled || !this.#isDue()) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      if (this.#isDue()) this.#write();
    }, COUNTS_FLUSH_MS);
  }
}
