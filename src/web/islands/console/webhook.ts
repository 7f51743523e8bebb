// The rules of the webhooks page: what its form sends, and what a webhook and the API's answers mean in words.

import { WEBHOOK_EVENTS, type WebhookEvent } from "../../../domain/webhook-events.ts";
import type { Refused } from "./api.ts";
import { count } from "./format.ts";

/** A webhook, as `GET /api/webhooks` has it. */
export type Webhook = {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** The names of sales; null is all. */
  readonly coupons: readonly string[] | null;
  readonly paused: boolean;
  readonly disabled_at: string | null;
  readonly created_at: string;
};

/** A sink that fails, as `GET /api/delivery/failing` has it. */
export type Failing = {
  readonly coupon_name: string;
  readonly sink: string;
  readonly status: "active" | "parked" | "disabled";
  readonly failed_attempts: number;
};

/** The fields as they are typed. `coupons` has a name a line. The choices say whether the lists count. */
export type WebhookForm = {
  readonly url: string;
  readonly eventChoice: "all" | "some";
  readonly events: readonly WebhookEvent[];
  readonly couponChoice: "all" | "some";
  readonly coupons: string;
};

export const EMPTY_FORM: WebhookForm = { url: "", eventChoice: "all", events: [], couponChoice: "all", coupons: "" };

/** Returns the form that shows a webhook. */
export function formOf({ url, events, coupons }: Webhook): WebhookForm {
  const hasAll = events.length === WEBHOOK_EVENTS.length;
  return {
    url,
    eventChoice: hasAll ? "all" : "some",
    events: hasAll ? [] : events,
    couponChoice: coupons === null ? "all" : "some",
    coupons: (coupons ?? []).join("\n"),
  };
}

type Settings = Pick<Webhook, "url" | "events" | "coupons">;

/** Returns what the form sends. The API finds the faults. */
export function settingsOf({ url, eventChoice, events, couponChoice, coupons }: WebhookForm): Settings {
  return {
    url: url.trim(),
    events: eventChoice === "all" ? WEBHOOK_EVENTS : events,
    coupons: couponChoice === "all" ? null : namesIn(coupons),
  };
}

/** Returns the settings that differ from those of `webhook`, so that a colleague's change of the others stays. */
export function changesOf(form: WebhookForm, webhook: Webhook): Partial<Settings> {
  const [before, after] = [settingsOf(formOf(webhook)), settingsOf(form)];
  const changed = (["url", "events", "coupons"] as const).filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
  return Object.fromEntries(changed.map((key) => [key, after[key]]));
}

/** Returns the names in a text, one a line, each once. Spaces at their ends are kept, because a name can have some. */
export function namesIn(text: string): string[] {
  return Array.from(new Set(text.split("\n").filter((line) => line.trim() !== "")));
}

/** Says how many names a text has, and which of them have spaces at an end. */
export function namesHint(text: string): string {
  const names = namesIn(text);
  const spaced = text.split("\n").flatMap((line, index) => (line.trim() !== "" && line.trim() !== line ? [index + 1] : []));
  const warning = spaced.length === 0 ? "" : ` Spaces at the start or end of a line are a part of the name: line ${spaced.join(", ")}.`;
  return `One name a line, as in the list of sales. ${count(names.length)} so far.${warning}`;
}

/** What the form shows for a refusal: a sentence at each field, or one for all. */
export type Outcome = {
  readonly faults: { readonly url?: string; readonly events?: string; readonly coupons?: string };
  readonly error: string | null;
};

export function outcomeOf({ status, error, fields }: Refused, form: WebhookForm, retry: string): Outcome {
  if (status === 0 || status >= 500) return { faults: {}, error: retry };
  const names = namesIn(form.coupons);
  const lines = form.coupons.split("\n");
  const named = Object.entries(fields).flatMap(([field, fault]) => {
    const name = names[Number(/^coupons\.(\d+)$/.exec(field)?.[1])];
    return name === undefined ? [] : [`The name in line ${lines.indexOf(name) + 1} ${fault}.`];
  });
  const faults = {
    ...(fields["url"] === undefined ? {} : { url: `The address ${fields["url"]}.` }),
    ...(fields["events"] === undefined ? {} : { events: "Choose at least one event." }),
    ...(named.length > 0 ? { coupons: named.join(" ") } : {}),
    ...(fields["coupons"] === undefined ? {} : { coupons: "Type 1 to 100 names, one a line, or choose all sales." }),
  };
  return { faults, error: Object.keys(faults).length === 0 ? error : null };
}

export const CREATE_AGAIN = "No answer arrived, so the webhook may exist already. Try again: it is added at most once.";
export const CHANGE_AGAIN = "No answer arrived, so the change may have happened already. Try again: it changes nothing twice.";

export type ReplayFaults = { readonly coupon?: string; readonly from?: string };

export function replayFaults({ code, fields }: Refused): ReplayFaults {
  const { coupon, from_seq: from } = fields;
  if (code === "coupon_not_found") return { coupon: "There is no sale of this name." };
  return {
    ...(coupon === undefined ? {} : { coupon: `The name ${coupon}.` }),
    ...(from === undefined ? {} : { from: "Type a whole number, 1 or more." }),
  };
}

/** The state of a webhook, and what it means. */
export type State = { readonly label: "active" | "paused" | "disabled" | "failing"; readonly meaning: string | null };

/** `at` writes an instant. */
export function stateOf({ paused, disabled_at: disabledAt }: Webhook, failing: readonly Failing[], at: (instant: string) => string): State {
  if (disabledAt !== null)
    return {
      label: "disabled",
      meaning: `It answered 410 (gone) on ${at(disabledAt)}, so nothing is sent to it. Its messages wait until you enable it.`,
    };
  if (paused) return { label: "paused", meaning: "Nothing is sent to it. Its messages wait until you resume it." };
  if (failing.length === 0) return { label: "active", meaning: null };
  const isParked = failing.some(({ status }) => status === "parked");
  const advice = isParked ? " Some have failed for three days and are not sent again until you press “Try again”." : "";
  return { label: "failing", meaning: `It does not take the messages of ${sales(failing.length)}.${advice}` };
}

/** How far a sale's messages have got, as `GET /api/coupons/{name}/delivery` has it. */
export type Sink = {
  readonly sink: string;
  readonly lag_events: number;
  readonly next_attempt_at: string | null;
  readonly last_error: string | null;
};

/** Says how often a sale's messages have failed, and what is next. `sink` is null while it is not known. `from` writes an instant. */
export function failingSentence(
  { status, failed_attempts: attempts }: Failing,
  sink: Sink | null,
  from: (instant: string) => string,
): string {
  const next = sink?.next_attempt_at ?? null;
  const parts = [
    attempts === 1 ? "one attempt has failed" : `${count(attempts)} attempts have failed`,
    ...(sink === null || sink.lag_events === 0
      ? []
      : [sink.lag_events === 1 ? "one event waits" : `${count(sink.lag_events)} events wait`]),
    ...(status === "active" ? [] : ["it is not tried again by itself"]),
    ...(status === "active" && next !== null ? [`the next attempt is ${from(next)}`] : []),
  ];
  const error = sink?.last_error?.replace(/:\s*$/, "") ?? "";
  return `${parts.join(", ")}.${error === "" ? "" : ` The last answer: ${error}`}`;
}

/** What `POST /api/webhooks/{id}/test` answers. */
export type TestAnswer = {
  readonly delivered: boolean;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly error: string | null;
};

export function testSentence({ delivered, status, duration_ms: ms, error }: TestAnswer): string {
  const time = `${count(ms)} ms`;
  if (delivered) return `Delivered: it answered ${status ?? "2xx"} in ${time}.`;
  const text = error?.replace(/^status \d+: ?/, "").trim() ?? "";
  if (status === null) return `Not delivered: no answer in ${time}${text === "" ? "" : ` (${text})`}.`;
  return `Not delivered: it answered ${status} in ${time}${text === "" ? "" : `, with “${text}”`}. Only 2xx counts.`;
}

/** Such as `all events`, `claim.granted` or `3 events`. */
export function eventsText(events: readonly WebhookEvent[]): string {
  return events.length === WEBHOOK_EVENTS.length ? "All events" : events.join(", ");
}

/** Such as `one sale` or `12 sales`. */
export function sales(value: number): string {
  return value === 1 ? "one sale" : `${count(value)} sales`;
}
