// Reads of a coupon's outbox that sinks share, so that 50 endpoints at one place cost the coupon's object one read.

import type { OutboxPage } from "../domain/delivery.ts";

export class SharedReads {
  readonly #underWay = new Map<string, Promise<OutboxPage | null>>();

  /** Returns what `read` returns, or what a read with the same key that is under way returns. */
  share(key: string, read: () => Promise<OutboxPage | null>): Promise<OutboxPage | null> {
    let reading = this.#underWay.get(key);
    if (reading === undefined) {
      reading = read().finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, reading);
    }
    return reading;
  }
}
