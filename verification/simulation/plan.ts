// A plan: the requests of clients, and the faults of the network, the disk and the platform. All of it is
// drawn before the run, step by step, so that a plan can be cut down and kept.

import type { Call } from "../model/types.ts";

/** The start of every history by a true clock: a full second, so that times on the wire are round. */
export const T0 = 1_000_000_000_000;

/** What a client asks for. Instants are absolute. */
export type Ask =
  | Exclude<Call, { readonly kind: "change" | "restore" }>
  /** `isGuarded` sends If-Match with the last tag that this client saw. */
  | (Extract<Call, { readonly kind: "change" }> & { readonly isGuarded: boolean })
  | { readonly kind: "claim_many"; readonly userIds: readonly string[]; readonly key: string | null }
  | { readonly kind: "page"; readonly after: number; readonly limit: number }
  | { readonly kind: "metrics" }
  /** Downloads a backup. */
  | { readonly kind: "backup" }
  /** Sends one of `of` parts of the last backup that was downloaded. Without one it sends nothing. */
  | { readonly kind: "restore"; readonly part: number; readonly of: number }
  /** The public views, from the snapshot of an isolate. */
  | { readonly kind: "status" }
  | { readonly kind: "view" };

/** The marks of an exception; `own_code` comes from the object's code, which can claim anything. */
export const MARKS = ["retryable", "reset", "out_of_memory", "unmarked", "own_code"] as const;
export type Mark = (typeof MARKS)[number];

/**
 * What happens to one attempt of the Worker. It is `delivered` and answered. It never arrives
 * (`request_lost`, or `turned_away` by the platform). Its answer never comes back (`answer_lost`). It arrives
 * after the Worker got a failure (`late`). It is delivered and stays without any answer (`silent`).
 */
export const FAULTS = ["delivered", "request_lost", "turned_away", "answer_lost", "late", "silent"] as const;
export type FaultPlan = {
  readonly is: (typeof FAULTS)[number];
  /** The way there and back, in milliseconds. */
  readonly toMs: number;
  readonly backMs: number;
  /** The exception of a failure. */
  readonly mark: Mark;
  /** How long after the first delivery the network repeats it; null without a duplicate. */
  readonly duplicateMs: number | null;
};

/** A client sends a request `at` milliseconds from the start. */
export type AskStep = {
  readonly is: "ask";
  readonly at: number;
  readonly client: number;
  /** The isolate that gets it. */
  readonly isolate: number;
  readonly ask: Ask;
  /** The faults of its attempts, in order. Further attempts go well. */
  readonly faultPlans: readonly FaultPlan[];
  /** How often the client repeats its request, with the same key, while the outcome is unknown. */
  readonly patience: number;
  readonly patienceMs: number;
  /** How long the visitor stays; null until the answer. */
  readonly leavesMs: number | null;
};

/** The end of an instance, and the start of the next one. */
export type End = {
  /** Whether unflushed writes are lost. */
  readonly isLossy: boolean;
  /** How far the clock of the next instance is ahead of the true one; null to leave it. */
  readonly skewMs: number | null;
  /** The exception that callers get. */
  readonly mark: Mark;
};

/** From `at` on, the fault point after `skip` others fails: it throws, or the instance ends. */
export type BreakStep = End & { readonly is: "break"; readonly at: number; readonly skip: number; readonly how: "throw" | "crash" };

/** The instance ends between two turns. */
export type RestartStep = End & { readonly is: "restart"; readonly at: number };

/** The clock of an isolate is set back. */
export type ClockStep = { readonly is: "clock"; readonly at: number; readonly isolate: number; readonly backMs: number };

/** The next flush fails, and the object ends itself a while later. */
export type FlushStep = { readonly is: "flush"; readonly at: number };

/** The courier ends at its operation after `skip` others, or writes the read model again. */
export type CourierStep = {
  readonly is: "courier";
  readonly at: number;
  readonly what: "end" | "rebuild";
  readonly skip: number;
  readonly isLossy: boolean;
};

/** Isolates report so many claims that they have refused before a start. So the coupon is busy for a while. */
export type RushStep = { readonly is: "rush"; readonly at: number; readonly count: number };

/** All lanes end. */
export type LanesStep = { readonly is: "lanes"; readonly at: number };

export type Step = AskStep | BreakStep | RestartStep | ClockStep | FlushStep | CourierStep | RushStep | LanesStep;

/** The variable `LANES`. Of a hundred calls of a lane, how many meet a fault; and their longest way. */
export type LanesPlan = { readonly setting: "auto" | "1" | "2"; readonly faultPercent: number; readonly wayMsMax: number };

/** A receiver of webhooks; `events` of null are all. It is `good` after the faults, `down` for ever, or `gone` from its message `goneAfter` on. */
export type ReceiverPlan = { readonly is: "good" | "down" | "gone"; readonly goneAfter: number; readonly events: readonly string[] | null };

/** What a courier meets. */
export type DeliveryPlan = {
  /** Of a hundred calls, how many meet a fault, up to the instant `faultsUntil`; and their longest way. */
  readonly faultPercent: number;
  readonly faultsUntil: number;
  readonly wayMsMax: number;
  /** How far the courier's clock is ahead of the true one. */
  readonly skewMs: number;
  readonly receivers: readonly ReceiverPlan[];
};

export type Plan = {
  readonly seed: number;
  /** How long a flush takes, and how much longer it can take. */
  readonly diskMs: number;
  readonly diskJitterMs: number;
  /** Of a hundred flushes, how many take up to `slowDiskMs` instead. */
  readonly slowFlushes: number;
  readonly slowDiskMs: number;
  /** How late an alarm runs. */
  readonly alarmLateMs: number;
  /** Whether isolates refuse by certificates. */
  readonly isEdgeOn: boolean;
  /** Of a hundred requests for a certificate, how many meet a fault; and their longest way. */
  readonly faultPercent: number;
  readonly wayMsMax: number;
  /** Whether the run goes on until every alarm has run. */
  readonly isDrained: boolean;
  /** Without it the coupon has no courier. */
  readonly delivery?: DeliveryPlan;
  /** Without it claims go to the coupon directly. */
  readonly lanes?: LanesPlan;
  /** By their instants. */
  readonly steps: readonly Step[];
};
