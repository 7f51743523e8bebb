// The shop's side of the page: it hands over the token of its user, and gets the outcome of a claim.

import { objectIn } from "../sale-status.ts";
import { store, stored } from "./_attempt.ts";
import { settings } from "./_page.ts";

const TOKEN = "doorbuster token";
/** Longest token that is taken. A server refuses longer headers anyway. */
const TOKEN_LENGTH_MAX = 8_192;

/** The page that shows this one in a frame, if it is the shop's. */
const parentOrigin = window.parent === window ? null : originOf(document.referrer);

function originOf(url: string): string | null {
  const origin = URL.parse(url)?.origin ?? null;
  return origin !== null && settings.origins.includes(origin) ? origin : null;
}

/** Sends a message to the page of the shop that shows this one. No other page gets it. */
export function tellShop(message: { readonly type: `doorbuster:${string}` } & Readonly<Record<string, unknown>>): void {
  if (parentOrigin !== null) window.parent.postMessage(message, parentOrigin);
}

/** Returns the user that a token names. The server verifies the token, and this page only shows the name. */
function subjectOf(token: string): string | null {
  const [, payload = ""] = token.split(".");
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    const { sub } = objectIn(new TextDecoder().decode(bytes));
    return typeof sub === "string" && sub !== "" ? sub : null;
  } catch {
    return null;
  }
}

/** Returns the visitor's token and its user, or null. */
export function visitor(): { readonly token: string; readonly userId: string } | null {
  const token = stored("sessionStorage", TOKEN);
  const userId = token === null ? null : subjectOf(token);
  return token === null || userId === null ? null : { token, userId };
}

/** Forgets a token that the server has refused, and asks the shop for a new one. */
export function forgetToken(): void {
  store("sessionStorage", TOKEN, null);
  tellShop({ type: "doorbuster:ready", needs_token: true });
}

/** Whether the shop's page may still be about to hand over a token. */
export const HANDOVER_MS = 1_500;
export function awaitsToken(): boolean {
  return parentOrigin !== null && visitor() === null && performance.now() < HANDOVER_MS;
}

/** Takes tokens from the address and from the shop's pages. `onToken` is called after each. */
export function takeTokens(onToken: () => void): void {
  const take = (token: unknown): void => {
    if (typeof token !== "string" || token.length > TOKEN_LENGTH_MAX || subjectOf(token) === null) return;
    store("sessionStorage", TOKEN, token);
    onToken();
  };
  const readFragment = (): void => {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token === null) return;
    // Neither the history nor a copied address keeps it.
    history.replaceState(history.state, "", location.pathname + location.search);
    take(token);
  };
  window.addEventListener("hashchange", readFragment);
  readFragment();
  window.addEventListener("message", ({ origin, data }: MessageEvent<unknown>) => {
    if (!settings.origins.includes(origin) || typeof data !== "object" || data === null) return;
    if ("type" in data && data.type === "doorbuster:token" && "token" in data) take(data.token);
  });
  tellShop({ type: "doorbuster:ready", needs_token: visitor() === null });
}

/** Keeps the frame as high as the page. */
export function tellHeight(): void {
  if (parentOrigin === null) return;
  new ResizeObserver(() => {
    tellShop({ type: "doorbuster:height", height: Math.ceil(document.body.getBoundingClientRect().height) });
  }).observe(document.body);
}
