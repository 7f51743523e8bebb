// The servers that are fuzzed: two of our own, or the one that was named, and how they fare meanwhile.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { Pool } from "undici";

import { CommandFailure, usage } from "../cli/command.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../server/workerd.ts";
import { isLoopback } from "../stress/target.ts";
import { answerCheck, strangerCheck, type AnswerCheck } from "./answers.ts";
import { documentIn, type Document } from "./document.ts";
import { send, type FuzzRequest } from "./request.ts";
import { guardedTokens, openTokens, type Tokens } from "./tokens.ts";
import type { Target } from "./volley.ts";

export type Ground = Target & {
  readonly url: string;
  readonly tokens: Tokens;
  readonly document: Document;
  /** Our own server and where it keeps its objects; null for one that was named. */
  readonly own: (Served & { readonly state: string; readonly mostMemoryMib: () => number | null }) | null;
};

export type GroundOptions = {
  readonly command: string;
  readonly baseUrl: string | undefined;
  readonly adminToken: string | undefined;
  readonly signal: AbortSignal;
  readonly atEnd: (work: () => Promise<unknown>) => void;
};

/** As long as the Worker waits for an object, and half of that again. */
const ANSWER_MS_MAX = 15_000;
const CONNECTIONS = 64;
const MEMORY_LOOK_MS = 1_000;
/** The operator's token of our own servers: so the routes are closed to whoever does not send it. */
const OPERATOR = "fuzz-operator";
const SECRET = "fuzz-users";

/**
 * The servers to fuzz, until the command ends. Of our own, the first believes every user, the second asks each for a token. Throws
 * {@link CommandFailure} where there is none.
 */
export async function groundsOf(options: GroundOptions): Promise<readonly [Ground, ...Ground[]]> {
  const { baseUrl, adminToken, atEnd } = options;
  if (baseUrl !== undefined) return [await groundAt(originOf(options.command, baseUrl), openTokens(adminToken), null, atEnd)];
  const folder = await scratchFolder("fuzz");
  atEnd(() => removeScratch(folder));
  console.error("building and starting servers of this checkout");
  const building = build(PRODUCT, folder, options.signal);
  // Interrupted, it still writes into the folder for a moment.
  atEnd(() => building.catch(() => undefined));
  const bundle = await building.catch(() => {
    throw new CommandFailure("this checkout does not build: npm run build tells why");
  });

  async function ownGround(name: string, tokens: Tokens, vars: Readonly<Record<string, string>>): Promise<Ground> {
    const state = join(folder, name);
    const served = await serve(bundle, { state, signal: options.signal, vars: { ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR, ...vars } });
    atEnd(() => served.kill());
    return groundAt(served.url, tokens, { ...served, state, mostMemoryMib: watchMemory(served.pid, atEnd) }, atEnd);
  }
  return [
    await ownGround("open", openTokens(OPERATOR), {}),
    await ownGround("guarded", guardedTokens(OPERATOR, SECRET), { IDENTITY_SECRET: SECRET }),
  ];
}

async function groundAt(url: string, tokens: Tokens, own: Ground["own"], atEnd: GroundOptions["atEnd"]): Promise<Ground> {
  const dispatcher = new Pool(url, {
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
  });
  atEnd(() => dispatcher.destroy());
  const sendTo = (request: FuzzRequest) => send(dispatcher, request);
  const told = await sendTo({ method: "GET", target: "/openapi.json", headers: [], body: null }).catch(() => {
    throw new CommandFailure(`nothing listens at ${url}: start the server first, or leave --base-url out and one is started for the run`);
  });
  const document = documentIn(told.body, url);
  const [isDocumented, isStranger] = [checkOf(told.body, document), strangerCheck(document, tokens)];
  return {
    url,
    tokens,
    document,
    send: sendTo,
    check: (request, answer) => isDocumented(request, answer) ?? isStranger(request, answer),
    own,
  };
}

let compiled: { readonly text: string; readonly check: AnswerCheck } | null = null;

/** The check of a document's answers. It takes a second to make, so the last one is kept for a server that tells the same. */
function checkOf(text: string, document: Document): AnswerCheck {
  if (compiled?.text !== text) compiled = { text, check: answerCheck(document) };
  return compiled.check;
}

function originOf(command: string, baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url?.protocol === "http:" && isLoopback(url.hostname)) return url.origin;
  throw usage({ name: command }, `--base-url takes a server on this machine, such as http://127.0.0.1:8787, not "${baseUrl}"`);
}

/** Looks now and then how much memory a process takes. Answers the most so far, in MiB; null where nobody can tell. */
function watchMemory(pid: number, atEnd: GroundOptions["atEnd"]): () => number | null {
  let most: number | null = null;
  async function look(): Promise<void> {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
    const mib = Math.round(Number(stdout) / 1024);
    if (mib > (most ?? 0)) most = mib;
  }
  const timer = setInterval(() => void look(), MEMORY_LOOK_MS);
  atEnd(async () => clearInterval(timer));
  return () => most;
}
