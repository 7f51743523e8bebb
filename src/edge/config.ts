// The Worker's variables and secrets. One schema has the allowed values and the defaults.

import * as z from "zod";

import { ADDRESS_LIMIT_DEFAULT, RATE_LIMIT_DEFAULT, STREAM_READS_DEFAULT } from "../domain/limits.ts";
import { LANES_MAX } from "../domain/lane-limits.ts";
import type { LaneSetting } from "../domain/lanes.ts";
import { LOCATION_HINTS } from "../domain/location-hint.ts";
import { WEBHOOK_TARGETS } from "../domain/webhook-target.ts";

const onOff = (fallback: "on" | "off") => z.enum(["on", "off"], "must be on or off").default(fallback);

/**
 * A text. A binding of another kind, such as a secret of the Secrets Store or a list, has none: as text it
 * would be `[object Object]`, a secret that every caller knows.
 */
const text = z.string("must be text");

/** Requests per window. Null is no limit. */
const limit = (fallback: number) =>
  text
    .regex(/^(?:off|[1-9]\d{0,8})$/, "must be off or a whole number from 1")
    .transform((value) => (value === "off" ? null : Number(value)))
    .default(fallback);

/** A bearer token. A header can't have a space in one. */
const token = text.regex(/^\S+$/, "must have no spaces").optional();

function origins(fallback: string) {
  return text
    .default(fallback)
    .transform((value) => new Set(value.split(/[\s,]+/).filter((origin) => origin !== "")))
    .refine(
      (all) => Array.from(all).every(isOrigin),
      "must be origins without a final slash, such as https://shop.example, with commas between them",
    );
}

/** The origin of an app's page, such as `capacitor://localhost`. `URL` gives it the origin `null`. */
const APP_ORIGIN = /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[^\s/?#*]+$/;

function isOrigin(value: string): boolean {
  return (URL.parse(value)?.origin === value && !value.includes("*")) || APP_ORIGIN.test(value);
}

/** Keys must come over TLS. On the same machine, for local development, plain HTTP will do. */
function isKeySetUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === "https:" || (url.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname)));
}

/** From 1 to {@link LANES_MAX}. */
const LANES = /^(?:auto|off|[1-9]|[1-5]\d|6[0-4])$/;

const VARIABLES = z.object({
  /** The operator's bearer token, and a second one for the time of a rotation. */
  ADMIN_TOKEN: token,
  ADMIN_TOKEN_PREVIOUS: token,
  /** `off` treats every caller as the operator. Use it in local development only. */
  ADMIN_AUTH: onOff("on"),
  /** The token of a shop's back end, which acts for any user, and a second one for the time of a rotation. */
  SERVICE_TOKEN: token,
  SERVICE_TOKEN_PREVIOUS: token,
  /** `off` lets every caller act for any user, unless a secret or a key set is configured. */
  IDENTITY: onOff("on"),
  /** With this secret (HS256) or the key set, user routes need a JWT whose `sub` is the user. */
  IDENTITY_SECRET: text.optional(),
  /** The URL of a key set. If a secret is configured too, only the key set counts. */
  IDENTITY_JWKS_URL: text.refine(isKeySetUrl, "must be an https URL").optional(),
  /** The `aud` and the `iss` that a token must have. Without them, any is valid. */
  IDENTITY_AUDIENCE: text.optional(),
  IDENTITY_ISSUER: text.optional(),
  /** With this secret of Cloudflare Turnstile, claims and holds of users need a solved challenge. */
  TURNSTILE_SECRET: text.optional(),
  /** With it, the sale page shows Turnstile's widget. */
  TURNSTILE_SITE_KEY: text.regex(/^[\w-]+$/, "must be letters, digits, - and _").optional(),
  /** Claims and holds in 10 seconds of one user for one coupon, and of one client address. */
  RATE_LIMIT: limit(RATE_LIMIT_DEFAULT),
  ADDRESS_LIMIT: limit(ADDRESS_LIMIT_DEFAULT),
  /** The origins whose pages may call user routes, and operator routes. */
  ALLOWED_ORIGINS: origins(""),
  OPERATOR_ORIGINS: origins(""),
  /** The reads of a coupon in one stream of events. */
  STREAM_LOOKS_MAX: text
    .regex(/^[1-9]\d{0,5}$/, "must be a whole number from 1 to 999999")
    .transform(Number)
    .default(STREAM_READS_DEFAULT),
  /** Where webhooks may be sent. `any` allows plain HTTP and private addresses. Use it in local development only. */
  WEBHOOK_TARGETS: z.enum(WEBHOOK_TARGETS, "must be public or any").default("public"),
  /** `off` disables certificates: every claim and hold calls the object. */
  SOLD_OUT_CACHE: onOff("on"),
  /** `off` disables the log line of each request. */
  REQUEST_LOG: onOff("on"),
  /** Where a new object is placed (source: Cloudflare's list of location hints). */
  LOCATION_HINT: z.enum(LOCATION_HINTS, { error: `must be one of ${LOCATION_HINTS.join(", ")}` }).optional(),
  /** How many lanes the claims and holds of each coupon go through. With `auto`, a busy coupon says so. */
  LANES: text
    .regex(LANES, `must be auto, off or a whole number from 1 to ${LANES_MAX}`)
    .transform((value): LaneSetting => (value === "auto" ? value : value === "off" ? 0 : Number(value)))
    .default("auto"),
});

/** The names of all variables and secrets. */
export const VARIABLE_NAMES = Object.keys(VARIABLES.shape);

/** Variables and secrets as they are used. */
export type Config = z.output<typeof VARIABLES>;
/** Variables and secrets as they are configured. A blank one counts as missing. */
export type Variables = { readonly [Name in keyof Config]?: string };
/** What is wrong with each variable whose value is not allowed. */
export type ConfigFaults = Readonly<Record<string, string>>;

/** Returns the configuration. A variable whose value is not allowed has its default, and a fault. */
export function parseConfig(variables: Variables): { readonly config: Config; readonly faults: ConfigFaults } {
  const given = trimmed(variables);
  const { data: config, error } = VARIABLES.safeParse(given);
  if (config !== undefined) return { config, faults: {} };
  const faults = Object.fromEntries(error.issues.map(({ path, message }) => [String(path[0]), message]));
  const allowed = Object.entries(given).map(([name, value]) => [name, name in faults ? undefined : value] as const);
  return { config: VARIABLES.parse(Object.fromEntries(allowed)), faults };
}

/**
 * Returns every variable as text, or undefined. A TOML file can have numbers and booleans too, and a secret
 * that came through a pipe ends in a line break. A value that is no text stays as it is.
 */
function trimmed(variables: Variables): Record<string, unknown> {
  return Object.fromEntries(VARIABLE_NAMES.map((name) => [name, trimmedValue(Reflect.get(variables, name) ?? "")]));
}

function trimmedValue(value: unknown): unknown {
  const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isScalar ? String(value).trim() || undefined : value;
}
