// What each isolate has heard of the object, and what it therefore may not say by itself any more.

import type { Result } from "./answers.ts";
import type { Ask } from "./plan.ts";

/** Where a coupon stood: in which of its lives, and at which head of its ledger. */
type Point = { readonly life: number; readonly seq: number };

export class Certificates {
  /** By isolate and head: the life of which a certificate with that head came; null where there were several. */
  readonly #lives = new Map<string, number | null>();
  /** By isolate: where the coupon stood by the last refusal of its own. */
  readonly #refusals = new Map<number, Point>();
  /** By isolate: the last thing it did to the coupon, or heard that was done for somebody. */
  readonly #news = new Map<number, Point>();
  /** By isolate: where the coupon stood by any answer that it brought. */
  readonly #told = new Map<number, Point>();
  /** By isolate and user: where the coupon stood when the isolate last told them of their claim or hold. */
  readonly #owners = new Map<string, Point>();

  /** Notes an answer of the object to `ask`, about the coupon in this life; null where that can't be told. */
  hear(isolate: number, ask: Ask, result: Result, known: number | null): void {
    const { seq } = result;
    const life = known ?? 0;
    const told = this.#told.get(isolate);
    if (known !== null && (told === undefined || isBefore(told, { life, seq }))) this.#told.set(isolate, { life, seq });
    if ("certificate" in result) {
      const head = `${isolate} ${seq}`;
      const before = this.#lives.get(head);
      this.#lives.set(head, before === undefined || before === life ? life : null);
    }
    if (isOfOwn(ask, result) && "userId" in ask) this.#owners.set(`${isolate} ${ask.userId}`, { life, seq });
    if (!isNews(ask, result)) return;
    const point = ask.kind === "remove" ? { life: life + 1, seq: 0 } : { life, seq };
    const before = this.#news.get(isolate);
    if (before === undefined || isBefore(before, point)) this.#news.set(isolate, point);
  }

  /** The life that a refusal by the isolate itself is about; null where that can't be told. */
  lifeAt(isolate: number, seq: number): number | null {
    return this.#lives.get(`${isolate} ${seq}`) ?? null;
  }

  /** Notes a refusal of `ask` by the isolate itself, and answers why it may not refuse so any more; null where it may. */
  refuse(isolate: number, ask: Ask, seq: number): string | null {
    if (!this.#lives.has(`${isolate} ${seq}`)) return `an isolate refused at seq ${seq}, for which it never had a certificate`;
    const life = this.lifeAt(isolate, seq);
    if (life === null) return null;
    const point = { life, seq };
    const own = "userId" in ask ? this.#owners.get(`${isolate} ${ask.userId}`) : undefined;
    if (own !== undefined && isBefore(point, own))
      return `an isolate refused at seq ${seq} a user whom it had told of their own since, at seq ${own.seq}`;
    const news = this.#news.get(isolate);
    if (news !== undefined && isBefore(point, news))
      return `an isolate refused at seq ${seq} although it had done something to the coupon since, at seq ${news.seq}`;
    const told = this.#told.get(isolate);
    if (told?.life === life && seq < told.seq)
      return `an isolate refused at seq ${seq} although it had brought an answer at seq ${told.seq}`;
    const before = this.#refusals.get(isolate);
    this.#refusals.set(isolate, point);
    if (before === undefined || !isBefore(point, before)) return null;
    return `an isolate refused at seq ${seq} although it had refused at seq ${before.seq} before`;
  }
}

/** After these an isolate forgets what it knew. */
function isNews({ kind }: Ask, result: Result): boolean {
  if (!result.ok) return false;
  if (kind === "claim") return "replayed" in result && !result.replayed;
  if (kind === "hold") return "isNew" in result && result.isNew;
  return kind === "create" || kind === "change" || kind === "claim_many" || kind === "release" || kind === "give_back" || kind === "remove";
}

/** Whether somebody was told that they have something already, or now. */
function isOfOwn({ kind }: Ask, result: Result): boolean {
  return (kind === "claim" || kind === "hold" || kind === "own") && (result.ok || result.code === "already_claimed");
}

function isBefore(a: Point, b: Point): boolean {
  return a.life < b.life || (a.life === b.life && a.seq < b.seq);
}
