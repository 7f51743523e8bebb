// One call of the API: attempts until an answer settles it, within a deadline.

import { judge, refusalIn, retryAfterMsIn, waitMs, type Answer } from "./answer.ts";
import type { Check } from "./checks.ts";
import { answerOf, jsonIn } from "./json.ts";
import type { Refusal, RefusalCode } from "./types.ts";

export type Options = {
  /** Where the server is, such as `https://sale.example`. A redirect is refused: it would lose the request's method. */
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
  /** Sent as JSON. A text is lines of JSON already. */
  readonly body?: object | string;
  /** `once`: a repeat could change something else, so the call ends when an attempt may have happened. */
  readonly effect: "read" | "repeatable" | "once";
  /** An earlier call with the same key may have happened. */
  readonly isInDoubt?: boolean;
  /** A public route needs no token, and without one a browser sends no preflight. */
  readonly isPublic?: boolean;
  /** What an answer to this request passes. Another one counts as none. */
  readonly isAnswer?: Check;
  /** What the claim in a refusal passes. */
  readonly isClaim?: Check;
  readonly signal?: AbortSignal | undefined;
};

export type Success<T> = { readonly ok: true; readonly value: T; readonly replayed: boolean };
/**
 * The call did not succeed. With the code `outcome_unknown` it may have. If `maybeDone` is true, an attempt before
 * this refusal may have. `cause` is why the last attempt got no answer.
 */
export type Failure = {
  readonly ok: false;
  readonly retryAfterMs: number;
  readonly maybeDone: boolean;
  readonly cause?: unknown;
} & Refusal;
export type Result<T> = Success<T> | Failure;

/** Reads the body of an answer with 2xx. What it throws makes it no answer. */
export type Read<T> = (response: Response) => Promise<T>;
/** What came of an attempt: an answer, with a value if it is 2xx, or why there is none. */
type Attempt<T> = { readonly answer: Answer | null; readonly success?: Success<T>; readonly cause?: unknown };

/** Calls the API. Throws the signal's reason if it is aborted, and what `token` throws. */
export async function call<T>(options: Options, request: Request, read: Read<T> = answerOf): Promise<Result<T>> {
  const { now = Date.now, sleep = pause, random = Math.random, deadlineMs = 30_000, attemptMs = 11_000 } = options;
  // A URL loses such a segment, and would then name another resource.
  if (request.path.some((segment) => /^\.{0,2}$/.test(segment))) return failure(invalidRequest, 0, false);
  const deadline = now() + deadlineMs;
  let isInDoubt = request.isInDoubt ?? false;
  for (let attempt = 0; ; attempt += 1) {
    const { answer, success, cause } = await send(options, request, Math.min(attemptMs, deadline - now()), read);
    if (success !== undefined) return success;
    const verdict = judge(answer);
    const refusal = answer?.refusal ?? (request.effect === "read" ? noAnswer : outcomeUnknown);
    const retryAfterMs = answer?.retryAfterMs ?? 0;
    if (verdict === "refused") return failure(refusal, retryAfterMs, false);
    if (verdict === "not_judged") return failure(refusal, retryAfterMs, isInDoubt);
    isInDoubt ||= (verdict === "unknown" || verdict === "hidden") && request.effect !== "read";
    if (verdict === "hidden") return failure(refusal, retryAfterMs, isInDoubt);
    const wait = waitMs(attempt, retryAfterMs, random());
    const isOver = now() + wait >= deadline || (isInDoubt && request.effect === "once");
    if (isOver) return failure(isInDoubt ? outcomeUnknown : refusal, retryAfterMs, isInDoubt, cause);
    await sleep(wait, request.signal);
  }
}

const invalidRequest: Refusal = {
  error: "a name or a user id is empty, or it is . or .., which no path can carry",
  code: "invalid_request",
  request_id: "",
};
const noAnswer: Refusal = {
  error: "no answer in time: check the address and the network",
  code: "unavailable",
  request_id: "",
};
const outcomeUnknown: Refusal = { error: "no answer in time, so this may have happened", code: "outcome_unknown", request_id: "" };

function failure(refusal: Refusal, retryAfterMs: number, maybeDone: boolean, cause?: unknown): Failure {
  return { ok: false, retryAfterMs, maybeDone, ...refusal, ...(cause === undefined ? {} : { cause }) };
}

/** Sends one attempt. Throws what `token` throws, and the signal's reason. */
async function send<T>(options: Options, request: Request, timeoutMs: number, read: Read<T>): Promise<Attempt<T>> {
  const { signal } = request;
  signal?.throwIfAborted();
  const aborting = new AbortController();
  const abort = (): void => aborting.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener("abort", abort);
  async function exchange(): Promise<Attempt<T>> {
    const fetchIt = await prepare(options, request);
    try {
      return await attemptIn(await fetchIt(aborting.signal), options, request, read);
    } catch (cause) {
      return { answer: null, cause };
    }
  }
  // A token that never comes is like a server that never answers.
  const timedOut = new Promise<Attempt<T>>((resolve) => {
    aborting.signal.addEventListener("abort", () => resolve({ answer: null, cause: aborting.signal.reason }));
  });
  try {
    const attempt = await Promise.race([exchange(), timedOut]);
    signal?.throwIfAborted();
    return attempt;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Reads an answer. Throws if it is not whole, or not one to this request. */
async function attemptIn<T>(response: Response, { now = Date.now }: Options, request: Request, read: Read<T>): Promise<Attempt<T>> {
  const { status, headers } = response;
  const retryAfterMs = retryAfterMsIn(headers.get("Retry-After"), now());
  if (!response.ok) {
    const refusal = refusalIn(status, jsonIn(await response.text()));
    if (refusal !== null && HAS_CLAIM.has(refusal.code) && request.isClaim?.(refusal.claim) === false) throw new TypeError(ANOTHER);
    return { answer: { status, refusal, retryAfterMs } };
  }
  const value = await read(response);
  if (request.isAnswer?.(value) === false) throw new TypeError(ANOTHER);
  const replayed = headers.get("Idempotent-Replayed") === "true";
  return { answer: { status, refusal: null, retryAfterMs }, success: { ok: true, value, replayed } };
}

const ANOTHER = "the answer is to another request";
const HAS_CLAIM: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["already_claimed", "claim_released"]);

/** Returns a function that sends the request. Throws what `token` throws, and if a header's value is invalid. */
export async function prepare(options: Options, request: Request): Promise<(signal: AbortSignal) => Promise<Response>> {
  // Without a receiver, because a browser's fetch refuses a wrong `this`.
  const { baseUrl, token, fetch = globalThis.fetch } = options;
  const headers = new Headers({ Accept: "application/json" });
  for (const [name, value] of Object.entries(request.headers ?? {})) if (value !== undefined) headers.set(name, value);
  if (token !== undefined && request.isPublic !== true)
    headers.set("Authorization", `Bearer ${typeof token === "function" ? await token() : token}`);
  const { method, body } = request;
  if (body !== undefined) headers.set("Content-Type", typeof body === "string" ? "application/x-ndjson" : "application/json");
  // A browser follows a redirect of a POST by a GET, which is another request.
  const init = { method, headers, redirect: "manual" as const, body: typeof body === "object" ? JSON.stringify(body) : (body ?? null) };
  return (signal) => fetch(urlOf(baseUrl, request), { ...init, signal });
}

function urlOf(baseUrl: string, { path, query = {} }: Request): string {
  const sent = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const search = sent.length === 0 ? "" : `?${new URLSearchParams(sent).toString()}`;
  return `${baseUrl.replace(/\/+$/, "")}/api/${path.map(encodeURIComponent).join("/")}${search}`;
}

/** The server sends at least a comment every 15 seconds, and a page of an export within 10. */
const SILENCE_MS_MAX = 45_000;

/** Resolves as `waited` does. Calls `abort` if it takes too long. */
export async function within<T>(waited: Promise<T>, abort: () => void): Promise<T> {
  const timer = setTimeout(abort, SILENCE_MS_MAX);
  try {
    return await waited;
  } finally {
    clearTimeout(timer);
  }
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
