// A plan: what clients ask, and what the network, the disk and the platform do to it. All of it is settled before anything
// runs, step by step, so that a plan can be cut, and kept.

import type { Call } from "../model/types.ts";

/** The instant at which every history begins, by a true clock. A full second, so that times on the wire are round. */
export const T0 = 1_000_000_000_000;

/** What a client asks. Instants in it are absolute. */
export type Ask =
  | Exclude<Call, { readonly kind: "change" }>
  /** `isGuarded` sends, as If-Match, the tag of the coupon as this client saw it last. */
  | (Extract<Call, { readonly kind: "change" }> & { readonly isGuarded: boolean })
  | { readonly kind: "claim_many"; readonly userIds: readonly string[]; readonly key: string | null }
  | { readonly kind: "page"; readonly after: number; readonly limit: number }
  | { readonly kind: "metrics" }
  /** The public views, from the isolate's snapshot. */
  | { readonly kind: "status" }
  | { readonly kind: "view" };

/** What an exception says of itself; `unmarked` says nothing, and `own_code` comes from the object's code, which can say anything. */
export const MARKS = ["retryable", "reset", "out_of_memory", "unmarked", "own_code"] as const;
export type Mark = (typeof MARKS)[number];

/**
 * What becomes of one attempt of the Worker: it is `delivered` and answered; the object never hears of it (`request_lost`, and
 * `turned_away` where the platform says so); its answer never comes back (`answer_lost`), or it arrives only after the Worker was
 * answered that it failed (`late`); or nobody ever says anything (`silent`).
 */
export const FAULTS = ["delivered", "request_lost", "turned_away", "answer_lost", "late", "silent"] as const;
export type FaultPlan = {
  readonly is: (typeof FAULTS)[number];
  /** On the way there and back. */
  readonly toMs: number;
  readonly backMs: number;
  /** What the Worker is answered where it fails. */
  readonly mark: Mark;
  /** How long after the first the network delivers it once more; null where it does not. */
  readonly duplicateMs: number | null;
};

/** A client asks, at `at` milliseconds from the beginning. */
export type AskStep = {
  readonly is: "ask";
  readonly at: number;
  readonly client: number;
  /** Through which of the Worker's isolates. */
  readonly isolate: number;
  readonly ask: Ask;
  /** Of the attempts in their order; those that go on beyond the list go well. */
  readonly faultPlans: readonly FaultPlan[];
  /** How often the client asks again, with the same key, when it was not answered what became of it. */
  readonly patience: number;
  readonly patienceMs: number;
  /** How long the visitor stays; null where until the answer. */
  readonly leavesMs: number | null;
};

/** The end of an instance, and the beginning of the next one. */
export type End = {
  /** Whether all that was not on disk yet is lost with it. */
  readonly isLossy: boolean;
  /** By how much the clock of the next instance is ahead of the true one; null where it stays as it was. */
  readonly skewMs: number | null;
  /** What those who wait for an answer are answered. */
  readonly mark: Mark;
};

/** From `at` on, the fault point after `skip` others fails: by a throw, or by the end of the instance. */
export type BreakStep = End & { readonly is: "break"; readonly at: number; readonly skip: number; readonly how: "throw" | "crash" };

/** The instance ends at `at`, between two turns: it is evicted, or dies. */
export type RestartStep = End & { readonly is: "restart"; readonly at: number };

/** The clock of an isolate is set back. */
export type ClockStep = { readonly is: "clock"; readonly at: number; readonly isolate: number; readonly backMs: number };

/** The object is answered of the next flush that it failed, and the end that it then asks for is late in coming. */
export type FlushStep = { readonly is: "flush"; readonly at: number };

export type Step = AskStep | BreakStep | RestartStep | ClockStep | FlushStep;

export type Plan = {
  readonly seed: number;
  /** How long it takes until what was written is on disk, and how much longer it can be. */
  readonly diskMs: number;
  readonly diskJitterMs: number;
  /** Of a hundred flushes, how many take up to `slowDiskMs` instead. */
  readonly slowFlushes: number;
  readonly slowDiskMs: number;
  /** How late the platform rings. */
  readonly alarmLateMs: number;
  /** Whether isolates refuse by the certificates of the object. */
  readonly isEdgeOn: boolean;
  /** Of a hundred requests for a certificate, how many fail; and their longest way. */
  readonly faultPercent: number;
  readonly wayMsMax: number;
  /** Whether it goes on until every alarm has rung. */
  readonly isDrained: boolean;
  /** In the order of their instants. */
  readonly steps: readonly Step[];
};
