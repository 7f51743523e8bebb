// The object's alarm. It expires holds on time if no message arrives, and repeats a notice to the courier. No answer
// depends on it.

import { ALARM_RETRY_MS_MAX, ALARM_RETRY_MS_MIN } from "../domain/limits.ts";

export class ExpiryAlarm {
  readonly #storage: DurableObjectStorage;
  readonly #failed: (event: string, cause: unknown) => void;
  /**
   * The time of the alarm, as far as this instance knows. To read it costs a call, and to set it writes a
   * row.
   */
  #alarmAt: number | null = null;
  /** False in a new instance, where an alarm may be set. */
  #isKnown = false;
  #failureCount = 0;

  constructor(storage: DurableObjectStorage, failed: (event: string, cause: unknown) => void) {
    this.#storage = storage;
    this.#failed = failed;
  }

  /**
   * Sets the alarm after a batch, for the hold that expires next and for the notice to the courier. `hasNews` says that
   * the batch has left work for the courier, `hasOthers` that it had not only claims.
   */
  follow(
    { hasNews, hasOthers }: { readonly hasNews: boolean; readonly hasOthers: boolean },
    nextExpiryAt: number | null,
    noticeAt: number | null,
  ): void {
    // Claims alone set an alarm for the notice alone: an earlier alarm delays their commit, and a claim makes no hold.
    const needsAlarm = hasOthers || (noticeAt !== null && (this.#alarmAt === null || this.#alarmAt > noticeAt));
    if (hasNews && needsAlarm) this.schedule(earliest(nextExpiryAt, noticeAt));
    else if (hasOthers) void this.ensure(nextExpiryAt);
  }

  /**
   * Sets the alarm to `at`, unless this instance knows of an earlier one. It is stored with the writes of the turn or
   * not at all. Never throws.
   */
  schedule(at: number | null): void {
    if (at !== null && (this.#alarmAt === null || at < this.#alarmAt)) this.#set(at);
  }

  /** As {@link ExpiryAlarm.schedule}, but a new instance first reads the alarm, and never replaces an earlier one. */
  async ensure(at: number | null): Promise<void> {
    if (at === null) return;
    if (!this.#isKnown) {
      const stored = await this.#storage.getAlarm().catch(() => null);
      if (!this.#isKnown) this.#alarmAt = stored;
      this.#isKnown = true;
    }
    this.schedule(at);
  }

  /**
   * Handles the alarm: runs `work`. If that returns false, sets the alarm for a retry, unless it is set earlier.
   * Throws only if `work` throws.
   */
  async run(now: number, work: () => Promise<boolean>): Promise<void> {
    this.#isKnown = true;
    this.#alarmAt = null;
    if (await work()) {
      this.#failureCount = 0;
      return;
    }
    this.repeat(now);
    this.#failureCount += 1;
  }

  /** Sets the alarm for a retry, unless it is set earlier. Each alarm that fails doubles the pause. */
  repeat(now: number): void {
    this.schedule(now + Math.min(ALARM_RETRY_MS_MIN * 2 ** this.#failureCount, ALARM_RETRY_MS_MAX));
  }

  /** Call this after a deletion of storage, which may have deleted the alarm too. */
  clear(): void {
    this.#isKnown = true;
    this.#alarmAt = null;
    this.#failureCount = 0;
  }

  #set(at: number): void {
    this.#isKnown = true;
    this.#alarmAt = at;
    // If it can't be stored, the output gate breaks and the platform ends this instance.
    this.#storage.setAlarm(at).catch((cause: unknown) => this.#failed("alarm_not_set", cause));
  }
}

/** Returns the earlier instant, of those that are set. */
function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
