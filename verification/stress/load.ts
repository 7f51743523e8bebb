// Sends requests at their instants, whatever became of those before, and notes how each went.

import { setTimeout as pause } from "node:timers/promises";

import { progressOf } from "../cli/progress.ts";
import type { Answer } from "../client/coupon-client.ts";
import { failureOf, type Crowd } from "./crowd.ts";

/** A request and when it is meant to be sent, in milliseconds from the start of the load. */
export type Slot = { readonly atMs: number; readonly send: () => Promise<Answer> };

export type Sent<Planned extends Slot> = {
  readonly slot: Planned;
  /** From the instant at which it was meant to be sent: a server that stalls the sender cannot hide it. */
  readonly latencyMs: number;
  /** When it was sent, and when it was over, from the start of the load. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
} & ({ readonly answer: Answer; readonly failure: null } | { readonly answer: null; readonly failure: string });

const PROGRESS_EVERY_MS = 100;
/** Beyond the timeout of the last request, for connections that have several waiting. */
const GRACE_MS = 2_000;

/**
 * Sends every slot, which come in the order of their instants; those of one instant go out at once. Resolves when all are
 * answered or have failed, `timeoutMs` of the crowd after the last of them at the latest, and a moment. Without a label no
 * progress is shown.
 */
export async function drive<Planned extends Slot>(label: string | null, slots: readonly Planned[], crowd: Crowd): Promise<Sent<Planned>[]> {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  let endedCount = 0;

  async function send(slot: Planned): Promise<Sent<Planned>> {
    const sentAtMs = now();
    const outcome = await slot.send().then(
      (answer) => ({ answer, failure: null }),
      (cause: unknown) => ({ answer: null, failure: failureOf(cause, crowd.timeoutMs) }),
    );
    const endedAtMs = now();
    endedCount += 1;
    return { slot, latencyMs: endedAtMs - slot.atMs, sentAtMs, endedAtMs, ...outcome };
  }

  const progress = label === null ? null : progressOf(label, slots.length);
  const shown = setInterval(() => progress?.update(endedCount), PROGRESS_EVERY_MS);
  let overdue: ReturnType<typeof setTimeout> | undefined;
  try {
    const sent: Promise<Sent<Planned>>[] = [];
    for (const slot of slots) {
      // Again, as a timer may come a little early, and what is sent early looks faster than it was.
      for (let early = slot.atMs - now(); early > 0; early = slot.atMs - now()) await pause(Math.ceil(early));
      sent.push(send(slot));
    }
    overdue = setTimeout(() => void crowd.leave(), crowd.timeoutMs + GRACE_MS);
    return await Promise.all(sent);
  } finally {
    clearTimeout(overdue);
    clearInterval(shown);
    progress?.stop();
  }
}
