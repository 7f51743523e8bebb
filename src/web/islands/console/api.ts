// Calls of the JSON API by the console. The session cookie authenticates them.

/** A refusal of the API, or no answer. */
export type Refused = {
  readonly ok: false;
  /** 0 without an answer. */
  readonly status: number;
  readonly code: string;
  /** A sentence for a person. */
  readonly error: string;
  /** The fault of each field of a body that was refused. */
  readonly fields: Readonly<Record<string, string>>;
};
export type Answered<T> = { readonly ok: true; readonly value: T; readonly headers: Headers } | Refused;

export type CallOptions = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** The event of a call that found no session. `session.tsx` shows the login. */
export const SESSION_ENDED = "doorbuster:session-ended";

/** Longer than the server's own deadline, so that its answer arrives first. */
const DEADLINE_MS = 12_000;

/** Calls a route of the API. Never throws. `T` is the JSON of a success, as docs/api.md describes it. */
export async function call<T>(path: string, { method = "GET", body, headers = {}, signal }: CallOptions = {}): Promise<Answered<T>> {
  const signals = [AbortSignal.timeout(DEADLINE_MS), ...(signal === undefined ? [] : [signal])];
  try {
    const response = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...headers },
      signal: AbortSignal.any(signals),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own tests hold its answers to their schemas
    if (response.ok) return { ok: true, value: (text === "" ? {} : JSON.parse(text)) as T, headers: response.headers };
    if (response.status === 401) dispatchEvent(new Event(SESSION_ENDED));
    return refusalIn(response.status, text);
  } catch (cause) {
    const error =
      method === "GET"
        ? "The server did not answer. Try again."
        : "The server did not answer, so this may or may not have happened. Look before you try again.";
    return {
      ok: false,
      status: 0,
      code: signal?.aborted === true ? "aborted" : "no_answer",
      error: cause instanceof SyntaxError ? String(cause) : error,
      fields: {},
    };
  }
}

function refusalIn(status: number, text: string): Refused {
  const { code, error, fields } = parsed(text);
  return {
    ok: false,
    status,
    code: typeof code === "string" ? code : "unknown",
    error: typeof error === "string" ? sentence(error) : `The server answered ${status}.`,
    fields:
      typeof fields === "object" && fields !== null
        ? Object.fromEntries(Object.entries(fields).map(([name, fault]) => [name, String(fault)]))
        : {},
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Returns a refusal's `error` as a sentence. */
export function sentence(error: string): string {
  return `${error.charAt(0).toUpperCase()}${error.slice(1)}${/[.!?]$/.test(error) ? "" : "."}`;
}

/** Returns the path of a coupon's routes. */
export function couponPath(name: string, rest = ""): string {
  return `/api/coupons/${encodeURIComponent(name)}${rest}`;
}
