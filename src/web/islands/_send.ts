// Sends a claim or a hold until it has an answer, with the same key, for at most 15 seconds.

import { isOutcomeCode, type OutcomeCode } from "../outcome-view.ts";
import { mayBeGranted, REQUEST_MS_MAX, RETRIES_MS_MAX, retryWaitMs } from "../page-rules.ts";
import { objectIn } from "../sale-status.ts";

export type Sent = {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | null;
  /** The code of a success. */
  readonly success: OutcomeCode;
  /** An earlier try of this attempt has no answer yet. */
  readonly isMaybe: boolean;
};

export type Outcome = {
  readonly code: OutcomeCode;
  readonly isMaybe: boolean;
  readonly position?: number | undefined;
  readonly endsAt?: number | undefined;
  readonly seconds?: number | undefined;
};

/** Returns the outcome. `onWait` is called before each new try. */
export async function sendUntilAnswered(sent: Sent, onWait: () => void): Promise<Outcome> {
  const begunAt = performance.now();
  let { isMaybe } = sent;
  for (let tryCount = 0; ; tryCount += 1) {
    const answer = await sendOnce(sent, RETRIES_MS_MAX - (performance.now() - begunAt));
    isMaybe = mayBeGranted(isMaybe, answer.code);
    const retryAfterMs = (answer.seconds ?? 0) * 1000;
    const waitMs = retryWaitMs({ code: answer.code, retryAfterMs, elapsedMs: performance.now() - begunAt, tryCount }, Math.random());
    if (waitMs === null) return { ...answer, isMaybe, code: isMaybe ? "no_answer" : answer.code };
    onWait();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

type Answer = Omit<Outcome, "isMaybe">;

async function sendOnce({ method, path, headers, body, success }: Sent, restMs: number): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(Math.max(1_000, Math.min(REQUEST_MS_MAX, restMs)));
    const init = body === null ? {} : { body: JSON.stringify(body) };
    const response = await fetch(path, { method, headers: { "Content-Type": "application/json", ...headers }, ...init, signal });
    return answerIn(response, await response.text(), success);
  } catch {
    return { code: "no_answer" };
  }
}

function answerIn({ ok, status, headers }: Response, text: string, success: OutcomeCode): Answer {
  const { code, position, expires_at: endsAt, claim } = objectIn(text);
  if (ok && status !== 204 && text === "") return { code: "no_answer" };
  if (ok) return { code: success, position: numberOf(position), endsAt: Date.parse(String(endsAt)) || undefined };
  // A proxy in front of the server has its own pages of errors.
  if (typeof code !== "string" || !isOutcomeCode(code)) return { code: code === "claim_not_found" ? success : "no_answer" };
  const owned = typeof claim === "object" && claim !== null && "position" in claim ? claim.position : undefined;
  return { code, position: numberOf(owned), seconds: numberOf(Number(headers.get("Retry-After") ?? Number.NaN)) };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
