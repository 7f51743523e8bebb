// The servers that are fuzzed: two of our own, or the one at --base-url.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { Pool } from "undici";

import { CommandFailure, usage } from "../../scripts/cli/command.ts";
import { bundleFor, folderFor, serverFor, type Ending } from "../../scripts/server/for-command.ts";
import { PRODUCT, type Served } from "../../scripts/server/workerd.ts";
import { isLoopback } from "../stress/target.ts";
import { accessCheck, answerCheck, type AnswerCheck } from "./answers.ts";
import { documentIn, type Document } from "./document.ts";
import type { Target } from "./driver.ts";
import { send, type FuzzRequest } from "./request.ts";
import { openTokens, tokensSignedWith, type Tokens } from "./tokens.ts";

export type Harness = Target & {
  readonly url: string;
  readonly tokens: Tokens;
  readonly document: Document;
  /** Our own server and the folder of its objects; null with --base-url. */
  readonly own: (Served & { readonly state: string; readonly memoryMibMax: () => number | null }) | null;
};

export type HarnessOptions = Ending & {
  readonly command: string;
  readonly baseUrl: string | undefined;
  readonly adminToken: string | undefined;
};

/** One and a half times as long as the Worker waits for an object. */
const ANSWER_MS_MAX = 15_000;
/** workerd closes a connection that is idle for five seconds. This process may be busy for some of them. */
const IDLE_MS_MAX = 1_000;
const CONNECTIONS = 64;
const MEMORY_EVERY_MS = 1_000;
/** Tokens of our own servers, so that operator routes are closed to every other request. */
const OPERATOR = "fuzz-operator";
const SECRET = "fuzz-users";

/**
 * The servers to fuzz, until the command ends. Of our own, the first trusts every user id and the second
 * requires a token of each user. Throws {@link CommandFailure} without a server.
 */
export async function harnessesFor(options: HarnessOptions): Promise<readonly [Harness, ...Harness[]]> {
  const { baseUrl, adminToken, atEnd } = options;
  if (baseUrl !== undefined) return [await harnessAt(originOf(options.command, baseUrl), openTokens(adminToken), null, atEnd)];
  const folder = await folderFor(options, "fuzz");
  console.error("building and starting servers of this checkout");
  const bundle = await bundleFor(options, PRODUCT, folder);

  async function ownHarness(name: string, tokens: Tokens, vars: Readonly<Record<string, string>>): Promise<Harness> {
    const state = join(folder, name);
    const served = await serverFor(options, bundle, { state, vars: { ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR, ...vars } });
    return harnessAt(served.url, tokens, { ...served, state, memoryMibMax: watchMemory(served.pid, atEnd) }, atEnd);
  }
  return [
    await ownHarness("open", openTokens(OPERATOR), {}),
    await ownHarness("guarded", tokensSignedWith(OPERATOR, SECRET), { IDENTITY_SECRET: SECRET }),
  ];
}

async function harnessAt(url: string, tokens: Tokens, own: Harness["own"], atEnd: Ending["atEnd"]): Promise<Harness> {
  const timeouts = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX };
  const dispatcher = new Pool(url, { connections: CONNECTIONS, pipelining: 1, allowH2: false, keepAliveTimeout: IDLE_MS_MAX, ...timeouts });
  atEnd(() => dispatcher.destroy());
  const sendTo = (request: FuzzRequest) => send(dispatcher, request);
  const { body } = await sendTo({ method: "GET", target: "/openapi.json", headers: [], body: null }).catch(() => {
    throw new CommandFailure(`nothing listens at ${url}: start the server first, or leave --base-url out and one is started for the run`);
  });
  const document = documentIn(body, url);
  const [isDocumented, isAllowed] = [answerCheck(document), accessCheck(document, tokens)];
  const check: AnswerCheck = (request, answer) => isDocumented(request, answer) ?? isAllowed(request, answer);
  return { url, tokens, document, send: sendTo, check, own };
}

function originOf(command: string, baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url?.protocol === "http:" && isLoopback(url.hostname)) return url.origin;
  throw usage({ name: command }, `--base-url takes a server on this machine, such as http://127.0.0.1:8787, not "${baseUrl}"`);
}

/** Measures a process once a second. Returns its largest memory so far in MiB; null without `ps`. */
function watchMemory(pid: number, atEnd: Ending["atEnd"]): () => number | null {
  let max: number | null = null;
  async function measure(): Promise<void> {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
    const mib = Math.round(Number(stdout) / 1024);
    if (mib > (max ?? 0)) max = mib;
  }
  const timer = setInterval(() => void measure(), MEMORY_EVERY_MS);
  atEnd(async () => clearInterval(timer));
  return () => max;
}
