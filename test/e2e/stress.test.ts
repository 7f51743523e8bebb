// The stress command as it is run: what it finds, what it says, how it ends, and what it leaves behind.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { freePort } from "../../verification/server/loopback.ts";
import { build, OBJECTS_FOLDER, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../verification/server/workerd.ts";
import { startImpostor, type Faults } from "./impostor.ts";

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "stress-token";
/** More than the creation of a coupon writes. */
const WAL_BYTES_OF_CLAIMS = 200_000;

/** What a machine or a job may have set: empty is not set. */
const UNSET = Object.fromEntries(
  ["GITHUB_STEP_SUMMARY", "BASE_URL", "ADMIN_TOKEN", "STATE", "INITIAL_STOCK", "VUS", "COUPON", "TIMEOUT", "SEED"].map((name) => [
    name,
    "",
  ]),
);

type Ended = { readonly code: number | null; readonly said: string; readonly printed: string };
type Reported = {
  readonly isPassed: boolean;
  readonly reports: readonly {
    readonly mode: string;
    readonly counters: Readonly<Record<string, number>>;
    readonly thresholds: readonly { readonly what: string; readonly actual: string; readonly isKept: boolean }[];
  }[];
};

let folder: string;
let server: Served;

beforeAll(async () => {
  folder = await scratchFolder("stress-test");
  const bundle = await build(PRODUCT, folder);
  server = await serve(bundle, { state: join(folder, "state"), vars: { ADMIN_AUTH: "on", ADMIN_TOKEN: TOKEN } });
});

afterAll(async () => {
  await server.kill();
  await removeScratch(folder);
});

function start(script: "run" | "stability", args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [join(ROOT, "verification/stress", `${script}.ts`), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...UNSET, COOLDOWN: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ending(child: ChildProcess): Promise<Ended> {
  let [said, printed] = ["", ""];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await once(child, "close");
  return { code: child.exitCode, said: said.trim(), printed };
}

function stress(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return ending(start("run", args, env));
}

/** Runs, and expects that all is kept; how long it took is not judged. */
async function expectKept(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Reported> {
  const file = join(folder, `${args.join("-")}.json`);
  const { code, said, printed } = await stress([...args, "--ignore-latency", "--json", file], env);
  const reported = JSON.parse(await readFile(file, "utf8").catch(() => `{"said":${JSON.stringify(said)}}`)) as Reported;
  expect(reported).toHaveProperty("reports");
  const broken = reported.reports.flatMap(({ thresholds }) => thresholds).filter(({ isKept }) => !isKept);
  expect([broken, printed.includes("FAIL"), reported.isPassed, code]).toEqual([[], false, true, 0]);
  return reported;
}

/** Every process that descends from `pid`. */
function descendants(pid: number): number[] {
  const all = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const above of found) for (const [child, parent] of all) if (parent === above && child !== undefined) found.push(child);
  return found.slice(1);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What lies there now: others make and remove folders meanwhile. */
function scratchFolders(): string[] {
  try {
    return readdirSync(join(ROOT, ".scratch"));
  } catch {
    return [];
  }
}

function scratch(): string[] {
  return scratchFolders().filter((name) => /^stress-\w{6}$/.test(name));
}

/** Whether the server of the run in `own` has stored claims: its log of what was written has grown beyond the creation. */
function hasClaims(own: string): boolean {
  const objects = join(ROOT, ".scratch", own, "state", OBJECTS_FOLDER);
  if (own === "" || !existsSync(objects)) return false;
  return readdirSync(objects).some((file) => file.endsWith("-wal") && statSync(join(objects, file)).size > WAL_BYTES_OF_CLAIMS);
}

describe("on its own", () => {
  test("builds and starts a server, sells exactly the stock, verifies it in the files, and leaves nothing", async () => {
    const before = scratch();
    const file = join(folder, "summary.md");
    const reported = await expectKept(["--markdown", file], { VUS: "50", INITIAL_STOCK: "5" });
    expect(reported.reports.map(({ counters }) => counters)).toEqual([
      {
        claim_granted: 5,
        claim_out_of_stock: 45,
        claim_already_claimed: 0,
        claim_rate_limited: 0,
        claim_error: 0,
        http_errors: 0,
      },
    ]);
    expect(reported.reports[0]?.thresholds.at(-1)).toMatchObject({ what: "checks against the files", isKept: true });
    expect(await readFile(file, "utf8")).toContain("stress: purchase-load");
    expect(scratch()).toEqual(before);
  });

  test.for([
    { when: "while it builds", signal: "SIGTERM", isFarEnough: () => true },
    { when: "under load", signal: "SIGINT", isFarEnough: hasClaims },
  ] as const)("ends at once when it is interrupted $when, with everything it started", async ({ signal, isFarEnough }) => {
    const before = scratch();
    const child = start("run", ["status-polling"], { VUS: "20" });
    const ended = ending(child);
    const started = (): number[] => descendants(child.pid ?? 0);
    const own = (): string | undefined => scratch().find((name) => !before.includes(name));
    await expect.poll(() => started().length > 0 && isFarEnough(own() ?? ""), { timeout: 200_000, interval: 20 }).toBe(true);
    const processes = started();
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 130, said: expect.stringContaining("interrupted") });
    expect([processes.filter(isRunning), scratch()]).toEqual([[], before]);
  });
});

function named(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { BASE_URL: server.url, ADMIN_TOKEN: TOKEN, VUS: "50", ...more };
}

describe.concurrent("against a server that was named", () => {
  // The longest goes first, beside the others.
  test("all modes run in turn, and the stability command repeats one", async () => {
    const state = { STATE: join(folder, "state"), INITIAL_STOCK: "5" };
    const [{ reports }, stability] = await Promise.all([
      expectKept(["all"], named(state)),
      ending(start("stability", ["2", "duplicate-user"], named({ ...state, DEDUP_USERS: "2", DEDUP_REQUESTS: "3" }))),
    ]);
    expect(reports.map(({ mode }) => mode)).toEqual(["purchase-load", "duplicate-user", "status-polling", "mixed-workload", "last-unit"]);
    expect(stability.printed.match(/^run \d\/2 [✓✗] .*claim_granted 2 {2}claim_already_claimed 4/gm)).toHaveLength(2);
  });

  test("duplicates win once each, and the files say so too", async () => {
    const { reports } = await expectKept(
      ["duplicate-user"],
      named({ DEDUP_USERS: "3", DEDUP_REQUESTS: "5", STATE: join(folder, "state") }),
    );
    expect(reports[0]?.counters).toMatchObject({ claim_granted: 3, claim_already_claimed: 12, http_errors: 0 });
    expect(reports[0]?.thresholds.at(-1)?.what).toBe("checks against the files");
  });

  test("without its state it is verified over the API", async () => {
    const { reports } = await expectKept(["purchase-load"], named());
    expect(reports[0]?.thresholds.at(-1)?.what).toBe("checks against the API alone");
  });

  test.for([
    ["no token", { ADMIN_TOKEN: "" }, "wants the operator's token: set ADMIN_TOKEN, or --admin-token"],
    ["another token", { ADMIN_TOKEN: "guessed" }, "does not take this operator's token: check ADMIN_TOKEN, or --admin-token"],
    ["a folder that is no state", { STATE: "src" }, "src is not a state of Doorbuster"],
    ["an address elsewhere", { BASE_URL: "https://doorbuster.example.workers.dev" }, "is not on this machine"],
    ["no address at all", { BASE_URL: "localhost:8787" }, "takes an address such as"],
    ["a state without a server", { BASE_URL: "", STATE: "src" }, "name that server too"],
  ] as const)("it is told in one sentence: %s", async ([, env, sentence]) => {
    expectRefusal(await stress([], named(env)), sentence);
  });

  test("it is told in one sentence: the state of another server", async () => {
    const other = join(folder, "other");
    await mkdir(join(other, OBJECTS_FOLDER), { recursive: true });
    expectRefusal(await stress([], named({ STATE: other })), "is another server's state");
  });

  test("a coupon that exists is left alone", async () => {
    const env = named({ COUPON: "taken", INITIAL_STOCK: "5" });
    await stress([], env);
    expectRefusal(await stress([], env), 'the coupon "taken" exists already');
  });
});

describe.concurrent("what is no Doorbuster is told in one sentence", () => {
  test("nothing", async () => {
    expectRefusal(await stress([], { BASE_URL: `http://127.0.0.1:${await freePort()}` }), "nothing listens at");
  });

  test.for([
    ["a server that hangs", { hangs: "always" }, "gave no answer to GET /health: no answer within 4 s"],
    ["a server that answers 500", { health: { status: 500, body: {} } }, "is up but not well: it answered GET /health with 500"],
    ["another service", { health: { status: 200, body: "OK" } }, "is not Doorbuster: GET /health told 200"],
    [
      "another service that is healthy",
      { create: { status: 404, body: {} } },
      "is not Doorbuster: it answered the creation of a coupon with 404",
    ],
    ["a server that hangs on claims", { hangs: "on claims" }, "answered none of 50 requests: no answer within 4 s"],
  ] as const)("%s", async ([, faults, sentence]) => {
    expectRefusal(await againstImpostor(faults), sentence);
  });
});

describe.concurrent("a server that breaks a promise is found out", () => {
  test("one that breaks none is not", async () => {
    const { code, printed } = await againstImpostor({});
    expect([code, printed]).toEqual([0, expect.stringContaining("all thresholds kept")]);
  });

  test.for([
    ["it gives out more than there is", "purchase-load", { oversells: 1 }, "✗ claims granted                               6 (5)"],
    ["it gives one user two", "duplicate-user", { grantsEach: 2 }, "✗ users who won exactly once                   1 (3)"],
    ["it forgets a winner", "purchase-load", { forgets: true }, "everybody who was told 201 is there (4 of 5)"],
    [
      "it answers claims with 503",
      "purchase-load",
      { claim: { status: 503, body: { code: "unavailable" } } },
      "✗ HTTP errors                                  50 (0)",
    ],
    [
      "it gives receipts of others",
      "purchase-load",
      { claim: { status: 201, body: { user_id: "eve" } } },
      "50 × claim: 201 without a receipt",
    ],
  ] as const)("%s", async ([, mode, faults, line]) => {
    const { code, printed } = await againstImpostor(faults, mode);
    expect(printed).toContain(line);
    expect(code).toBe(1);
  });
});

/** Who hangs is waited for as short as can be. */
async function againstImpostor(faults: Faults, mode = "purchase-load"): Promise<Ended> {
  const impostor = await startImpostor(faults);
  try {
    const load = { VUS: "50", INITIAL_STOCK: "5", DEDUP_USERS: "3", DEDUP_REQUESTS: "5" };
    const timeout = faults.hangs === undefined ? "60" : "4";
    return await stress([mode, "--timeout", timeout, "--ignore-latency"], { BASE_URL: impostor.url, ...load });
  } finally {
    await impostor.stop();
  }
}

function expectRefusal({ code, said, printed }: Ended, sentence: string): void {
  expect(said).toContain(sentence);
  expect(said.split("\n")).toHaveLength(1);
  expect(printed).toBe("");
  expect([64, 69]).toContain(code);
}
