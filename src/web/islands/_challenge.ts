// Cloudflare Turnstile, where the server names a site key: its widget, and the token of the solved challenge.

import { part, settings } from "./_page.ts";

type Options = {
  readonly sitekey: string;
  readonly callback: (token: string) => void;
  readonly "expired-callback": () => void;
};
declare global {
  interface Window {
    /** Cloudflare's script defines it. */
    readonly turnstile?: { readonly render: (container: Element, options: Options) => string; readonly reset: (widget: string) => void };
  }
}

const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

let token: string | null = null;
let widget: string | undefined;

/** Loads the widget. Without a site key, nothing of another host is loaded. */
export function startChallenge(): void {
  const [container, { siteKey }] = [part("challenge"), settings];
  if (container === null || siteKey === null) return;
  const script = document.createElement("script");
  script.src = SCRIPT;
  script.async = true;
  script.addEventListener("load", () => {
    widget = window.turnstile?.render(container, {
      sitekey: siteKey,
      callback: (solved) => (token = solved),
      "expired-callback": () => (token = null),
    });
  });
  document.head.append(script);
}

/** The header of a claim or a hold. A retry sends the same token. */
export function challengeHeader(): Readonly<Record<string, string>> {
  return token === null ? {} : { "Turnstile-Token": token };
}

/** A token is for one user. A refused token is not used again. */
export function resetChallenge(): void {
  token = null;
  if (widget !== undefined) window.turnstile?.reset(widget);
}
