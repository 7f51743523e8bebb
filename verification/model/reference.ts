// A correct coupon: it judges calls in their order and keeps its own ledger.

import { follow, type Coupon } from "./coupon.ts";
import { judge, type Verdict } from "./judge.ts";
import { changed, UNSET } from "./settings.ts";
import type { Answer, Call, EventKind, LedgerEvent } from "./types.ts";

export class Reference {
  coupon: Coupon | null = null;
  /** How often the coupon was created. */
  incarnation = 0;
  /** The ledgers of all incarnations, in order. */
  readonly events: LedgerEvent[] = [];

  /** The ledger's head; 0 without a coupon. */
  get seq(): number {
    return this.coupon === null ? 0 : (this.events.at(-1)?.seq ?? 0);
  }

  /** Answers a call that is judged at `at`, which is not before the last event. */
  answer(call: Call, attempt: string, at: number): Answer {
    if (call.kind !== "remove") this.expire(at);
    const verdict = judge(this.coupon, call, attempt, at);
    const events = eventsFor(verdict, call, attempt, this.coupon, this.seq, at);
    for (const event of events) this.#append(event, attempt, "key" in call ? (call.key ?? null) : null);
    const { isEvent: _isEvent, attempt: _attempt, erasedSeqs: _seqs, ...answer } = verdict;
    return { ...answer, seq: this.seq, incarnation: this.incarnation };
  }

  /** Removes the holds that have expired, the earliest first. */
  expire(at: number): void {
    while (this.coupon !== null && this.coupon.nextExpiryAt <= at) {
      const { holds, nextExpiryAt } = this.coupon;
      const over = Array.from(holds.keys()).filter((userId) => holds.get(userId)?.expiresAt === nextExpiryAt);
      for (const userId of over.toSorted()) this.#append({ kind: "expired", seq: this.seq + 1, at, userId, position: null }, null, null);
    }
  }

  #append(event: LedgerEvent, attempt: string | null, key: string | null): void {
    if (event.kind === "given_back") this.#nameHold(event.userId ?? "");
    if (event.kind === "created") this.incarnation += 1;
    this.events.push(event);
    this.coupon = follow(this.coupon, event, attempt, key);
  }

  /** The tables keep the attempt of a released hold, so the event of that hold has it too. */
  #nameHold(userId: string): void {
    const index = this.events.findLastIndex((event) => event.kind === "held" && event.userId === userId);
    const event = this.events[index];
    const attempt = this.coupon?.holds.get(userId)?.attempt ?? null;
    if (event !== undefined && attempt !== null) this.events[index] = { ...event, attempt };
  }
}

/** The events that a verdict on `call` appends to the ledger of `coupon`, behind `seq`. */
export function eventsFor(
  verdict: Verdict,
  call: Call,
  attempt: string | null,
  coupon: Coupon | null,
  seq: number,
  at: number,
): readonly LedgerEvent[] {
  if (verdict.isEvent !== true) return [];
  if (call.kind === "end_holds")
    return Array.from(coupon?.holds.keys() ?? [])
      .toSorted()
      .map((userId, index) => ({ kind: "given_back", seq: seq + 1 + index, at, userId, position: null }));
  const kind = verdict.is as EventKind;
  const position = kind === "claimed" || kind === "released" ? (verdict.position ?? null) : null;
  const base = { kind, seq: kind === "removed" ? 0 : seq + 1, at, userId: "userId" in call ? call.userId : null, position };
  if (call.kind === "claim") return [{ ...base, key: call.key, ...(attempt === null ? {} : { attempt }) }];
  if (verdict.erasedSeqs !== undefined) return [{ ...base, erasedSeqs: verdict.erasedSeqs }];
  if (verdict.expiresAt !== undefined) return [{ ...base, expiresAt: verdict.expiresAt }];
  return [kind === "created" || kind === "changed" ? { ...base, settings: changed(UNSET, verdict) } : base];
}
