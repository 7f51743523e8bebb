// Which server a command calls, with which token, and what it says while that server does not answer.

import { usage } from "./failure.ts";
import type { Profiles } from "./profiles.ts";

export const DEFAULT_URL = "http://127.0.0.1:8787";
export const DEFAULT_PROFILE = "default";

export type Given = { readonly url?: string | undefined; readonly token?: string | undefined; readonly profile?: string | undefined };
export type Address = { readonly url: string; readonly token?: string };

/**
 * Returns the server and its token. Flags come first, then the environment, then the profile. A profile that is
 * named by a flag comes before the environment. A profile's token goes to the profile's own server alone.
 */
export function chooseServer(flags: Given, env: Given, profiles: Profiles): Address {
  const named = flags.profile;
  const profile = profiles[named ?? DEFAULT_PROFILE];
  if (named !== undefined && profile === undefined) throw usage(`there is no profile "${named}"`, `doorbuster login --profile ${named}`);
  const url = checkedUrl((named === undefined ? (flags.url ?? env.url ?? profile?.url) : (flags.url ?? profile?.url)) ?? DEFAULT_URL);
  const ofProfile = profile !== undefined && new URL(profile.url).origin === new URL(url).origin ? profile.token : undefined;
  const token = flags.token ?? (named === undefined ? (env.token ?? ofProfile) : (ofProfile ?? env.token));
  return token === undefined || token === "" ? { url } : { url, token };
}

/** Returns the address without a slash at its end. Throws {@link CommandError} if it is none. */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash + url.username !== "")
    throw usage(`"${text}" is not the address of a server`, "give one such as --url https://sale.example");
  return url.href.replace(/\/+$/, "");
}

/** Returns a `fetch` that calls `onFault` with the reason of each failed attempt. */
export function watchedFetch(onFault: (why: string) => void): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    try {
      const response = await fetch(url, init);
      if (response.status === 429 || response.status >= 500) onFault(`status ${response.status}`);
      return response;
    } catch (cause) {
      onFault(reasonOf(cause));
      throw cause;
    }
  };
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
  if (inner instanceof Error && inner.name === "AbortError") return "it takes too long";
  if (inner instanceof Error) return "code" in inner ? String(inner.code) : inner.message;
  return String(inner);
}
