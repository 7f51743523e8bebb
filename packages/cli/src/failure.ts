// What ends a command early: a sentence, the next step, and the exit code.

import type { Refusal, RefusalCode, Result } from "../../client/src/operator.ts";

/** The exit codes, as docs/cli.md has them. */
export const EXIT = { done: 0, refused: 1, usage: 2, unknown: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class CommandError extends Error {
  readonly exitCode: ExitCode;
  readonly nextStep: string;
  /** What `--json` prints. */
  readonly body: object;

  constructor(exitCode: ExitCode, message: string, nextStep: string, body: object = {}) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
    this.nextStep = nextStep;
    this.body = body;
  }
}

/** The failure of a call that the command line itself refuses. */
export function usage(message: string, nextStep: string): CommandError {
  return new CommandError(EXIT.usage, message, nextStep, { code: "usage" });
}

/** The failure of a stream that is not complete. */
export function incomplete(message: string, nextStep: string): CommandError {
  return new CommandError(EXIT.unknown, message, nextStep, { code: "incomplete" });
}

const NEXT: Readonly<Record<RefusalCode, string>> = {
  coupon_exists: "choose another name, or change this one: doorbuster change NAME",
  coupon_not_found: "check the name: doorbuster list",
  already_claimed: "nothing: the user has a unit",
  idempotency_key_reused: "run it again with another --key, or without one",
  claim_released: "run it again without --key, if the user may claim again",
  hold_released: "run it again",
  hold_too_long: "send at most ttl_seconds_max",
  hold_limit_reached: "try again later, or raise the limit: doorbuster change NAME --holds-max N",
  sale_ended: "if it is not archived, move its end: doorbuster change NAME --ends TIME",
  sale_not_started: "wait, or move its start: doorbuster change NAME --starts TIME",
  sale_paused: "doorbuster resume NAME",
  out_of_stock: "add units: doorbuster restock NAME --by N",
  claim_not_found: "look for the user: doorbuster export NAME",
  position_mismatch: "read the user's claim in the export, and take its position",
  amount_below_claimed: "take at least the units that are claimed or held: doorbuster show NAME",
  coupon_archived: "create another sale: doorbuster create NAME --amount N",
  backup_invalid: "take another backup: this file is damaged, or no backup",
  part_missing: "run it again: it begins with the first part",
  precondition_failed: "run it again",
  invalid_request: "correct what the sentence names; --help has an example",
  unauthorized: "give the token that the sentence names: --token, DOORBUSTER_TOKEN, or doorbuster login",
  forbidden: "take this user's token, or the shop's SERVICE_TOKEN",
  origin_not_allowed: "call the server's own address",
  rate_limited: "wait, and run it again",
  challenge_failed: "claim in a browser, or with the shop's SERVICE_TOKEN",
  webhook_not_found: "check the id: doorbuster webhooks list",
  webhook_limit_reached: "remove one: doorbuster webhooks remove ID",
  not_found: "check the address: is it a Doorbuster of this version?",
  method_not_allowed: "check the address: is it a Doorbuster of this version?",
  payload_too_large: "send less",
  misconfigured: "read the server's log: it names the variable",
  unavailable: "check that the server runs at this address, and run it again",
  outcome_unknown: "it may have happened: read the state before you run it again",
  internal_error: "report the request id: this is a bug of the server",
};

/** Returns the next step after a refusal. A newer server may have codes that are not listed. */
export function nextStepOf(code: RefusalCode, name?: string): string {
  const step = Object.hasOwn(NEXT, code) ? NEXT[code] : "see what the sentence says";
  return name === undefined ? step : step.replaceAll(/\bNAME\b/g, () => quoted(name));
}

/** Returns the exit code of a refusal. */
export function exitCodeOf(code: RefusalCode, maybeDone = false): ExitCode {
  return maybeDone || code === "outcome_unknown" || code === "unavailable" || code === "internal_error" ? EXIT.unknown : EXIT.refused;
}

/** The failure of a call that the server refused. */
export function refused({ error, code, ...rest }: Refusal & { readonly maybeDone?: boolean }, name?: string): CommandError {
  const { maybeDone = false, ...others } = rest;
  const step = maybeDone ? NEXT.outcome_unknown : nextStepOf(code, name);
  return new CommandError(exitCodeOf(code, maybeDone), error, step, { code, ...others });
}

/** Returns the value of a result. Throws {@link CommandError} if there is none. */
export function valueOf<T>(result: Result<T>, name?: string): T {
  if (result.ok) return result.value;
  const { ok: _ok, retryAfterMs: _retryAfterMs, cause: _cause, ...refusal } = result;
  throw refused(refusal, name);
}

/** Returns a text as one word of a shell's command. */
export function quoted(text: string): string {
  return /^[\w./:@+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
