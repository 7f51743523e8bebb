// Sends each request at its planned instant, also while earlier ones are unanswered.

import { setTimeout as pause } from "node:timers/promises";

import { progressOf } from "../../scripts/cli/progress.ts";
import type { Answer } from "../client/coupon-client.ts";
import { failureOf, type VirtualUsers } from "./virtual-users.ts";

/** A planned request. `atMs` counts from the start of the load. */
export type Slot = { readonly atMs: number; readonly send: () => Promise<Answer> };

export type Sent<Planned extends Slot> = {
  readonly slot: Planned;
  /** From the planned instant, so that a server that stalls the sender cannot hide it. */
  readonly latencyMs: number;
  /** From the start of the load. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
} & ({ readonly answer: Answer; readonly failure: null } | { readonly answer: null; readonly failure: string });

const PROGRESS_EVERY_MS = 100;
/** Beyond the timeout of the last request, for connections with several waiting requests. */
const GRACE_MS = 2_000;

/**
 * Sends every slot; they are in the order of their instants. Resolves when all are answered or have failed,
 * at the latest `timeoutMs` and {@link GRACE_MS} after the last one. Shows progress if there is a label.
 */
export async function drive<Planned extends Slot>(
  label: string | null,
  slots: readonly Planned[],
  virtualUsers: VirtualUsers,
): Promise<Sent<Planned>[]> {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  let endedCount = 0;

  async function send(slot: Planned): Promise<Sent<Planned>> {
    const sentAtMs = now();
    const outcome = await slot.send().then(
      (answer) => ({ answer, failure: null }),
      (cause: unknown) => ({ answer: null, failure: failureOf(cause, virtualUsers.timeoutMs) }),
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
      // A timer may fire early, and a request that is sent early seems faster than it is.
      for (let early = slot.atMs - now(); early > 0; early = slot.atMs - now()) await pause(Math.ceil(early));
      sent.push(send(slot));
    }
    overdue = setTimeout(() => void virtualUsers.close(), virtualUsers.timeoutMs + GRACE_MS);
    return await Promise.all(sent);
  } finally {
    clearTimeout(overdue);
    clearInterval(shown);
    progress?.stop();
  }
}
