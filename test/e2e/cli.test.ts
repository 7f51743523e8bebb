// The command line against a real server: a sale by the examples of its help, an import that is killed, and profiles.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { partsOf } from "../../packages/cli/src/backup-file.ts";
import { COMMANDS } from "../../packages/cli/src/commands.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../scripts/server/workerd.ts";
import { ending, ROOT, type Ended } from "./command.ts";

/** What `webhooks add` says to people. */
const KEEP = "Keep the secret: nothing shows it again.";

let folder: string;
let server: Served;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await scratchFolder("cli-test");
  const vars = { REQUEST_LOG: "off", ADMIN_AUTH: "", ADMIN_TOKEN: "operator", WEBHOOK_TARGETS: "any" };
  server = await serve(await build(PRODUCT, folder), { state: join(folder, ".doorbuster/state"), vars });
  await mkdir(join(folder, "bin"));
  await symlink(join(ROOT, "packages/cli/bin/doorbuster.js"), join(folder, "bin/doorbuster"));
  const path = [join(folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  env = { PATH: path, HOME: folder, XDG_CONFIG_HOME: join(folder, "config"), DOORBUSTER_URL: server.url, DOORBUSTER_TOKEN: "operator" };
});

afterAll(async () => {
  await server.kill();
  await removeScratch(folder);
});

/** Runs a line as it is typed. */
function typed(line: string, others: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return ending(spawn("/bin/sh", ["-c", line], { cwd: folder, env: { ...env, ...others }, stdio: ["ignore", "pipe", "pipe"] }));
}

async function fieldsOf(line: string): Promise<Record<string, unknown>> {
  const { code, out, err } = await typed(`${line} --json`);
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as Record<string, unknown>;
}

/** Returns the examples in the help of a command. */
async function examplesOf(name: string): Promise<string[]> {
  const { out } = await typed(`doorbuster ${name} --help`);
  return (out.split("For example:\n")[1] ?? "").trim().split(/\n +/);
}

test("npx doorbuster runs in a checkout, without a build", async () => {
  const run = await promisify(execFile)("npx", ["--offline", "doorbuster", "--version"], { cwd: ROOT });
  expect(run.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a sale runs from create to delete by the examples of --help alone", async () => {
  const users = ["ada", "bob", ...Array.from({ length: 13 }, (_, index) => `user ${index}`)];
  await writeFile(join(folder, "users.csv"), `user_id\n${users.join("\n")}\n`);
  let watcher: Promise<Ended> | undefined;
  let webhook = "";
  const tried: string[] = [];
  /** Runs each example of a command, and returns what they print. */
  async function run(name: string): Promise<string> {
    let said = "";
    tried.push(name);
    for (const example of await examplesOf(name)) {
      const running = typed(example.replaceAll(/wh_[\da-f-]+/g, webhook));
      if (example === "doorbuster watch PROMO") {
        watcher = running;
        continue;
      }
      const { code, out, err } = await running;
      expect([example, code, err.replace(KEEP, "")]).toEqual([example, 0, ""]);
      said += out;
    }
    return said;
  }
  expect(await run("create")).toContain("  left    5 of 5 (0 claimed, 0 held)");
  const watching = run("watch");
  expect(await run("claim")).toContain("ada has number 1 of PROMO");
  expect(await run("pause")).toContain("PROMO: paused");
  expect(await typed("doorbuster claim PROMO bob")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("next: doorbuster resume PROMO"),
  });
  expect(await run("resume")).toContain("PROMO: open");
  expect(await run("restock")).toContain("5 units before, 15 now");
  expect(await run("change")).toContain("ends    2030-12-24 18:00");
  expect(await run("holds")).toContain("released 0 holds: 14 units left");
  expect(await run("import")).toMatch(/15 users\n +1 {2}already claimed\n +14 {2}granted\n +0 {2}left\n.*14 {2}granted by an earlier run/s);
  expect(await watching).toContain("sold out  0 of 15 left");
  expect((await readFile(join(folder, "outcomes.ndjson"), "utf8")).match(/"outcome":"replayed"/g)).toHaveLength(14);
  expect(await run("show")).toContain("  left    0 of 15 (15 claimed, 0 held)");
  await expect.poll(async () => (await fieldsOf("doorbuster list --state sold_out"))["coupons"]).toMatchObject([{ name: "PROMO" }]);
  expect(await run("list")).toContain("SHOE");
  expect(await run("export")).toContain("PROMO,user 12,15,");
  const lines = (await readFile(join(folder, "winners.ndjson"), "utf8")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { user_id: string }).user_id)).toEqual(users);
  expect(await run("revoke")).toBe("revoked number 1 of ada: 1 unit left\n");
  expect(await run("erase")).toBe("erased ada in 1 sale\n");
  webhook = /added (wh_\S+)\nsecret whsec_/.exec(await run("webhooks add"))?.[1] ?? "";
  expect(await run("webhooks list")).toContain("https://shop.example/hooks  claim.granted,claim.revoked  all");
  expect(await run("webhooks pause")).toBe(`${webhook} is paused\n`);
  expect(await typed(`doorbuster webhooks test ${webhook}`)).toMatchObject({ code: 1, err: expect.stringContaining("not delivered") });
  expect(await run("webhooks rotate")).toMatch(/^secret whsec_/);
  expect(await run("webhooks replay")).toContain("from 20 on again");
  expect(await run("webhooks resume")).toBe(`${webhook} is active\n`);
  expect(await run("webhooks remove")).toBe(`removed ${webhook}\n`);
  expect(await run("backup")).toMatch(/^wrote PROMO.backup, with (\d+) events\nwrote copies.backup, with \1 events\n$/);
  expect(await run("restore")).toContain("restored\nPROMO-COPY: open\n  left    1 of 15 (14 claimed, 0 held)");
  expect(await run("archive")).toContain("archived PROMO");
  expect(await run("verify")).toContain("0 failed");
  const copied = "cp -R .doorbuster/state copied && doorbuster verify copied --coupon PROMO";
  expect((await fieldsOf(copied))["checks"]).toHaveLength(9);
  expect(await run("delete")).toBe("deleted PROMO\n");
  const watched = await watcher;
  expect([watched?.code, watched?.err]).toEqual([0, "the sale was deleted"]);
  const others = ["completion", "login", "logout", "webhooks test"];
  expect([...tried, ...others].sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
});

/** A server that passes requests on. It answers the first `answered` of them alone. */
async function halfDeaf(answered: number): Promise<{ proxy: Server; url: string; deaf: Promise<void> }> {
  const { promise: deaf, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const proxy = createServer((request, response) => {
    void (async () => {
      count += 1;
      const isAnswered = count <= answered;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { url = "", method = "", headers } = request;
      const key = headers["idempotency-key"];
      const sent = { Authorization: String(headers.authorization), ...(typeof key === "string" ? { "Idempotency-Key": key } : {}) };
      const answer = await fetch(server.url + url, { method, headers: sent, body: Buffer.concat(chunks) });
      const body = await answer.text();
      if (isAnswered) response.writeHead(answer.status).end(body);
      else resolve();
    })();
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { proxy, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, deaf };
}

/** Kills a command once the server has done what it asked for `answered + 1` times, and has answered but the last. */
async function killed(args: readonly string[], answered: number): Promise<void> {
  const { proxy, url, deaf } = await halfDeaf(answered);
  const child = spawn(process.execPath, [join(folder, "bin/doorbuster"), ...args], { cwd: folder, env: { ...env, DOORBUSTER_URL: url } });
  await deaf;
  child.kill("SIGKILL");
  await once(child, "exit");
  proxy.close();
  proxy.closeAllConnections();
}

/** Calls a server that passes reads on, and stops the first `cuts` answers in the middle. It cuts them, or else stays silent. */
async function throughCuts<T>(cuts: number, use: (url: string) => Promise<T>, isSilent = false): Promise<T> {
  let count = 0;
  const proxy = createServer((request, response) => {
    void (async () => {
      const answer = await fetch(server.url + (request.url ?? ""), { headers: { Authorization: String(request.headers.authorization) } });
      const body = await answer.text();
      count += 1;
      response.writeHead(answer.status);
      if (count > cuts) response.end(body);
      else response.write(body.slice(0, body.length / 2), () => isSilent || response.destroy());
    })();
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const used = await use(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  proxy.close();
  proxy.closeAllConnections();
  return used;
}

test("a stream that breaks off begins again, and never leaves half a file", async () => {
  await writeFile(join(folder, "few.csv"), "user_id\nann\nbob\ncid\n");
  await fieldsOf("doorbuster create CUT --amount 3");
  await fieldsOf("doorbuster import CUT few.csv");
  const exported = "cut.ndjson";
  const [again, broken] = ["begins again\nthe stream broke off", `next: run it again`];
  for (const [line, file] of [
    ["doorbuster backup CUT cut.backup", "cut.backup"],
    [`doorbuster export CUT --out ${exported}`, exported],
  ] as const) {
    await writeFile(join(folder, file), "the file before");
    const failed = await throughCuts(4, (url) => typed(`${line} --url ${url}`));
    expect(failed).toMatchObject({ code: 3, out: "", err: expect.stringContaining(broken) });
    expect(await readFile(join(folder, file), "utf8")).toBe("the file before");
    const done = await throughCuts(2, (url) => typed(`${line} --url ${url}`));
    expect(done).toMatchObject({ code: 0, err: expect.stringContaining(again) });
    await expect(stat(join(folder, `${file}.part`))).rejects.toThrow("ENOENT");
  }
  expect((await readFile(join(folder, exported), "utf8")).trim().split("\n")).toHaveLength(3);
  expect(await fieldsOf("doorbuster restore CUT-2 cut.backup")).toMatchObject({ name: "CUT-2", remaining_amount: 0 });
  const printed = await throughCuts(1, (url) => typed(`doorbuster export CUT --json --url ${url}`));
  expect(printed).toMatchObject({ code: 3, err: expect.stringContaining("with --out FILE") });
});

test.for([
  ["SIGINT", "backup", []],
  ["SIGTERM", "backup", []],
  ["SIGINT", "export", ["--out"]],
] as const)("%s during %s leaves no part of a file, and ends the command", async ([signal, command, flags]) => {
  const [name, file] = [`${signal}-${command}`, join(folder, `${signal}-${command}`)];
  await fieldsOf(`doorbuster create ${name} --amount 3`);
  await writeFile(join(folder, "three.csv"), "user_id\nann\nbob\ncid\n");
  await fieldsOf(`doorbuster import ${name} three.csv`);
  await writeFile(file, "the file before");
  const read = async (url: string): Promise<unknown> => {
    const args = [join(folder, "bin/doorbuster"), command, name, ...flags, file, "--url", url];
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = ending(child);
    await expect
      .poll(() =>
        stat(`${file}.part`).then(
          ({ size }) => size > 0,
          () => false,
        ),
      )
      .toBe(true);
    child.kill(signal);
    expect(await ended).toEqual({ code: null, out: "", err: "" });
    return child.signalCode;
  };
  expect(await throughCuts(1, read, true)).toBe(signal);
  await expect(stat(`${file}.part`)).rejects.toThrow("ENOENT");
  expect(await readFile(file, "utf8")).toBe("the file before");
});

async function winnersOf(name: string): Promise<string[]> {
  const lines = (await typed(`doorbuster export ${name} --json`)).out.trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { readonly user_id: string }).user_id);
}

test("a killed import and a killed restore go on, and grant nothing twice", async () => {
  const users = Array.from({ length: 14_500 }, (_, index) => `user-${index}`);
  await writeFile(join(folder, "many.csv"), `user_id\n${users.join("\n")}\n`);
  await fieldsOf("doorbuster create MANY --amount 14400");
  await killed(["import", "MANY", "many.csv"], 2);
  const second = await typed("doorbuster import MANY many.csv --json");
  expect([second.code, second.err]).toEqual([1, ""]);
  // The third lot was granted without an answer.
  const outcomes = { replayed: 3_000, granted: 11_400, out_of_stock: 100 };
  expect(JSON.parse(second.out)).toEqual({ coupon_name: "MANY", users: 14_500, duplicates: 0, outcomes, remaining_amount: 0 });
  expect(await winnersOf("MANY")).toEqual(users.slice(0, 14_400));

  expect(await fieldsOf("doorbuster backup MANY many.backup")).toEqual({ written: "many.backup", events: 14_401 });
  const partCount = partsOf(await readFile(join(folder, "many.backup"))).length;
  expect(partCount).toBeGreaterThan(2);
  for (const [name, answered] of [
    ["MANY-2", 1],
    ["MANY-3", partCount - 1],
  ] as const) {
    await killed(["restore", name, "many.backup"], answered);
    expect(await fieldsOf(`doorbuster restore ${name} many.backup`)).toMatchObject({ name, amount: 14_400, remaining_amount: 0 });
    expect(await winnersOf(name)).toEqual(users.slice(0, 14_400));
  }
});

test("a login stores the token with mode 600, and later calls use it", async () => {
  const unset = { DOORBUSTER_URL: "", DOORBUSTER_TOKEN: "" };
  const file = join(folder, "config/doorbuster/profiles.json");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "{}");
  await chmod(file, 0o644);
  const wrong = await typed(`echo wrong | doorbuster login --url ${server.url}`, unset);
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("so it was not stored") });
  expect(await readFile(file, "utf8")).toBe("{}");
  const login = await typed(`echo operator | doorbuster login --url ${server.url}`, unset);
  expect([login.code, login.out]).toEqual([0, `stored ${server.url} as the profile default\n`]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await typed("doorbuster webhooks list", unset)).toMatchObject({ code: 0, out: "no webhook\n" });
  expect(await typed("doorbuster logout && ! grep operator config/doorbuster/profiles.json", unset)).toMatchObject({ code: 0 });
  expect(await typed(`doorbuster webhooks list --url ${server.url}`, unset)).toMatchObject({
    code: 1,
    err: expect.stringContaining("doorbuster login"),
  });
});

test.for([
  ["doorbuster show NONE", 1, "coupon_not_found", "check the name: doorbuster list"],
  ["doorbuster create", 2, "usage", "doorbuster create --help"],
  ["doorbuster delete NONE --url http://127.0.0.1:1 --yes --timeout 1", 3, "outcome_unknown", "it may have happened"],
  ["doorbuster show NONE --url http://127.0.0.1:1 --timeout 1", 3, "unavailable", "check that the server runs"],
  ["doorbuster export NONE --url http://127.0.0.1:1 --timeout 1", 3, "unavailable", "check that the server runs"],
  ["doorbuster export NONE --out none.csv", 1, "coupon_not_found", "check the name"],
  ["doorbuster import NONE none.csv", 2, "usage", "check the path"],
  ["doorbuster archive NONE", 2, "usage", "add --yes"],
] as const)("%s ends with %i, and says the next step", async ([line, code, refusal, next]) => {
  const ended = await typed(`${line} --json`);
  expect([ended.code, ended.out]).toEqual([code, ""]);
  expect(JSON.parse(ended.err)).toMatchObject({ code: refusal, next_step: expect.stringContaining(next) });
});
