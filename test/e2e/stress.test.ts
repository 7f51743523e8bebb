// The stress command: its results, its refusals, its exit codes, and its clean-up.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { freePort } from "../../scripts/server/loopback.ts";
import { build, OBJECTS_FOLDER, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../scripts/server/workerd.ts";
import { ending, ROOT, runCommand, startCommand, type Ended } from "./command.ts";
import { startImpostor, type Faults } from "./impostor.ts";

const TOKEN = "stress-token";
/** More than the creation of a coupon writes. */
const WAL_BYTES_OF_CLAIMS = 200_000;

type Env = Readonly<Record<string, string>>;
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

function stress(args: readonly string[], env: Env): Promise<Ended> {
  return runCommand("stress/run.ts", args, { COOLDOWN: "0", ...env });
}

/** Runs without judging latency, and expects that all thresholds are kept. */
async function expectKept(args: readonly string[], env: Env): Promise<Reported["reports"]> {
  const file = join(folder, `${args.join("-")}.json`);
  const { code, err, out } = await stress([...args, "--ignore-latency", "--json", file], env);
  const reported = JSON.parse(await readFile(file, "utf8").catch(() => `{"err":${JSON.stringify(err)}}`)) as Reported;
  expect(reported).toHaveProperty("reports");
  const broken = reported.reports.flatMap(({ thresholds }) => thresholds).filter(({ isKept }) => !isKept);
  expect([broken, out.includes("FAIL"), reported.isPassed, code]).toEqual([[], false, true, 0]);
  return reported.reports;
}

/** Every process below `pid`. */
function descendants(pid: number): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const all = lines.map((line) => line.trim().split(/\s+/).map(Number));
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

/** The scratch folders of stress runs. Other tests create and remove theirs meanwhile. */
function scratch(): string[] {
  const parent = join(ROOT, ".scratch");
  return existsSync(parent) ? readdirSync(parent).filter((name) => /^stress-\w{6}$/.test(name)) : [];
}

/** Whether the server of the run in `own` has stored claims, by the size of its write-ahead log. */
function hasClaims(own: string): boolean {
  const objects = join(ROOT, ".scratch", own, "state", OBJECTS_FOLDER);
  if (own === "" || !existsSync(objects)) return false;
  return readdirSync(objects).some((file) => file.endsWith("-wal") && statSync(join(objects, file)).size > WAL_BYTES_OF_CLAIMS);
}

test("a stress run builds a server, sells exactly the stock, verifies, and leaves nothing", async () => {
  const before = scratch();
  const [report] = await expectKept([], { VUS: "50", INITIAL_STOCK: "5" });
  expect(report?.counters).toMatchObject({ claim_granted: 5, claim_out_of_stock: 45, claim_error: 0, http_errors: 0 });
  expect(report?.thresholds.at(-1)).toMatchObject({ what: "checks against the files", isKept: true });
  expect(scratch()).toEqual(before);
});

test.for([
  { when: "while it builds", signal: "SIGTERM", isFarEnough: () => true },
  { when: "under load", signal: "SIGINT", isFarEnough: hasClaims },
] as const)("the stress command ends all its processes when it is interrupted $when", async ({ signal, isFarEnough }) => {
  const before = scratch();
  const child = startCommand("stress/run.ts", ["status-polling"], { VUS: "20" });
  const ended = ending(child);
  const started = (): number[] => descendants(child.pid ?? 0);
  const own = (): string | undefined => scratch().find((name) => !before.includes(name));
  await expect.poll(() => started().length > 0 && isFarEnough(own() ?? ""), { timeout: 200_000, interval: 20 }).toBe(true);
  const processes = started();
  child.kill(signal);
  expect(await ended).toMatchObject({ code: 130, err: expect.stringContaining("interrupted") });
  expect([processes.filter(isRunning), scratch()]).toEqual([[], before]);
});

function named(more: Env = {}): Env {
  return { BASE_URL: server.url, ADMIN_TOKEN: TOKEN, VUS: "50", ...more };
}

function expectRefusal({ code, err, out }: Ended, sentence: string): void {
  expect(err).toContain(sentence);
  expect([err.split("\n").length, out]).toEqual([1, ""]);
  expect([64, 69]).toContain(code);
}

describe.concurrent("a named server", () => {
  // The longest test goes first, beside the others.
  test("the stress command runs all modes in turn, and the stability command repeats one", async () => {
    const load = { STATE: join(folder, "state"), INITIAL_STOCK: "5", DEDUP_USERS: "2", DEDUP_REQUESTS: "3" };
    const [reports, stability] = await Promise.all([
      expectKept(["all"], named(load)),
      runCommand("stress/stability.ts", ["2", "duplicate-user"], named({ ...load, COOLDOWN: "0" })),
    ]);
    expect(reports.map(({ mode }) => mode)).toEqual(["purchase-load", "duplicate-user", "status-polling", "mixed-workload", "last-unit"]);
    expect(reports[1]?.counters).toMatchObject({ claim_granted: 2, claim_already_claimed: 4, http_errors: 0 });
    expect(stability.out.match(/^run \d\/2 [✓✗] .*claim_granted 2 {2}claim_already_claimed 4/gm)).toHaveLength(2);
  });

  test("the stress command verifies over the API without the state folder", async () => {
    const [report] = await expectKept(["purchase-load"], named());
    expect(report?.thresholds.at(-1)?.what).toBe("checks against the API alone");
  });

  test.for([
    ["a missing token", { ADMIN_TOKEN: "" }, "requires the operator's token: set ADMIN_TOKEN, or --admin-token"],
    ["a wrong token", { ADMIN_TOKEN: "guessed" }, "rejects this operator's token: check ADMIN_TOKEN, or --admin-token"],
    ["a folder without state", { STATE: "src" }, "src is not a state of Doorbuster"],
    ["another machine", { BASE_URL: "https://doorbuster.example.workers.dev" }, "is not on this machine"],
    ["an invalid address", { BASE_URL: "localhost:8787" }, "takes an address such as"],
  ] as const)("the stress command refuses %s in one sentence", async ([, env, sentence]) => {
    expectRefusal(await stress([], named(env)), sentence);
  });
});

/** A server that hangs gets a short timeout. */
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

describe.concurrent("other servers", () => {
  test("the stress command refuses an address without a server in one sentence", async () => {
    expectRefusal(await stress([], { BASE_URL: `http://127.0.0.1:${await freePort()}` }), "nothing listens at");
  });

  test.for([
    ["a server that hangs", { hangs: "always" }, "gave no answer to GET /health: no answer within 4 s"],
    ["an unhealthy server", { health: { status: 500, body: {} } }, "is up but not healthy: it answered GET /health with 500"],
    ["another service", { health: { status: 200, body: "OK" } }, "is not Doorbuster: it answered GET /health with 200"],
    ["a service without coupons", { create: { status: 404, body: {} } }, "it answered the creation of a coupon with 404"],
    ["a server that hangs on claims", { hangs: "on claims" }, "answered none of 50 requests: no answer within 4 s"],
  ] as const)("the stress command refuses %s in one sentence", async ([, faults, sentence]) => {
    expectRefusal(await againstImpostor(faults), sentence);
  });

  test("the stress command passes against a server that keeps its promises", async () => {
    const { code, out } = await againstImpostor({});
    expect([code, out]).toEqual([0, expect.stringContaining("all thresholds kept")]);
  });

  test.for([
    ["oversells", "purchase-load", { oversells: 1 }, /✗ claims granted +6 \(5\)/],
    ["grants a user two units", "duplicate-user", { grantsEach: 2 }, /✗ users who won exactly once +1 \(3\)/],
    ["loses a winner", "purchase-load", { forgets: true }, /every acknowledged claim is stored \(4 of 5\)/],
    ["answers claims with 503", "purchase-load", { claim: { status: 503, body: { code: "unavailable" } } }, /✗ HTTP errors +50 \(0\)/],
    [
      "returns others' receipts",
      "purchase-load",
      { claim: { status: 201, body: { user_id: "eve" } } },
      /50 × claim: 201 without a receipt/,
    ],
  ] as const)("the stress command finds a server that %s", async ([, mode, faults, line]) => {
    const { code, out } = await againstImpostor(faults, mode);
    expect([code, out]).toEqual([1, expect.stringMatching(line)]);
  });
});
