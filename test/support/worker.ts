// The Worker with a test's own settings, in front of the same objects.

import { env } from "cloudflare:workers";

import type { RawEnv } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";
import { PAGES } from "../../src/web/pages.ts";
import type { Answer } from "./api.ts";

/** What wrangler.toml and .dev.vars give, as the Worker is typed to see it. Without the meter, no work waits ten seconds. */
const { METER: _meter, ...others } = env as unknown as RawEnv;
export const bindings: RawEnv = others;

/** What a test sets. Undefined takes a binding away. */
export type Settings = { readonly [Name in keyof RawEnv]?: RawEnv[Name] | undefined };

/** A body that is no form is sent as JSON. `cf` is where the request comes from, as Cloudflare says it. */
export type Sent = {
  readonly authorization?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly cf?: Readonly<Record<string, string>>;
};
export type Ask = (method: string, path: string, sent?: Sent) => Promise<Answer>;

const app = createApp(PAGES);

/** Sends one request to a Worker with `settings`. What it hands to `waitUntil` goes to `works`. */
export function fetchWith(
  settings: Settings,
  method: string,
  path: string,
  { authorization, body, headers, cf }: Sent = {},
  works: Promise<unknown>[] = [],
): Promise<Response> {
  const init = {
    method,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(cf === undefined ? {} : { cf }),
    ...(body === undefined ? {} : { body: body instanceof URLSearchParams ? body : JSON.stringify(body) }),
  };
  const context = {
    waitUntil: (work: Promise<unknown>) => void works.push(work),
    passThroughOnException: () => undefined,
    props: {},
  } as unknown as ExecutionContext;
  return Promise.resolve(app.request(`https://doorbuster.test${path}`, init, { ...bindings, ...settings }, context));
}

/** A Worker with these settings. An answer that is no JSON reads as `{ text }`, an empty one as `{}`. */
export function workerWith(settings: Settings, works: Promise<unknown>[] = []): Ask {
  return async (method, path, sent) => {
    const response = await fetchWith(settings, method, path, sent, works);
    const text = await response.text();
    const isJson = response.headers.get("Content-Type") === "application/json";
    const parsed: Record<string, unknown> = isJson && text !== "" ? JSON.parse(text) : { text };
    return { status: response.status, body: text === "" ? {} : parsed, headers: response.headers };
  };
}

/** Settings under which the platform's counter refuses every request. */
export const SPENT: Settings = { CLAIMS_100_PER_10S: { limit: () => Promise.resolve({ success: false }) } };
