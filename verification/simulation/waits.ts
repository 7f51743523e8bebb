// How long a message may wait in the object.

import { BATCH_WAIT_MS_MAX } from "../../src/domain/limits.ts";

/** What may wait for a lease, and has no instant of its own before. */
export const DEFERRABLE: ReadonlySet<string> = new Set(["change", "release", "give_back", "end_holds", "remove"]);

/** The longest that a message may wait for its batch, and for a lease, in milliseconds; with what timers round. */
export const WAIT_MS_MAX = BATCH_WAIT_MS_MAX + 2;
export const DEFERRED_MS_MAX = 1_100 + 2 * WAIT_MS_MAX;
