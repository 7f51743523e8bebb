// `npm run deploy`: checks, migrates the database, deploys the Worker, and sends it a few requests.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { CommandFailure, EXIT, runCommand } from "./cli/command.ts";
import { addressIn, checksOf, stepsOf, type Step } from "./deploy/checks.ts";
import { smokeTest } from "./deploy/smoke-test.ts";
import { readProject, ROOT } from "./server/config.ts";

const NAME = "npm run deploy";

/** npm puts wrangler on the PATH. On Windows it is a script of the shell. */
const IN_ROOT = { cwd: ROOT, shell: process.platform === "win32" } as const;

await runCommand(
  {
    name: NAME,
    operands: "[-- ARGUMENTS OF WRANGLER DEPLOY]",
    operandsMax: 20,
    about: `
Deploys to Cloudflare: checks the configuration and the checkout, migrates the database, deploys the Worker, and tests
it at its address. ADMIN_TOKEN and SERVICE_TOKEN of the environment let the test reach the objects and the database.`,
    options: {
      env: { kind: "text", value: "NAME", default: "", help: "an environment of wrangler.toml, such as staging; production if left out" },
      url: { kind: "text", value: "URL", help: "the address to test; the one that wrangler names if left out" },
      waitSeconds: { kind: "count", default: 60, min: 0, max: 3_600, help: "how long the address may take to answer" },
      force: { kind: "flag", help: "deploys without an identity, without ADMIN_TOKEN, and what is not committed" },
      dryRun: { kind: "flag", help: "builds, and deploys nothing" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token, for the test" },
      serviceToken: { kind: "text", value: "TOKEN", env: true, help: "the token of a back end, for the test" },
    },
  },
  async ({ options, operands, atEnd }) => {
    const { env } = options;
    const deploy = ["deploy", `--env=${env}`, ...operands];
    if (options.dryRun) {
      await wrangler([...deploy, "--dry-run"]);
      return EXIT.ok;
    }
    const project = await readProject(env).catch(() => {
      throw new CommandFailure(`wrangler.toml has no environment ${env}`, EXIT.usage);
    });
    const facts = { env, vars: project.vars, secrets: await secretsOf(env), changes: uncommitted() };
    // A build by Cloudflare may run before the secrets are there. Until then the Worker is closed.
    if (!isFit(checksOf(facts), options.force || process.env["WORKERS_CI"] === "1")) return EXIT.failed;

    const folder = await mkdtemp(join(tmpdir(), "doorbuster-deploy-"));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    const output = join(folder, "output.ndjson");
    const calls: Record<Step, readonly string[]> = {
      migrate: ["d1", "migrations", "apply", "DB", "--remote", `--env=${env}`],
      deploy,
    };
    for (const step of stepsOf(project.database === null ? null : await isThere(project.database))) {
      console.log(`\n== ${step} ${step === "migrate" ? project.database : project.name}`);
      // A migration that is declined would not stop the deploy of code that needs it.
      await wrangler(calls[step], output, step === "migrate" ? "ignore" : "inherit");
    }
    return await test(options.url ?? addressIn(existsSync(output) ? readFileSync(output, "utf8") : ""), options);
  },
);

/** Prints the checks. Returns whether to go on. */
function isFit(checks: ReturnType<typeof checksOf>, isForced: boolean): boolean {
  console.log("== check");
  for (const { name, fault, canBeForced } of checks) {
    const verdict = fault === null ? "ok" : canBeForced && isForced ? "forced" : "FAILED";
    console.log(`${verdict.padEnd(7)}${name}${fault === null ? "" : `: ${fault}`}`);
  }
  const left = checks.filter(({ fault, canBeForced }) => fault !== null && !(canBeForced && isForced));
  if (left.length > 0) {
    const hint = left.every(({ canBeForced }) => canBeForced) ? " (--force deploys nevertheless)" : "";
    console.error(`${NAME}: nothing was deployed: correct what FAILED${hint}`);
  }
  return left.length === 0;
}

/** Tests the deployed Worker. Returns the exit code. */
async function test(url: string | null, options: { readonly env: string; readonly waitSeconds: number } & Parameters<typeof smokeTest>[1]) {
  if (url === null) throw new CommandFailure("it is deployed, but wrangler names no address to test: give --url");
  console.log(`\n== test ${url}`);
  const results = await smokeTest(url, options, options.waitSeconds * 1_000);
  for (const { name, fault } of results) console.log(fault === null ? `ok     ${name}` : `FAILED ${name}: ${fault}`);
  if (results.every(({ fault }) => fault === null)) return EXIT.ok;
  console.error(`${NAME}: it is deployed, and does not work: npx wrangler rollback --env=${options.env} returns to the version before`);
  return EXIT.failed;
}

/** Runs wrangler in this terminal. It writes what it did into `output`. Without input it asks nothing. */
async function wrangler(args: readonly string[], output?: string, input: "inherit" | "ignore" = "inherit"): Promise<void> {
  const env = output === undefined ? process.env : { ...process.env, WRANGLER_OUTPUT_FILE_PATH: output };
  const status = await ended(spawn("wrangler", args, { ...IN_ROOT, env, stdio: [input, "inherit", "inherit"] }));
  if (status !== 0) throw new CommandFailure(`wrangler ${args.join(" ")} ended with status ${status}`, EXIT.failed);
}

/** Runs wrangler, and returns what it prints. */
async function printed(args: readonly string[]): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const child = spawn("wrangler", args, { ...IN_ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [status, out, err] = await Promise.all([ended(child), text(child.stdout), text(child.stderr)]);
  return { status, out, err };
}

async function ended(child: ReturnType<typeof spawn>): Promise<number> {
  await once(child, "close").catch((cause: unknown) => {
    throw new CommandFailure(`wrangler does not start: run npm ci, then ${NAME} (${String(cause)})`);
  });
  return child.exitCode ?? EXIT.failed;
}

/** Parses a list of things with names. Throws {@link CommandFailure} with what wrangler says. */
function namesIn({ status, out, err }: Awaited<ReturnType<typeof printed>>, what: string): string[] {
  try {
    if (status === 0) return (JSON.parse(out) as { readonly name: string }[]).map(({ name }) => name);
  } catch {
    // It is no JSON.
  }
  throw new CommandFailure(`wrangler can't list ${what}: log in with npx wrangler login, or set CLOUDFLARE_API_TOKEN\n${err}${out}`);
}

/** Returns the names of the Worker's secrets. A Worker that does not exist has none. */
async function secretsOf(env: string): Promise<string[]> {
  const list = await printed(["secret", "list", `--env=${env}`]);
  return list.status !== 0 && /Worker "[^"]*".* not found/.test(list.err + list.out) ? [] : namesIn(list, "the secrets");
}

async function isThere(database: string): Promise<boolean> {
  return namesIn(await printed(["d1", "list", "--json"]), "the databases").includes(database);
}

function uncommitted(): string | null {
  const { status, stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? stdout : null;
}
