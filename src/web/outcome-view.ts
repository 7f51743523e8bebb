// What a visitor reads about the outcome of a claim or a hold. The server and the page's script share it.

import type { ClaimOutcome } from "../domain/claim-counts.ts";
import type { HoldVerdict } from "../domain/hold.ts";
import { count } from "./sale-view.ts";

/** What a hold can end with besides the outcomes of a claim, and what the page itself finds. */
type OnlyHold = Exclude<Extract<HoldVerdict, { readonly ok: false }>["code"], ClaimOutcome> | "held" | "given_back" | "hold_expired";
type OnlyPage = "outcome_unknown" | "no_answer" | "internal_error" | "misconfigured" | "origin_not_allowed" | "token_missing";
export type OutcomeCode = ClaimOutcome | OnlyHold | OnlyPage;

/** Numbers of the outcome, as far as they are known. */
export type OutcomeDetails = {
  readonly position?: number | undefined;
  readonly amount?: number | undefined;
  readonly seconds?: number | undefined;
};

/** What the visitor can press: `again` sends the same attempt, and `anew` makes a new one. */
export type Button = { readonly label: string; readonly sends: "again" | "anew" };

export type OutcomeView = {
  /** `good`: you have it. `wait`: it can still succeed. `bad`: it can't. */
  readonly tone: "good" | "wait" | "bad";
  readonly headline: string;
  readonly sentence: string;
  readonly next: string;
  readonly button: Button | null;
};

const AGAIN: Button = { label: "Try again", sends: "again" };
const ANEW: Button = { label: "Start again", sends: "anew" };
const WATCH = "Keep this page open: it shows at once when something changes.";
const NO_UNIT = "You have not received a unit.";
const TELL_SHOP = "Tell the shop what you read here.";

function have(verb: string, { position, amount }: OutcomeDetails): string {
  if (position === undefined) return `You ${verb} one`;
  // A revoked unit that is given out again has a new number, so a number can be above the amount.
  const ofAmount = amount === undefined || position > amount ? "" : ` of ${count(amount)}`;
  return `You ${verb} number ${count(position)}${ofAmount}`;
}

function inSeconds(seconds = 10): string {
  return seconds === 1 ? "in a second" : `in ${count(seconds)} seconds`;
}

type Row = OutcomeView | ((details: OutcomeDetails) => OutcomeView);

const granted = (details: OutcomeDetails): OutcomeView => ({
  tone: "good",
  headline: have("have", details),
  sentence: "It is yours. Nobody else can get this unit.",
  next: "Keep the number: the shop finds your unit by it.",
  button: null,
});
const unknown: OutcomeView = {
  tone: "wait",
  headline: "No answer yet",
  sentence: "We could not find out whether you have a unit.",
  next: "It is safe to try again: you never get two.",
  button: AGAIN,
};
const signIn: OutcomeView = {
  tone: "bad",
  headline: "Please sign in again",
  sentence: "The shop's sign-in is missing, or it has run out.",
  next: "Go back to the shop, sign in, and come here from there.",
  button: null,
};

const ROWS = {
  granted,
  replayed: granted,
  already_claimed: (details) => ({
    ...granted(details),
    headline: have("already have", details),
    sentence: "There is one for each person, and yours is safe.",
  }),
  claim_released: {
    tone: "bad",
    headline: "Your unit was taken back",
    sentence: "The shop has taken your unit back.",
    next: "Ask the shop why. If units are left, you can start again.",
    button: ANEW,
  },
  out_of_stock: { tone: "wait", headline: "Sold out", sentence: `Others were faster. ${NO_UNIT}`, next: WATCH, button: null },
  sale_ended: {
    tone: "bad",
    headline: "This sale has ended",
    sentence: `It ended before your try arrived. ${NO_UNIT}`,
    next: "There is nothing more to do here.",
    button: null,
  },
  sale_not_started: {
    tone: "wait",
    headline: "Not open yet",
    sentence: "You were early, and nothing was lost.",
    next: "Keep this page open: the button comes when the sale opens.",
    button: null,
  },
  sale_paused: { tone: "wait", headline: "Paused", sentence: `The shop has paused this sale. ${NO_UNIT}`, next: WATCH, button: null },
  idempotency_key_reused: {
    tone: "bad",
    headline: "This attempt belongs to another person",
    sentence: `Somebody else has used this browser's attempt. ${NO_UNIT}`,
    next: "Start again with your own.",
    button: ANEW,
  },
  invalid_request: {
    tone: "bad",
    headline: "Please check what you entered",
    sentence: "It is empty, longer than 255 characters, or has characters that nobody sees.",
    next: "Correct it, and try again.",
    button: AGAIN,
  },
  unauthorized: signIn,
  token_missing: {
    tone: "wait",
    headline: "Come here from the shop",
    sentence: "This page needs the shop's sign-in to know who you are.",
    next: "Sign in there, and follow its link to this sale.",
    button: null,
  },
  forbidden: {
    ...signIn,
    headline: "This is another person's sign-in",
    sentence: `The shop's sign-in names somebody else. ${NO_UNIT}`,
  },
  rate_limited: ({ seconds }) => ({
    tone: "wait",
    headline: "Too many tries",
    sentence: `You, or others in your network, tried very often. ${NO_UNIT}`,
    next: `Try again ${inSeconds(seconds)}.`,
    button: AGAIN,
  }),
  challenge_failed: {
    tone: "bad",
    headline: "Please show that you are no robot",
    sentence: `The check was not passed, or it has run out. ${NO_UNIT}`,
    next: "Pass the check on this page, and try again.",
    button: AGAIN,
  },
  coupon_not_found: {
    tone: "bad",
    headline: "There is no such sale any more",
    sentence: "The shop has removed it.",
    next: "Go back to the shop.",
    button: null,
  },
  held: {
    tone: "good",
    headline: "Reserved for you",
    sentence: "Nobody else can get this unit while the clock runs.",
    next: "Confirm before the time is over.",
    button: null,
  },
  given_back: {
    tone: "wait",
    headline: "Given back",
    sentence: "Your reservation is over.",
    next: "You can reserve again while units are left.",
    button: ANEW,
  },
  hold_expired: {
    tone: "wait",
    headline: "Your reservation has run out",
    sentence: "The unit went back to the stock.",
    next: "You can reserve again while units are left.",
    button: ANEW,
  },
  hold_released: {
    tone: "wait",
    headline: "Your reservation is over",
    sentence: "It was given back, or the shop has ended it.",
    next: "You can reserve again while units are left.",
    button: ANEW,
  },
  hold_too_long: {
    tone: "bad",
    headline: "Reservations are shorter now",
    sentence: `The shop has just changed how long one lasts. ${NO_UNIT}`,
    next: "Load this page again, and reserve then.",
    button: null,
  },
  hold_limit_reached: {
    tone: "wait",
    headline: "Too many reservations at once",
    sentence: `Units are left, but all places to reserve one are taken. ${NO_UNIT}`,
    next: "Try again in a few seconds.",
    button: AGAIN,
  },
  unavailable: {
    tone: "wait",
    headline: "Very busy right now",
    sentence: NO_UNIT,
    next: "It is safe to try again in a few seconds.",
    button: AGAIN,
  },
  outcome_unknown: unknown,
  no_answer: unknown,
  internal_error: unknown,
  misconfigured: {
    tone: "bad",
    headline: "This sale is not set up yet",
    sentence: NO_UNIT,
    next: TELL_SHOP,
    button: AGAIN,
  },
  origin_not_allowed: {
    tone: "bad",
    headline: "This came from another page",
    sentence: `Only this page itself may buy here. ${NO_UNIT}`,
    next: "Open the sale's own address, and try again.",
    button: null,
  },
} as const satisfies Record<OutcomeCode, Row>;

/** Whether the page has words for `code`. */
export function isOutcomeCode(code: string): code is OutcomeCode {
  return Object.hasOwn(ROWS, code);
}

/** Returns the words of an outcome. */
export function outcomeView(code: OutcomeCode, details: OutcomeDetails = {}): OutcomeView {
  const row: Row = ROWS[code];
  return typeof row === "function" ? row(details) : row;
}

/** Whether the visitor has a unit. */
export function isGrant(code: string): boolean {
  return code === "granted" || code === "replayed" || code === "already_claimed";
}
