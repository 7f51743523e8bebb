// The object's alarm: it expires holds on time where no message comes. No answer depends on it.

import { ALARM_RETRY_MS_MAX, ALARM_RETRY_MS_MIN } from "../domain/limits.ts";

export class ExpiryAlarm {
  readonly #storage: DurableObjectStorage;
  readonly #failed: (event: string, cause: unknown) => void;
  /** When the platform will call, as far as this instance knows. Asking it costs, and setting the alarm writes a row. */
  #alarmAt: number | null = null;
  #failureCount = 0;

  constructor(storage: DurableObjectStorage, failed: (event: string, cause: unknown) => void) {
    this.#storage = storage;
    this.#failed = failed;
  }

  /** Sets the alarm for `at` unless it is set earlier. Joins the writes of the turn: it lands with them or not at all. Never throws. */
  schedule(at: number | null): void {
    if (at !== null && (this.#alarmAt === null || at < this.#alarmAt)) this.#set(at);
  }

  /** The alarm went off: runs `expire`, and later again where that failed. Never throws. */
  async run(now: number, expire: () => Promise<boolean>): Promise<void> {
    this.#alarmAt = null;
    if (await expire()) {
      this.#failureCount = 0;
      return;
    }
    this.#set(now + Math.min(ALARM_RETRY_MS_MIN * 2 ** this.#failureCount, ALARM_RETRY_MS_MAX));
    this.#failureCount += 1;
  }

  /** The alarm went with everything else that was stored. */
  clear(): void {
    this.#alarmAt = null;
    this.#failureCount = 0;
  }

  #set(at: number): void {
    this.#alarmAt = at;
    // A failure to store it breaks the object's output gate, and with it this instance.
    this.#storage.setAlarm(at).catch((cause: unknown) => this.#failed("alarm_not_set", cause));
  }
}
