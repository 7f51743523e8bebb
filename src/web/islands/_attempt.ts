// The visitor's attempt, which survives a reload. Two tabs share it.

import { objectIn } from "../sale-status.ts";
import { newKey } from "./_key.ts";
import { settings } from "./_page.ts";

export type Attempt = {
  readonly userId: string;
  /** The `Idempotency-Key`. It is stored before the first byte leaves. */
  readonly key: string;
  /** An answer is missing, so the claim may have been granted. */
  readonly isMaybe: boolean;
  /** The number of the visitor's unit. */
  readonly position: number | null;
  /** When the visitor's hold ends. */
  readonly holdEndsAt: number | null;
};

/** A deleted coupon of the same name has another epoch, so its receipt is not shown here. */
export const ATTEMPT = `doorbuster ${settings.epoch}`;
const USER = "doorbuster user";

/** Returns a stored text. A browser may forbid to store: then the page remembers until it is left. */
const fallback = new Map<string, string>();
export function stored(storage: "localStorage" | "sessionStorage", name: string): string | null {
  try {
    return window[storage].getItem(name) ?? fallback.get(name) ?? null;
  } catch {
    return fallback.get(name) ?? null;
  }
}

export function store(storage: "localStorage" | "sessionStorage", name: string, text: string | null): void {
  if (text === null) fallback.delete(name);
  else fallback.set(name, text);
  try {
    if (text === null) window[storage].removeItem(name);
    else window[storage].setItem(name, text);
  } catch {
    // The page remembers it until it is left.
  }
}

/** Returns the attempt that this browser has made last, if any. */
export function lastAttempt(): Attempt | null {
  const { userId, key, isMaybe, position, holdEndsAt } = objectIn(stored("localStorage", ATTEMPT) ?? "");
  if (typeof userId !== "string" || typeof key !== "string") return null;
  return { userId, key, isMaybe: isMaybe === true, position: numberOrNull(position), holdEndsAt: numberOrNull(holdEndsAt) };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Returns the attempt that this browser has made last, if it was made for this user. */
export function lastAttemptOf(userId: string): Attempt | null {
  const last = lastAttempt();
  return last?.userId === userId ? last : null;
}

/** Returns the attempt of this user, which is a new one if the last was another's, or with `isNew`. */
export function attemptOf(userId: string, isNew = false): Attempt {
  const last = lastAttemptOf(userId);
  if (last !== null && !isNew) return last;
  return keep({ userId, key: newKey(), isMaybe: false, position: null, holdEndsAt: null });
}

/** Stores the attempt. */
export function keep(attempt: Attempt): Attempt {
  store("localStorage", ATTEMPT, JSON.stringify(attempt));
  return attempt;
}

export function rememberedUser(): string {
  return stored("localStorage", USER) ?? "";
}

export function rememberUser(userId: string): void {
  store("localStorage", USER, userId);
}
