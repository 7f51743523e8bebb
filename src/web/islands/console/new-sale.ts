// The rules of the form that creates a sale: what is sent, and what it will do, in words.

import type { Refused } from "./api.ts";
import { count, fromNow, units } from "./format.ts";
import { cityOf, duration, shortTime, typedTime, type TypedTime } from "./zoned-time.ts";

/** The fields as they are typed, by the API's names. `opens` and `ends` choose whether their time counts. */
export type SaleForm = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly image_url: string;
  readonly amount: string;
  readonly opens: "now" | "later";
  readonly starts_at: string;
  readonly ends: "never" | "later";
  readonly ends_at: string;
  readonly hold_seconds_max: string;
  readonly holds_max: string;
};

export const EMPTY_FORM: SaleForm = {
  name: "",
  title: "",
  description: "",
  image_url: "",
  amount: "",
  opens: "now",
  starts_at: "",
  ends: "never",
  ends_at: "",
  hold_seconds_max: "",
  holds_max: "",
};

/** What the form calls the API's fields. */
const LABELS = {
  name: "The name",
  title: "The title",
  description: "The description",
  image_url: "The picture",
  amount: "The number of units",
  starts_at: "The opening",
  ends_at: "The end",
  hold_seconds_max: "The longest hold",
  holds_max: "The number of holds",
} as const satisfies Partial<Record<keyof SaleForm, string>>;

/** Sentences by the API's fields. */
export type Faults = Readonly<Partial<Record<string, string>>>;

/** Returns the faults that the API names as sentences. */
export function faultSentences(faults: Refused["fields"]): Faults {
  const labels = Object.entries(LABELS).filter(([field]) => faults[field] !== undefined);
  return Object.fromEntries(labels.map(([field, label]) => [field, `${label} ${faults[field] ?? ""}.`]));
}

/** What the form shows for a refusal: a fault at each field, or else a sentence. `isLost`: the sale may exist. */
export type Outcome = { readonly faults: Faults; readonly error: string | null; readonly isLost: boolean };

export function outcomeOf({ status, code, error, fields }: Refused): Outcome {
  if (code === "coupon_exists") return { faults: { name: TAKEN }, error: null, isLost: false };
  if (status === 401) return { faults: {}, error: ENDED, isLost: false };
  const isLost = status === 0 || (status >= 500 && code !== "unavailable" && code !== "misconfigured");
  if (isLost) return { faults: {}, error: LOST, isLost: true };
  const faults = faultSentences(fields);
  return { faults, error: Object.keys(faults).length === 0 ? error : null, isLost: false };
}

const TAKEN = "A sale of this name exists already. Choose another name.";
const ENDED = "Nothing is created, because your session has ended. This page keeps what you typed while you log in.";
const LOST = "No answer arrived, so the sale may exist already. Try again: it is created at most once.";

/** The body of `POST /api/coupons`, or the faults that the browser alone can find. The API finds all others. */
export type Request = { readonly body: Readonly<Record<string, unknown>>; readonly faults: Faults };

export function requestOf(form: SaleForm, zone: string): Request {
  const starts = form.opens === "later" ? typedTime(form.starts_at, zone) : null;
  const ends = form.ends === "later" ? typedTime(form.ends_at, zone) : null;
  const body = {
    name: form.name,
    amount: integerIn(form.amount),
    title: textIn(form.title),
    description: textIn(form.description),
    image_url: textIn(form.image_url),
    starts_at: writtenTime(starts),
    ends_at: writtenTime(ends),
    hold_seconds_max: integerIn(form.hold_seconds_max),
    holds_max: integerIn(form.holds_max),
  };
  const faults = { ...timeFault("starts_at", starts), ...timeFault("ends_at", ends) };
  return { body: Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)), faults };
}

function textIn(typed: string): string | undefined {
  return typed === "" ? undefined : typed;
}

/** Returns the number that is typed, such as `1,000`. Any other text is sent as it is, so that the API refuses it. */
export function integerIn(typed: string): number | string | undefined {
  const text = typed.trim();
  if (text === "") return undefined;
  return /^\d+$|^\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+$/.test(text) ? Number(text.replaceAll(/\D/g, "")) : text;
}

function writtenTime(time: TypedTime | null): string | undefined {
  return time?.kind === "instant" ? new Date(time.at).toISOString() : undefined;
}

export function timeFault(field: string, time: TypedTime | null): Faults {
  if (time === null || time.kind === "instant") return {};
  return { [field]: time.kind === "skipped" ? `${time.note}.` : "Choose a date and a time." };
}

/** What a sale will be, in a sentence, and what its operator may not want. */
export type Preview = { readonly sentence: string; readonly warnings: readonly string[] };

export function previewOf(form: SaleForm, now: number, zone: string): Preview {
  const starts = form.opens === "later" ? typedTime(form.starts_at, zone) : null;
  const ends = form.ends === "later" ? typedTime(form.ends_at, zone) : null;
  const startsAt = starts?.kind === "instant" ? starts.at : null;
  const endsAt = ends?.kind === "instant" ? ends.at : null;
  const isLate = startsAt !== null && startsAt > now;
  const city = cityOf(zone);
  const parts: string[] = [];
  if (isLate) parts.push(`opens ${shortTime(startsAt, now, zone)} ${city}, ${fromNow(startsAt, now)}`);
  else if (starts === null || startsAt !== null) parts.push("opens at once");
  const amount = integerIn(form.amount);
  if (typeof amount === "number" && amount > 0) parts.push(`${units(amount)}, ${amount === 1 ? "for one user" : "one each"}`);
  if (ends === null) parts.push("has no end");
  else if (endsAt !== null) {
    const opensAt = starts !== null && startsAt === null ? null : Math.max(now, startsAt ?? now);
    const after = opensAt === null || endsAt <= opensAt ? "" : `, after ${duration(endsAt - opensAt)}`;
    // The city stands once, behind the first time.
    parts.push(`${endsAt > now ? "ends" : "ended"} ${shortTime(endsAt, now, zone)}${isLate ? "" : ` ${city}`}${after}`);
  }
  const sentence = parts.join("; ");
  return {
    sentence: sentence === "" ? "" : `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`,
    warnings: [...nameWarning(form.name), ...noteOf("Opening", starts), ...noteOf("End", ends), ...windowWarning(startsAt, endsAt, now)],
  };
}

function nameWarning(name: string): string[] {
  return name !== "" && name.trim() !== name ? ["The name begins or ends with a space, which becomes a part of it."] : [];
}

function noteOf(label: string, time: TypedTime | null): string[] {
  return time === null || time.kind === "incomplete" || time.note === null ? [] : [`${label}: ${time.note}.`];
}

function windowWarning(startsAt: number | null, endsAt: number | null, now: number): string[] {
  if (startsAt !== null && endsAt !== null && endsAt <= startsAt) return ["The sale ends before it opens."];
  if (endsAt !== null && endsAt <= now) return ["The end is in the past, so the sale is over at once."];
  return startsAt !== null && startsAt <= now ? ["The opening is in the past, so the sale opens at once."] : [];
}

/** One attempt to create a sale. Its key makes a repeated request create nothing twice. */
export type Attempt = { readonly key: string; readonly sent: string };

/** Returns the attempt of a body: the last one if nothing has changed, so that a lost answer can be asked for again. */
export function attemptOf(body: object, last: Attempt | null, newKey: () => string): Attempt {
  const sent = JSON.stringify(body);
  return last?.sent === sent ? last : { key: newKey(), sent };
}

/** Returns the path of a sale's page. */
export function salePath(name: string): string {
  return `/s/${encodeURIComponent(name.toWellFormed())}`;
}

/** Returns what a number of seconds means, such as `2 minutes and 30 seconds`, or null if there is none. */
export function secondsInWords(typed: string): string | null {
  const seconds = integerIn(typed);
  return typeof seconds === "number" && seconds > 0 ? `${count(seconds)} s = ${duration(seconds * 1000)}` : null;
}
