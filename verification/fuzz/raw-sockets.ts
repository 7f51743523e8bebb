// Sends hostile bytes over sockets of its own, and after each case looks whether an honest user still gets a unit.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

import type { Receipt as Granted } from "../verify/verify.ts";
import { leakFault } from "./answers.ts";
import type { Ground } from "./ground.ts";
import { RAW_CASES, RAW_COUPON, type RawCase, type Told } from "./raw-cases.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn } from "./streams.ts";

export type RawFailure = { readonly name: string; readonly fault: string };

export type RawOutcome = {
  readonly cases: number;
  readonly failures: readonly RawFailure[];
  /** How often workerd answered by itself, by status. */
  readonly byRuntime: Readonly<Record<string, number>>;
  /** Every honest claim that was granted. */
  readonly granted: readonly Granted[];
};

/** Longer than workerd waits for a head, which is 15 s. */
const WITHIN_MS = 20_000;
/** How long nothing more may come where everything has come. */
const LINGER_MS = 100;

/**
 * How often a case is tried that goes on sending, where its connection is reset before anything was heard. A server that closes with
 * bytes of ours unread resets it, and an answer that we had not read by then is lost with it (RFC 9112, section 9.6).
 */
const TRIES = 5;

/** What came back on one socket. */
type Heard = {
  readonly answers: readonly (FuzzAnswer & { readonly told: Told })[];
  readonly isClosed: boolean;
  /** Whether it was closed by a reset, and not a byte had come until then. */
  readonly isResetUnheard: boolean;
};

/** Runs all cases. Those in which the server has to lose its patience run beside the others. */
export async function attack(ground: Ground, signal: AbortSignal): Promise<RawOutcome> {
  const failures: RawFailure[] = [];
  const granted: Granted[] = [];
  const byRuntime: Record<string, number> = {};
  // A server that was attacked before still has it.
  await honest(ground, "DELETE", `/api/coupons/${RAW_COUPON}`);
  await honest(ground, "POST", "/api/coupons", { name: RAW_COUPON, amount: 10_000 });

  async function run(rawCase: RawCase, index: number): Promise<void> {
    const heard = await hear(ground.url, rawCase, signal);
    for (const { told, status } of heard.answers) if (told.startsWith("runtime")) byRuntime[status] = (byRuntime[status] ?? 0) + 1;
    const fault = faultOf(rawCase, heard, ground.own !== null) ?? (await afterwards(`honest-after-${index}`));
    if (fault !== null) failures.push({ name: rawCase.name, fault });
  }

  async function afterwards(userId: string): Promise<string | null> {
    const answer = await honest(ground, "POST", "/api/coupons/claim", { user_id: userId, coupon_name: RAW_COUPON });
    if (typeof answer === "string") return `then an honest claim got ${answer}`;
    const { position, claimed_at: claimedAt } = objectIn(answer.body) ?? {};
    if (answer.status !== 201) return `then an honest claim was told ${answer.status} ${answer.body}`;
    granted.push({ coupon: RAW_COUPON, userId, position: Number(position), claimedAt: String(claimedAt) });
    return null;
  }

  const all = RAW_CASES.map((rawCase, index) => ({ rawCase, index }));
  const slow = all.filter(({ rawCase }) => isSlow(rawCase)).map(({ rawCase, index }) => run(rawCase, index));
  for (const { rawCase, index } of all) if (!isSlow(rawCase) && !signal.aborted) await run(rawCase, index);
  await Promise.all(slow);
  failures.push(...(await smuggled(ground)));
  return { cases: all.length, failures, byRuntime, granted };
}

/** Whether the server closes only once it has waited in vain. */
function isSlow({ bytes, told, isClosed, leaves, drip }: RawCase): boolean {
  const isHeadDue = bytes === "" || !bytes.includes("\r\n\r\n") || told.includes("ours 200");
  return isClosed && leaves === undefined && isHeadDue && !bytes.includes("Connection: close") && (drip?.everyMs ?? Infinity) > LINGER_MS;
}

/** Users who were never to be heard, but hold a claim. */
async function smuggled(ground: Ground): Promise<RawFailure[]> {
  const answer = await honest(ground, "GET", `/api/coupons/${RAW_COUPON}`);
  const claimants = typeof answer === "string" ? undefined : objectIn(answer.body)?.["claimed_by"];
  if (!Array.isArray(claimants)) return [{ name: "afterwards", fault: "the coupon does not show who has claimed" }];
  return claimants
    .filter((user) => !String(user).startsWith("honest"))
    .map((user) => ({ name: "afterwards", fault: `a smuggled claim was heard: ${String(user)}` }));
}

/** Sends what is right; answers what came of it, or a sentence where it was no right answer. */
async function honest({ send, check, tokens }: Ground, method: string, target: string, body?: object): Promise<FuzzAnswer | string> {
  const headers = tokens.operator === undefined ? [] : [["Authorization", `Bearer ${tokens.operator}`] as const];
  const request: FuzzRequest = { method, target, headers, body: body === undefined ? null : JSON.stringify(body) };
  try {
    const answer = await send(request);
    return check(request, answer) ?? answer;
  } catch (cause) {
    return `no answer: ${String(cause)}`;
  }
}

/** What a case hears, in the first of {@link TRIES} tries in which it was not lost on its way. */
export async function hear(url: string, rawCase: RawCase, signal: AbortSignal): Promise<Heard> {
  for (let tries = 1; ; tries += 1) {
    const heard = await exchange(url, rawCase, signal);
    const isLost = heard.isResetUnheard && rawCase.drip !== undefined && rawCase.told.length > 0;
    if (!isLost || tries === TRIES || signal.aborted) return heard;
  }
}

/** Connects, sends, and listens until all that was foretold has come and nothing more does. */
async function exchange(url: string, { bytes, drip, leaves, told, isClosed }: RawCase, signal: AbortSignal): Promise<Heard> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const state = { text: "", isClosed: false, isReset: false };
  socket.setEncoding("latin1").on("data", (text: string) => (state.text += text));
  socket.on("error", () => (state.isReset = true)).on("close", () => (state.isClosed = true));
  await once(socket, "connect");
  // Reset once the bytes have left, and before anything can come back.
  socket.write(bytes, "latin1", () => (leaves === "reset" ? socket.resetAndDestroy() : undefined));
  const dripping = drip === undefined ? undefined : setInterval(() => write(socket, drip.bytes), drip.everyMs);
  if (leaves === "end") socket.end();
  const deadline = performance.now() + WITHIN_MS;
  const isAllHeard = (): boolean => state.isClosed || (!isClosed && answersIn(state.text).length >= told.length);
  while (!isAllHeard() && performance.now() < deadline && !signal.aborted) await pause(5);
  if (!state.isClosed) await pause(LINGER_MS);
  clearInterval(dripping);
  const heard = { answers: answersIn(state.text), isClosed: state.isClosed, isResetUnheard: state.isReset && state.text === "" };
  socket.destroy();
  return heard;
}

function write(socket: Socket, bytes: string): void {
  if (socket.writable) socket.write(bytes, "latin1");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The answers in what a socket received. One that is sent in chunks, a stream here, takes the rest. */
export function answersIn(text: string): Heard["answers"] {
  const answers: Heard["answers"][number][] = [];
  let rest = text;
  for (;;) {
    const head = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (head === null) return answers;
    const [all, status = "", lines = ""] = head;
    const headers = Object.fromEntries(
      lines.split("\r\n").flatMap((line) => {
        const colon = line.indexOf(":");
        return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const];
      }),
    );
    const length = "transfer-encoding" in headers ? rest.length : Number(headers["content-length"] ?? 0);
    if (!("transfer-encoding" in headers) && rest.length < all.length + length) return answers;
    const body = rest.slice(all.length, all.length + length);
    answers.push({ status: Number(status), headers, body, told: `${"x-request-id" in headers ? "ours" : "runtime"} ${Number(status)}` });
    rest = rest.slice(all.length + length);
  }
}

/** What is wrong with what was heard, or null. What a server is told by anything but workerd alone is held to our own rules only. */
export function faultOf({ told, isClosed }: RawCase, heard: Heard, isBare: boolean): string | null {
  for (const answer of heard.answers) {
    if (!answer.told.startsWith("ours")) continue;
    const { error, code, request_id: id } = objectIn(answer.body) ?? {};
    if (answer.status >= 500) return `told ${answer.told}`;
    if (answer.status >= 400 && !(typeof error === "string" && typeof code === "string" && id === answer.headers["x-request-id"])) {
      return `told ${answer.told} with a body that is no refusal: ${answer.body}`;
    }
    const leak = leakFault(answer);
    if (leak !== null) return `told ${answer.told}; ${leak}`;
  }
  if (!isBare) return null;
  const heardTold = heard.answers.map((answer) => answer.told).join(", ");
  if (heardTold !== told.join(", ")) return `told [${heardTold}] and not [${told.join(", ")}]`;
  if (heard.isClosed === isClosed) return null;
  return isClosed ? `still open after ${WITHIN_MS} ms` : "closed";
}
