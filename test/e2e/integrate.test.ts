// The commands of docs/integrate.md, run in order in a shell: they print what the page shows.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { freePort } from "../../scripts/server/loopback.ts";
import { removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import { ending, ROOT } from "./command.ts";

const PAGE = readFileSync(join(ROOT, "docs/integrate.md"), "utf8");
const SERVER = /^(?:npm run serve|npx node examples\/)/;
const END = "trap 'kill $(jobs -p) || true; wait' EXIT";
const WAIT_FOR = 'wait_for() { for _ in {1..600}; do grep -hqs "$1" "$2" && return; sleep 0.1; done; echo "no $1" >&2; return 1; }';

/** The blocks of a language, in order. */
function blocks(language: string): string[] {
  return Array.from(PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms")), ([, block = ""]) => block);
}

/** The commands as one bash script. A server runs in the background, and the next command waits until it listens. */
function scriptOf(commands: readonly string[]): string {
  const lines = commands.map((command) => {
    if (!SERVER.test(command)) return command;
    const log = `"$LOGS/${/(\w+)(?:\.ts|\.vars)$/.exec(command)?.[1]}.log"`;
    return `${command} > ${log} 2>&1 &\nwait_for ' on http://' ${log}`;
  });
  return ["set -euo pipefail", END, WAIT_FOR, ...lines, `wait_for '^ship' "$LOGS/fulfil.log"`, 'cat "$LOGS/fulfil.log"'].join("\n");
}

/** Instants differ from run to run. */
function withoutInstants(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "(instant)");
}

test("the commands of docs/integrate.md print what the page shows", async () => {
  const folder = await scratchFolder("integrate");
  const [server, shop, page, receiver] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports: Readonly<Record<string, number>> = { 8787: server, 9000: shop, 9001: page, 9002: receiver };
  const portOf: Readonly<Record<string, number>> = { "back-end": shop, "page/server": page, fulfil: receiver };
  // The packages are installed and built already.
  const commands = blocks("sh").flatMap((block) => block.replaceAll("\\\n", "").trim().split("\n"));
  const script = scriptOf(commands.filter((command) => !/^npm (?:ci|run build:packages)$/.test(command)))
    .replaceAll(/\b(?:8787|900[0-2])\b/g, (port) => String(ports[port]))
    .replace("npm run serve --", `$& --port ${server} --state ${folder}/state`)
    .replaceAll(/^npx node examples\/(.+)\.ts/gm, (start, name: string) => `PORT=${portOf[name]} ${start}`);
  const env = { ...process.env, LOGS: folder, DOORBUSTER_URL: `http://127.0.0.1:${server}`, XDG_CONFIG_HOME: folder };
  const shell = spawn("bash", ["-c", script], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const { code, out, err } = await ending(shell);
  // npm ends before the server that it started.
  await expect.poll(() => fetch(env.DOORBUSTER_URL).then(Boolean, () => false), { timeout: 10_000 }).toBe(false);
  await removeScratch(folder);
  expect({ code, err }).toMatchObject({ code: 0 });
  const shown = [...blocks("text"), ...blocks("json")];
  expect(shown).toHaveLength(3);
  expect(out).toContain("archived PROMO");
  for (const block of shown) expect(withoutInstants(out)).toContain(withoutInstants(block));
});
