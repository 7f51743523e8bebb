// `npm run deploy` with a stand-in for wrangler, which notes its calls, and a real Worker at the address.

import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { build, launch, PRODUCT, removeScratch, scratchFolder, type Served } from "../../scripts/server/workerd.ts";
import { ending, ROOT } from "./command.ts";

const TOKENS = { ADMIN_TOKEN: "admin", SERVICE_TOKEN: "service" };
const NAMED = (names: readonly string[]) => JSON.stringify(names.map((name) => ({ name })));
const LISTS = ["secret list --env=", "d1 list --json"];
const MIGRATE = "d1 migrations apply DB --remote --env=";

const WRANGLER = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  "secret list"*)
    if [ -n "$SECRETS" ]; then echo "$SECRETS"; else echo 'Worker "doorbuster" not found.' >&2; exit 1; fi ;;
  "d1 list"*) echo "$DATABASES" ;;
  "d1 migrations"*) exit "$MIGRATE_STATUS" ;;
  deploy*) echo "$DEPLOYED" >> "$WRANGLER_OUTPUT_FILE_PATH"; exit "$DEPLOY_STATUS" ;;
esac
`;

let folder: string;
let bundle: string;
let worker: Served;

beforeAll(async () => {
  folder = await scratchFolder("deploy");
  bundle = await build(PRODUCT, folder);
  worker = await launch(bundle, { state: join(folder, "state"), vars: TOKENS });
  await mkdir(join(folder, "bin"));
  for (const [name, script] of Object.entries({ wrangler: WRANGLER, git: '#!/bin/sh\nprintf "$CHANGES"\n' })) {
    await writeFile(join(folder, "bin", name), script);
    await chmod(join(folder, "bin", name), 0o755);
  }
});

afterAll(async () => {
  await worker.kill();
  await removeScratch(folder);
});

let runCount = 0;

/** Runs the command where everything is as it should be, but for `env`. Returns how it ended, and the calls of wrangler. */
async function deploy(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  runCount += 1;
  const calls = join(folder, `calls-${runCount}`);
  await writeFile(calls, "");
  const child = spawn(process.execPath, [join(ROOT, "scripts/deploy.ts"), "--wait-seconds", "0", ...args], {
    env: {
      ...process.env,
      PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`,
      WORKERS_CI: "",
      CALLS: calls,
      SECRETS: NAMED(Object.keys(TOKENS)),
      DATABASES: NAMED(["doorbuster"]),
      DEPLOYED: JSON.stringify({ type: "deploy", targets: [worker.url] }),
      DEPLOY_STATUS: "0",
      MIGRATE_STATUS: "0",
      CHANGES: "",
      ...TOKENS,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = await ending(child);
  return { ...ended, calls: (await readFile(calls, "utf8")).trim().split("\n") };
}

test("a deploy migrates an existing database first, and tests the address that wrangler names", async () => {
  const { code, out, calls } = await deploy([]);
  expect(calls).toEqual([...LISTS, MIGRATE, "deploy --env="]);
  expect([code, out.match(/^(?:== .*|FAILED.*|ok {5}\/.*)$/gm)]).toEqual([
    0,
    [
      "== check",
      "== migrate doorbuster",
      "== deploy doorbuster",
      `== test ${worker.url}`,
      "ok     /health?deep=1",
      "ok     / and its stylesheet",
    ],
  ]);
});

test("a first deploy to staging creates the database before it migrates it", async () => {
  const { code, calls } = await deploy(["--env", "staging", "--force", "--", "--keep-vars"], { SECRETS: "" });
  const env = "--env=staging";
  expect([code, calls]).toEqual([0, [`secret list ${env}`, "d1 list --json", `deploy ${env} --keep-vars`, `${MIGRATE}staging`]]);
});

test("a deploy without secrets and with changes stops, and --force goes on", async () => {
  const faulty = { SECRETS: "", CHANGES: " M src/index.ts\n" };
  const { code, out, err, calls } = await deploy([], faulty);
  expect([code, calls, out.match(/FAILED/g)]).toEqual([1, LISTS.slice(0, 1), ["FAILED", "FAILED", "FAILED"]]);
  expect(err).toContain("nothing was deployed");
  const forced = { code: 0, out: expect.stringContaining("forced the tree is clean: uncommitted changes: 1") };
  expect(await deploy(["--force"], faulty)).toMatchObject(forced);
  // A build by Cloudflare.
  expect(await deploy([], { ...faulty, WORKERS_CI: "1" })).toMatchObject(forced);
});

test.for([
  ["migration", { MIGRATE_STATUS: "3" }, [...LISTS, MIGRATE]],
  ["deploy", { DEPLOY_STATUS: "3" }, [...LISTS, MIGRATE, "deploy --env="]],
] as const)("a %s that fails ends the command, and nothing is tested", async ([, env, expected]) => {
  const { code, out, err, calls } = await deploy([], env);
  expect([code, err, calls]).toEqual([1, `npm run deploy: wrangler ${expected.at(-1)} ended with status 3`, expected]);
  expect(out).not.toContain("== test");
});

test("a Worker that is open to everybody fails the test after the deploy", async () => {
  const open = await launch(bundle, { state: join(folder, "open"), vars: { ...TOKENS, ADMIN_AUTH: "off" } });
  const { code, out, err } = await deploy(["--url", open.url]);
  await open.kill();
  expect([code, out.match(/FAILED [^:]*: \d+/g)]).toEqual([1, ["FAILED the operator's routes are closed to others: 200"]]);
  expect(err).toContain("npx wrangler rollback --env= returns to the version before");
});

test("an address without an answer fails every check", async () => {
  const { code, out } = await deploy(["--url", "http://127.0.0.1:9"]);
  expect([code, out.match(/FAILED .*: no answer/g)?.length]).toEqual([1, 4]);
});

test("a dry run builds, and asks and changes nothing", async () => {
  expect(await deploy(["--dry-run"])).toMatchObject({ code: 0, calls: ["deploy --env= --dry-run"] });
});
