// The Worker with a test's own settings, before the same objects as ever.

import { env } from "cloudflare:workers";

import type { Env } from "../../../src/edge/env.ts";
import { createApp } from "../../../src/http/app.ts";
import type { Answer } from "../../support/api.ts";

/** What wrangler.toml and .dev.vars give, as the Worker is typed to see it. */
export const bindings = env as unknown as Env;

/** What a test sets; undefined takes a binding away. */
export type Settings = { readonly [Name in keyof Env]?: Env[Name] | undefined };

export type Sent = { readonly authorization?: string; readonly body?: unknown; readonly headers?: Record<string, string> };
export type Ask = (method: string, path: string, sent?: Sent) => Promise<Answer>;

const app = createApp();

/** Sends one request to a Worker with `settings` and answers the response as it came. */
export function fetchWith(
  settings: Settings,
  method: string,
  path: string,
  { authorization, body, headers }: Sent = {},
): Promise<Response> {
  const init = {
    method,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  return Promise.resolve(app.request(`https://doorbuster.test${path}`, init, { ...bindings, ...settings }));
}

/** A Worker with these settings; an empty answer reads as `{}`. */
export function workerWith(settings: Settings): Ask {
  return async (method, path, sent) => {
    const response = await fetchWith(settings, method, path, sent);
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
  };
}

/** Settings under which the platform's counter lets nobody through. */
export const SPENT: Settings = { CLAIMS_100_PER_10S: { limit: () => Promise.resolve({ success: false }) } };

/** `401 unauthorized`, or the status alone where there is no code. */
export function outcomeOf({ status, body }: Answer): string {
  return "code" in body ? `${status} ${String(body["code"])}` : String(status);
}
