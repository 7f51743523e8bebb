// One sale as the operator's page knows it, and the rules of its numbers and sentences.

import { count, fromNow, instant, units } from "../format.ts";

/** The fields of `GET /api/coupons/{name}` that the page uses. */
export type Coupon = {
  readonly name: string;
  readonly state: string;
  readonly amount: number;
  readonly remaining_amount: number;
  readonly held_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly paused: boolean;
  readonly title: string | null;
  readonly description: string | null;
  readonly image_url: string | null;
  readonly created_at: string;
  /** The ledger's head in these numbers. */
  readonly seq: number;
};

type Snapshot = Units & Pick<Coupon, "state" | "starts_at" | "ends_at" | "seq">;

/** Returns a sale with the newer numbers: its own, or those of the stream. */
export function newest(coupon: Coupon, snapshot: Snapshot | null): Coupon {
  if (snapshot === null || snapshot.seq < coupon.seq) return coupon;
  const { state, amount, remaining_amount, held_amount, starts_at, ends_at, seq } = snapshot;
  return { ...coupon, state, amount, remaining_amount, held_amount, starts_at, ends_at, seq };
}

type Units = Pick<Coupon, "amount" | "remaining_amount" | "held_amount">;

/** Returns the units that users have claimed. */
export function claimedOf({ amount, remaining_amount: remaining, held_amount: held }: Units): number {
  return amount - remaining - held;
}

const SETTINGS = {
  amount: "the number of units",
  starts_at: "the opening",
  ends_at: "the end",
  paused: "the pause",
  title: "the title",
  description: "the description",
  image_url: "the picture",
} as const satisfies Partial<Record<keyof Coupon, string>>;

const FIELDS = [
  "amount",
  "starts_at",
  "ends_at",
  "paused",
  "title",
  "description",
  "image_url",
] as const satisfies (keyof typeof SETTINGS)[];

/** Returns what another operator has changed since `seen`, as a sentence. Null if nothing: claims are no change. */
export function changeSince(seen: Coupon, now: Coupon): string | null {
  if (seen.created_at !== now.created_at) return "Another operator has deleted this sale and created another one of its name.";
  if (seen.state !== "archived" && now.state === "archived") return "Somebody else has archived this sale.";
  const changed = FIELDS.filter((field) => seen[field] !== now[field]).map((field) => SETTINGS[field]);
  if (changed.length === 0) return null;
  return `Somebody else has changed ${listed(changed)}. You see the new state now: check it, and try again.`;
}

/** Returns `a`, `a and b` or `a, b and c`. */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** Returns what the sale does at `now`, in a sentence. */
export function stateSentence({ state, starts_at: startsAt, ends_at: endsAt, paused }: Coupon, now: number): string {
  const opens = startsAt === null ? "" : `${instant(startsAt)}, ${fromNow(startsAt, now)}`;
  const ends = endsAt === null ? "The sale has no end." : `The sale ends ${instant(endsAt)}, ${fromNow(endsAt, now)}.`;
  switch (state) {
    case "archived":
      return "The sale is closed for good. Everything stays readable.";
    case "ended":
      return endsAt === null ? "The sale has ended." : `The sale ended ${instant(endsAt)}, ${fromNow(endsAt, now)}.`;
    case "scheduled":
      return `The sale opens ${opens}${paused ? ", but it is paused: resume it before" : ""}. ${ends}`;
    case "paused":
      return `The sale is paused: new users can neither claim nor hold. ${ends}`;
    case "sold_out":
      return `No unit is left. A revoke, an ended hold or a restock opens the sale again. ${ends}`;
    default:
      return `Users can claim now. ${ends}`;
  }
}

/** What a restock would do, and the amount that it sends. `amount` is null if there is nothing to send. */
export type Restock = { readonly amount: number | null; readonly sentence: string };

export function restockOf(coupon: Units, typed: number | string | undefined): Restock {
  const least = Math.max(1, coupon.amount - coupon.remaining_amount);
  if (typeof typed !== "number" || typed < 1) return { amount: null, sentence: "Type the new number of units." };
  if (typed === coupon.amount) return { amount: null, sentence: `The sale has ${units(typed)} already.` };
  if (typed < least) return { amount: null, sentence: `${units(least)} are claimed or held, so that is the least.` };
  const difference = typed - coupon.amount;
  const left = coupon.remaining_amount + difference;
  const size = Math.abs(difference);
  const change = `${size === 1 ? "one" : count(size)} ${difference > 0 ? "more" : "fewer"}`;
  const after = left === 0 ? "The sale is then sold out." : `${left === 1 ? "One is" : `${count(left)} are`} then left.`;
  return { amount: typed, sentence: `From ${count(coupon.amount)} to ${count(typed)}: ${change}. ${after}` };
}

/** Returns `one unit is left` or `500 units are left`. */
export function leftIn(coupon: Pick<Coupon, "remaining_amount">): string {
  const left = coupon.remaining_amount;
  return left === 0 ? "no unit is left" : `${units(left)} ${left === 1 ? "is" : "are"} left`;
}

/** Returns `one hold` or `12 holds`. */
export function holds(value: number): string {
  return value === 1 ? "one hold" : `${count(value)} holds`;
}

/** Returns `one claim` or `12 claims`. */
export function claims(value: number): string {
  return value === 1 ? "one claim" : `${count(value)} claims`;
}

/** Returns a text with its first letter as a capital. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Returns a text of an unknown direction, so that it does not turn the sentence around it. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
