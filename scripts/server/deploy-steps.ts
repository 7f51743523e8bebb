// The calls of wrangler that deploy the Worker and its database.

import { parseArgs } from "node:util";

/** Returns the arguments of each call. Without `--env`, both are for production. A dry run has no database. */
export function deploySteps(args: readonly string[]): string[][] {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: { env: { type: "string", short: "e", default: "" }, "dry-run": { type: "boolean" } },
    strict: false,
    tokens: true,
  });
  const env = `--env=${String(values.env)}`;
  const hasEnv = tokens.some((token) => token.kind === "option" && token.name === "env");
  const deploy = ["deploy", ...(hasEnv ? [] : [env]), ...args];
  return values["dry-run"] === true ? [deploy] : [deploy, ["d1", "migrations", "apply", "DB", "--remote", env]];
}
