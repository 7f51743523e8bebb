// One call of the API: attempts until an answer settles it, within a deadline.

import { judge, refusalIn, waitMs, type Answer } from "./answer.ts";
import { jsonIn, parsed } from "./json.ts";
import type { Refusal } from "./types.ts";

export type Options = {
  /** Where the server is, such as `https://sale.example`. */
  readonly baseUrl: string;
  /** The bearer token, or a function that returns it. It is called before each attempt. */
  readonly token?: string | (() => string | Promise<string>);
  /** What sends a request: the platform's `fetch` unless set, or that of a service binding. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How long a call may take with all its attempts: 30 seconds unless set. */
  readonly deadlineMs?: number;
  /** How long one attempt may take: 11 seconds unless set. The server answers within 10. */
  readonly attemptMs?: number;
  /** The clock, the waiting and the randomness, for tests. */
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random?: () => number;
};

export type Request = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** The path's segments behind `/api`. Each is percent-encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** `once`: a repeat could change something else, so the call ends when an attempt may have happened. */
  readonly effect: "read" | "repeatable" | "once";
  /** An earlier call with the same key may have happened. */
  readonly isInDoubt?: boolean;
  /** A public route needs no token, and without one a browser sends no preflight. */
  readonly isPublic?: boolean;
  readonly signal?: AbortSignal | undefined;
};

export type Success<T> = { readonly ok: true; readonly value: T; readonly replayed: boolean };
/**
 * The call did not succeed. With the code `outcome_unknown` it may have. If `maybeDone` is true, an attempt before
 * this refusal may have.
 */
export type Failure = { readonly ok: false; readonly retryAfterMs: number; readonly maybeDone: boolean } & Refusal;
export type Result<T> = Success<T> | Failure;

/** Calls the API. Throws the signal's reason if it is aborted, and what `token` throws. */
export async function call<T>(options: Options, request: Request): Promise<Result<T>> {
  const { now = Date.now, sleep = pause, random = Math.random, deadlineMs = 30_000, attemptMs = 11_000 } = options;
  // A URL loses such a segment, and would then name another resource.
  if (request.path.some((segment) => /^\.{0,2}$/.test(segment))) return failure(invalidRequest, 0, false);
  const deadline = now() + deadlineMs;
  let isInDoubt = request.isInDoubt ?? false;
  for (let attempt = 0; ; attempt += 1) {
    const answered = await send<T>(options, request, Math.min(attemptMs, deadline - now()));
    const verdict = judge(answered);
    if (answered !== null && verdict === "done") return { ok: true, value: answered.value, replayed: answered.replayed };
    const refusal = answered?.refusal ?? (request.effect === "read" ? noAnswer : outcomeUnknown);
    const retryAfterMs = answered?.retryAfterMs ?? 0;
    if (verdict === "refused") return failure(refusal, retryAfterMs, false);
    if (verdict === "not_judged") return failure(refusal, retryAfterMs, isInDoubt);
    isInDoubt ||= verdict === "unknown" && request.effect !== "read";
    const wait = waitMs(attempt, retryAfterMs, random());
    const isOver = now() + wait >= deadline || (isInDoubt && request.effect === "once");
    if (isOver) return isInDoubt ? failure(outcomeUnknown, retryAfterMs, true) : failure(refusal, retryAfterMs, false);
    await sleep(wait, request.signal);
  }
}

const invalidRequest: Refusal = {
  error: "a name or a user id is empty, or it is . or .., which no path can carry",
  code: "invalid_request",
  request_id: "",
};
const noAnswer: Refusal = { error: "no answer in time", code: "unavailable", request_id: "" };
const outcomeUnknown: Refusal = { error: "no answer in time, so this may have happened", code: "outcome_unknown", request_id: "" };

function failure(refusal: Refusal, retryAfterMs: number, maybeDone: boolean): Failure {
  return { ok: false, retryAfterMs, maybeDone, ...refusal };
}

/** Sends one attempt. Returns null without a whole answer. */
async function send<T>(options: Options, request: Request, timeoutMs: number): Promise<(Answer & Success<T>) | null> {
  const { signal } = request;
  const fetchIt = await prepare(options, request);
  signal?.throwIfAborted();
  const aborting = new AbortController();
  const abort = (): void => aborting.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener("abort", abort);
  try {
    const response = await fetchIt(aborting.signal);
    const text = await response.text();
    const { status, headers } = response;
    const refusal = refusalIn(status, status < 400 ? null : jsonIn(text));
    const retryAfterMs = 1_000 * (Number(headers.get("Retry-After")) || 0);
    const value = parsed<T>(refusal === null && text !== "" ? text : "null");
    return { ok: true, status, refusal, retryAfterMs, value, replayed: headers.get("Idempotent-Replayed") === "true" };
  } catch {
    signal?.throwIfAborted();
    return null;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Returns a function that sends the request. Throws what `token` throws, and if a header's value is invalid. */
export async function prepare(options: Options, request: Request): Promise<(signal: AbortSignal) => Promise<Response>> {
  // Without a receiver, because a browser's fetch refuses a wrong `this`.
  const { baseUrl, token, fetch = globalThis.fetch } = options;
  const headers = new Headers({ Accept: "application/json" });
  for (const [name, value] of Object.entries(request.headers ?? {})) if (value !== undefined) headers.set(name, value);
  if (token !== undefined && request.isPublic !== true)
    headers.set("Authorization", `Bearer ${typeof token === "function" ? await token() : token}`);
  if (request.body !== undefined) headers.set("Content-Type", "application/json");
  const init = { method: request.method, headers, body: request.body === undefined ? null : JSON.stringify(request.body) };
  return (signal) => fetch(urlOf(baseUrl, request), { ...init, signal });
}

function urlOf(baseUrl: string, { path, query = {} }: Request): string {
  const sent = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const search = sent.length === 0 ? "" : `?${new URLSearchParams(sent).toString()}`;
  return `${baseUrl.replace(/\/+$/, "")}/api/${path.map(encodeURIComponent).join("/")}${search}`;
}

/** Waits. Throws the signal's reason if it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(resolve), ms);
    const abort = (): void => end(() => reject(signal?.reason));
    function end(settle: () => void): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    }
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort);
  });
}
