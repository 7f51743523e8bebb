// The configuration of workerd: the Worker with what wrangler.toml and .dev.vars say of it.

import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseEnv } from "node:util";

export const ROOT = join(import.meta.dirname, "../..");

/** The folder of the objects' SQLite files, below the state folder of workerd and wrangler. */
export const OBJECTS_FOLDER = "doorbuster-CouponObject";

/** The rate limit binding for workerd, which has none of its own. */
const RATE_LIMIT_MODULE = readFileSync(join(import.meta.dirname, "rate-limit.js"), "utf8");

/** Bindings of wrangler.toml that workerd can't have here. */
const NOT_SERVED = ["d1_databases", "kv_namespaces", "r2_buckets", "services"] as const;

/** What is read of wrangler's configuration. The package has no types of it. */
type Read = {
  readonly compatibility_date: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly ratelimits: readonly { readonly name: string; readonly simple: { readonly limit: number; readonly period: number } }[];
} & Readonly<Record<(typeof NOT_SERVED)[number], readonly { readonly binding: string }[]>>;

export type Project = {
  readonly compatibilityDate: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly rateLimits: readonly RateLimit[];
  /** Names of bindings that are configured, but not served. */
  readonly missing: readonly string[];
};
type RateLimit = { readonly name: string; readonly limit: number; readonly period: number };

/** Reads wrangler.toml. */
export async function readProject(): Promise<Project> {
  // It takes most of a second to load.
  const { unstable_readConfig } = await import("wrangler");
  const config: Read = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
  return {
    compatibilityDate: config.compatibility_date,
    vars: Object.fromEntries(Object.entries(config.vars).map(([name, value]) => [name, textOf(value)])),
    rateLimits: config.ratelimits.map(({ name, simple }) => ({ name, ...simple })),
    missing: NOT_SERVED.flatMap((kind) => config[kind].map(({ binding }) => binding)),
  };
}

/** Returns a variable as text: a list or a table as JSON, never as `[object Object]`. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns the variables in a file such as .dev.vars, or null if it does not exist. */
export function varsIn(file: string): Record<string, string> | null {
  if (!existsSync(file)) return null;
  const vars = Object.entries(parseEnv(readFileSync(file, "utf8")));
  return Object.fromEntries(vars.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export type Config = {
  readonly bundle: string;
  /** The folder of the objects. */
  readonly state: string;
  readonly host: string;
  readonly port: number;
  readonly vars: Readonly<Record<string, string>>;
  readonly rateLimits: readonly RateLimit[];
  readonly compatibilityDate: string;
  readonly flags: readonly string[];
  readonly isolates: number;
};

/** Returns the text for workerd. The first isolate has the objects. The others are bound to its namespace. */
export function capnp(config: Config): string {
  const all = Array.from({ length: config.isolates }, (_, index) => index);
  const services = all.map((index) => `(name = "isolate-${index}", worker = .worker${index})`);
  const sockets = all.map((index) => {
    const address = `${hostInUrl(config.host)}:${index === 0 ? config.port : 0}`;
    return `(name = "isolate-${index}", address = ${quoted(address)}, http = (), service = "isolate-${index}")`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ${services.join(", ")}, (name = "disk", disk = (path = ${quoted(config.state)}, writable = true)) ],
  sockets = [ ${sockets.join(", ")} ],
  extensions = [ (modules = [ (name = "doorbuster:rate-limit", internal = true, esModule = ${quoted(RATE_LIMIT_MODULE)}) ]) ]
);
${all.map((index) => worker(config, index)).join("")}`;
}

function worker({ bundle, vars, rateLimits, compatibilityDate, flags }: Config, index: number): string {
  const namespace = index === 0 ? `"CouponObject"` : `(className = "CouponObject", serviceName = "isolate-0")`;
  const bindings = [
    `(name = "COUPONS", durableObjectNamespace = ${namespace})`,
    ...Object.entries(vars).map(([name, value]) => `(name = ${quoted(name)}, text = ${quoted(value)})`),
    ...rateLimits.map(({ name, ...simple }) => {
      const inner = `(name = "simple", json = ${quoted(JSON.stringify(simple))})`;
      return `(name = ${quoted(name)}, wrapped = (moduleName = "doorbuster:rate-limit", innerBindings = [ ${inner} ]))`;
    }),
  ];
  const objects = `durableObjectNamespaces = [ (className = "CouponObject", uniqueKey = ${quoted(OBJECTS_FOLDER)}, enableSql = true) ],
  durableObjectStorage = (localDisk = "disk"),`;
  return `const worker${index} :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed ${quoted(basename(bundle))}) ],
  compatibilityDate = ${quoted(compatibilityDate)},
  compatibilityFlags = ${JSON.stringify(flags)},
  ${index === 0 ? objects : ""}
  bindings = [ ${bindings.join(", ")} ]
);
`;
}

/** Returns the host as it stands in a URL: an IPv6 address in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
