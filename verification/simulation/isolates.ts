// The answers that each isolate has seen: what it shows must not be older.

import type { Certificate } from "../../src/domain/certificate.ts";
import { LANE_HINT_MS, OPEN_CALLS_PER_LANE } from "../../src/domain/lane-limits.ts";
import { CALL_DEADLINE_MS } from "../../src/domain/limits.ts";
import type { HttpAnswer } from "../faults/wire.ts";
import type { Context } from "./context.ts";
import type { Received } from "./network.ts";
import { BACK_MS_MAX } from "./views.ts";

type Seen = { readonly incarnation: number; readonly seq: number; readonly isRead: boolean };
/** The longest that a rush of a plan makes a coupon busy, and that an answer of that time is on its way. */
const BUSY_MS_MAX = 4_000;

type Held = { readonly certificate: Certificate; readonly until: number };

export class Isolates {
  readonly #context: Context;
  readonly #seen: Seen[][] = [];
  readonly #held = new Map<number, Held>();
  /** When each isolate got its last hint. */
  readonly #hintedAt = new Map<number, number>();
  /** When the claims and holds of each isolate began that have no answer. */
  readonly #open: { readonly isolate: number; readonly at: number }[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** An isolate gets a result of the object. */
  receive({ isolate, result, incarnation }: Received): void {
    const { scheduler } = this.#context;
    if (result.lanes !== undefined) this.#receiveHint(isolate);
    if (!("seq" in result) || (!result.ok && (result.code === "unavailable" || result.code === "invalid_request"))) return;
    (this.#seen[isolate] ??= []).push({ incarnation, seq: result.seq, isRead: "coupon" in result || result.seq === 0 });
    if (!("certificate" in result) || result.certificate === null) return;
    const { certificate } = result;
    this.#context.count(`certificate.${certificate.code}`);
    this.#held.set(isolate, { certificate, until: scheduler.now + certificate.validForMs });
  }

  #receiveHint(isolate: number): void {
    const { scheduler, plan, count, breach } = this.#context;
    count("lanes.hint");
    this.#hintedAt.set(isolate, scheduler.now);
    const isBusy = plan.steps.some((step) => step.is === "rush" && step.at <= scheduler.now && scheduler.now < step.at + BUSY_MS_MAX);
    if (!isBusy) breach("lanes", `isolate ${isolate} has a hint of a coupon that is quiet`);
  }

  /** An isolate begins a claim or a hold. Returns what ends it. */
  open(isolate: number): () => void {
    const call = { isolate, at: this.#context.scheduler.now };
    this.#open.push(call);
    return () => void this.#open.splice(this.#open.indexOf(call), 1);
  }

  /** An isolate sends a message, which is open, through a lane. */
  checkLane(isolate: number): void {
    const { scheduler, plan, breach } = this.#context;
    const sinceMs = scheduler.now - (this.#hintedAt.get(isolate) ?? -Infinity);
    const oldest = scheduler.now - 2 * CALL_DEADLINE_MS - BACK_MS_MAX;
    const others = this.#open.filter((call) => call.isolate === isolate && call.at >= oldest).slice(1);
    const mayUseLane = sinceMs < LANE_HINT_MS + BACK_MS_MAX || others.length >= OPEN_CALLS_PER_LANE;
    if (plan.lanes?.setting === "auto" && !mayUseLane) breach("lanes", `isolate ${isolate} uses a lane ${sinceMs} ms after the last hint`);
  }

  /** How many results an isolate has seen. */
  resultCount(isolate: number): number {
    return this.#seen[isolate]?.length ?? 0;
  }

  /** The incarnation of the last result with this head; a view needs a read. */
  incarnationAt(isolate: number, seq: number, isView = false): { readonly incarnation?: number } {
    const seen = this.#seen[isolate]?.findLast((one) => one.seq === seq && (one.isRead || !isView));
    return seen === undefined ? {} : { incarnation: seen.incarnation };
  }

  /** Whether a claim with a key goes to the object because any key may be new. */
  isBypassed(isolate: number): boolean {
    const held = this.#held.get(isolate);
    return held !== undefined && held.certificate.isAnyKeyNew && this.#context.scheduler.now < held.until;
  }

  /** Whether any certificate is in use. */
  get isAnyInUse(): boolean {
    return [...this.#held.values()].some(({ until }) => this.#context.scheduler.now < until);
  }

  /**
   * Returns how a view is older than the first `count` results of its isolate, within one incarnation; null
   * if it is not.
   */
  viewFault(isolate: number, { headers, body }: HttpAnswer, count: number): string | null {
    // `unavailable` says nothing about the coupon.
    if (body["code"] === "unavailable") return null;
    const seq = Number(headers["coupon-seq"] ?? 0);
    const seen = this.#seen[isolate] ?? [];
    const before = seen.slice(0, count);
    const last = before.at(-1);
    // The view may be of any incarnation with this head.
    const incarnations = new Set(seen.filter((one) => one.seq === seq).map(({ incarnation }) => incarnation));
    if (last === undefined || seq === 0 || !incarnations.has(last.incarnation) || incarnations.size > 1) return null;
    const newest = Math.max(...before.filter(({ incarnation }) => incarnation === last.incarnation).map((one) => one.seq));
    return seq < newest ? `isolate ${isolate} shows seq ${seq} after it had seq ${newest}` : null;
  }
}
