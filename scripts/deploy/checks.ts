// What `npm run deploy` checks before it changes anything, and the order of its steps.

import { parseConfig } from "../../src/edge/config.ts";

export type Facts = {
  /** An environment of wrangler.toml. Production is the empty one. */
  readonly env: string;
  /** The variables of that environment. */
  readonly vars: Readonly<Record<string, string>>;
  /** The names of the Worker's secrets. Nothing shows their values. */
  readonly secrets: readonly string[];
  /** What `git status --porcelain` prints, or null where there is no repository. */
  readonly changes: string | null;
};

export type Check = {
  readonly name: string;
  /** What is wrong, and what to do. */
  readonly fault: string | null;
  /** Whether `--force` deploys in spite of the fault. The Worker is closed then, or works. */
  readonly canBeForced: boolean;
};

/** What opens the Worker to everybody. */
const UNSAFE = { ADMIN_AUTH: "off", WEBHOOK_TARGETS: "any" } as const;

/** Any of them lets users claim. */
const IDENTITIES = ["SERVICE_TOKEN", "IDENTITY_SECRET", "IDENTITY_JWKS_URL"] as const;

/** Judges the facts. */
export function checksOf({ env, vars, secrets, changes }: Facts): Check[] {
  const config = parseConfig(vars);
  const isSet = (name: string): boolean => secrets.includes(name) || (vars[name] ?? "").trim() !== "";
  const put = (name: string): string => `npx wrangler secret put ${name} --env=${env}`;
  const faults = Object.entries(config.faults).map(([name, fault]) => `${name} ${fault}`);
  const exposed = Object.keys(vars).filter((name) => /TOKEN|SECRET/.test(name));
  const unsafe = Object.entries(UNSAFE).filter(([name, value]) => secrets.includes(name) || vars[name]?.trim() === value);
  const hasIdentity = IDENTITIES.some(isSet) || secrets.includes("IDENTITY") || config.config.IDENTITY === "off";
  return [
    check("variables are valid", faults.length > 0 && `${faults.join("; ")}: correct them in wrangler.toml`),
    check(
      "nothing is open to everybody",
      unsafe.length > 0 && `${unsafe.map(([name]) => name).join(" and ")} must not be set on a deployed Worker: remove it`,
    ),
    check("no secret is in wrangler.toml", exposed.length > 0 && `remove ${exposed.join(", ")}, and run ${put("NAME")}`),
    check("ADMIN_TOKEN is set", !isSet("ADMIN_TOKEN") && `the operator's routes would be closed: run ${put("ADMIN_TOKEN")}`, true),
    check(
      "identity is chosen",
      !hasIdentity && `claims would be refused: run ${put("SERVICE_TOKEN")} or ${put("IDENTITY_SECRET")}, or see docs/operations.md`,
      true,
    ),
    check("the tree is clean", changesFault(changes), true),
  ];
}

function check(name: string, fault: string | false | null, canBeForced = false): Check {
  return { name, fault: fault === false ? null : fault, canBeForced };
}

function changesFault(changes: string | null): string | null {
  if (changes === null) return "there is no git repository, so nothing says what is deployed: commit the code to one";
  const count = changes.split("\n").filter((line) => line !== "").length;
  return count === 0 ? null : `uncommitted changes: ${count}, so nothing says what is deployed: commit them`;
}

export type Step = "migrate" | "deploy";

/**
 * Returns the order of the steps. Migrations only add, so the version before works with the new tables, and they come first. But a first
 * deploy creates the database. `hasDatabase` is null if none is bound.
 */
export function stepsOf(hasDatabase: boolean | null): readonly Step[] {
  if (hasDatabase === null) return ["deploy"];
  return hasDatabase ? ["migrate", "deploy"] : ["deploy", "migrate"];
}

/** Returns the address at which a deployed Worker answers, of what wrangler wrote into its output file, or null. */
export function addressIn(output: string): string | null {
  const entries = output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly type: string; readonly targets?: readonly string[] });
  const targets = entries.flatMap((entry) => (entry.type === "deploy" ? (entry.targets ?? []) : []));
  const hosts = targets.flatMap(
    (target) => /^(https?:\/\/[^/\s]+|[\w-]+(?:\.[\w-]+)+(?=$|\/\*$| \(custom domain))/.exec(target)?.[1] ?? [],
  );
  const [host] = hosts;
  if (host === undefined) return null;
  return host.includes("://") ? host : `https://${host}`;
}
