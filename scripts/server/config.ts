// The configuration of workerd: the Worker with what wrangler.toml and .dev.vars say of it.

import { createHash, createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseEnv } from "node:util";

export const ROOT = join(import.meta.dirname, "../..");

/** The folder of the coupons' SQLite files, below the state folder of workerd and wrangler. */
export const OBJECTS_FOLDER = folderOf("CouponObject");
/** The folder of the database `DB`, below the state folder of workerd. */
export const DATABASE_FOLDER = folderOf("Database");

/** The rate limit binding, the database and the static assets for workerd, which has none of its own. */
const [RATE_LIMIT_MODULE, DATABASE_MODULE, ASSETS_MODULE] = ["rate-limit.js", "database.js", "assets.js"].map((file) =>
  quoted(readFileSync(join(import.meta.dirname, file), "utf8")),
);

const ASSETS_FOLDER = join(ROOT, "public");

/** Kinds of bindings in wrangler.toml that workerd can't have here. Of the databases it has `DB`. */
const NOT_SERVED = ["d1_databases", "kv_namespaces", "r2_buckets", "services"] as const;

/** What is read of wrangler's configuration. The package has no types of it. */
type Read = {
  readonly compatibility_date: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
  readonly ratelimits: readonly { readonly name: string; readonly simple: { readonly limit: number; readonly period: number } }[];
  readonly name: string;
  readonly d1_databases: readonly { readonly binding: string; readonly database_name: string }[];
} & Readonly<Record<(typeof NOT_SERVED)[number], readonly { readonly binding: string }[]>>;

export type Project = {
  readonly name: string;
  /** The name of the database `DB`, or null if it is not bound. */
  readonly database: string | null;
  readonly compatibilityDate: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly objects: readonly ObjectBinding[];
  readonly rateLimits: readonly RateLimit[];
  /** Names of bindings that are configured, but not served. */
  readonly missing: readonly string[];
};
type ObjectBinding = { readonly name: string; readonly className: string };
type RateLimit = { readonly name: string; readonly limit: number; readonly period: number };

/** Reads an environment of wrangler.toml. Production is the empty one. Throws if there is no such environment. */
export async function readProject(env = ""): Promise<Project> {
  // It takes most of a second to load.
  const { unstable_readConfig } = await import("wrangler");
  const config: Read = unstable_readConfig({ config: join(ROOT, "wrangler.toml"), env });
  return {
    name: config.name,
    database: config.d1_databases.find(({ binding }) => binding === "DB")?.database_name ?? null,
    compatibilityDate: config.compatibility_date,
    vars: Object.fromEntries(Object.entries(config.vars).map(([name, value]) => [name, textOf(value)])),
    objects: config.durable_objects.bindings.map(({ name, class_name: className }) => ({ name, className })),
    rateLimits: config.ratelimits.map(({ name, simple }) => ({ name, ...simple })),
    missing: NOT_SERVED.flatMap((kind) => config[kind].map(({ binding }) => binding)).filter((binding) => binding !== "DB"),
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
  readonly objects: readonly ObjectBinding[];
  readonly rateLimits: readonly RateLimit[];
  readonly compatibilityDate: string;
  readonly flags: readonly string[];
  /** Further bindings of the Worker, in workerd's words. */
  readonly bindings: readonly string[];
  readonly isolates: number;
  /** Whether the database is served. */
  readonly hasDatabase: boolean;
};

/** The folder of a class of objects. */
function folderOf(className: string): string {
  return `doorbuster-${className}`;
}

/**
 * The file of an object. The runtime derives an object's id from its class, which names the folder, and its own name (source: workerd,
 * `src/workerd/server/actor-id-impl.c++`).
 */
export function objectFile(folder: string, name: string): string {
  const key = createHash("sha256").update(folder).digest();
  const ofName = createHmac("sha256", key).update(name).digest().subarray(0, 16);
  const ofClass = createHmac("sha256", key).update(ofName).digest().subarray(0, 16);
  return `${Buffer.concat([ofName, ofClass]).toString("hex")}.sqlite`;
}

/** Returns the text for workerd. The first isolate has the objects. The others are bound to its namespace. */
export function capnp(config: Config): string {
  const all = Array.from({ length: config.isolates }, (_, index) => index);
  const services = all.map((index) => `(name = "isolate-${index}", worker = .worker${index})`);
  const sockets = all.map((index) => {
    const address = `${hostInUrl(config.host)}:${index === 0 ? config.port : 0}`;
    return `(name = "isolate-${index}", address = ${quoted(address)}, http = (), service = "isolate-${index}")`;
  });
  // Without this service, `fetch` reaches public addresses only.
  const internet = `(name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))`;
  if (config.vars["WEBHOOK_TARGETS"] === "any") services.push(internet);
  if (config.hasDatabase) services.push(`(name = "database", worker = .database)`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ${services.join(", ")}, (name = "assets", worker = .assets), (name = "files", disk = (path = ${quoted(ASSETS_FOLDER)})), (name = "disk", disk = (path = ${quoted(config.state)}, writable = true)) ],
  sockets = [ ${sockets.join(", ")} ],
  extensions = [ (modules = [ (name = "doorbuster:rate-limit", internal = true, esModule = ${RATE_LIMIT_MODULE}) ]) ]
);
${assets(config)}${all.map((index) => worker(config, index)).join("")}${config.hasDatabase ? database(config) : ""}`;
}

function assets({ compatibilityDate }: Config): string {
  return `const assets :Workerd.Worker = (
  modules = [ (name = "assets.js", esModule = ${ASSETS_MODULE}) ],
  compatibilityDate = ${quoted(compatibilityDate)},
  bindings = [ (name = "FILES", service = "files") ]
);
`;
}

function database({ compatibilityDate }: Config): string {
  return `const database :Workerd.Worker = (
  modules = [ (name = "database.js", esModule = ${DATABASE_MODULE}) ],
  compatibilityDate = ${quoted(compatibilityDate)},
  ${namespaces(["Database"])}
  bindings = [ (name = "DATABASE", durableObjectNamespace = "Database") ]
);
`;
}

/** Declares classes of objects, each with its folder. */
function namespaces(classNames: readonly string[]): string {
  const all = classNames.map((className) => `(className = "${className}", uniqueKey = "${folderOf(className)}", enableSql = true)`);
  return `durableObjectNamespaces = [ ${all.join(", ")} ],
  durableObjectStorage = (localDisk = "disk"),`;
}

function worker(config: Config, index: number): string {
  const { bundle, vars, objects, rateLimits, compatibilityDate, flags, hasDatabase } = config;
  const d1 = `(moduleName = "cloudflare-internal:d1-api", innerBindings = [ (name = "fetcher", service = "database") ])`;
  const bindings = [
    `(name = "ASSETS", service = "assets")`,
    ...objects.map(({ name, className }) => {
      const namespace = index === 0 ? quoted(className) : `(className = ${quoted(className)}, serviceName = "isolate-0")`;
      return `(name = ${quoted(name)}, durableObjectNamespace = ${namespace})`;
    }),
    ...(hasDatabase ? [`(name = "DB", wrapped = ${d1})`] : []),
    ...Object.entries(vars).map(([name, value]) => `(name = ${quoted(name)}, text = ${quoted(value)})`),
    ...rateLimits.map(({ name, ...simple }) => {
      const inner = `(name = "simple", json = ${quoted(JSON.stringify(simple))})`;
      return `(name = ${quoted(name)}, wrapped = (moduleName = "doorbuster:rate-limit", innerBindings = [ ${inner} ]))`;
    }),
    ...config.bindings,
  ];
  return `const worker${index} :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed ${quoted(basename(bundle))}) ],
  compatibilityDate = ${quoted(compatibilityDate)},
  compatibilityFlags = ${JSON.stringify(flags)},
  ${index === 0 ? namespaces(objects.map(({ className }) => className)) : ""}
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
