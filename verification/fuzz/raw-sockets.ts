// Sends hostile bytes over bare sockets. After each case an honest user must still get a unit.

import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { couponClient } from "../client/coupon-client.ts";
import { receiptIn } from "../stress/outcomes.ts";
import type { Receipt } from "../verify/verify.ts";
import { leakFault } from "./answers.ts";
import type { Harness } from "./harness.ts";
import { RAW_CASES, RAW_COUPON, type RawCase } from "./raw-cases.ts";
import type { FuzzAnswer } from "./request.ts";
import { objectIn } from "./streams.ts";

export type RawResult = {
  readonly cases: number;
  readonly failures: readonly { readonly name: string; readonly fault: string }[];
  /** Every receipt of the honest claims between the cases. */
  readonly receipts: readonly Receipt[];
};

/** Far longer than an answer takes. */
const WITHIN_MS = 20_000;
/** No further answer may come in this time after the last expected one. */
const LINGER_MS = 100;

/** Runs all cases, one after the other. */
export async function attack({ url, tokens, own }: Harness, signal: AbortSignal): Promise<RawResult> {
  const failures: { name: string; fault: string }[] = [];
  const receipts: Receipt[] = [];
  const pool = new Pool(url, { headersTimeout: WITHIN_MS });
  const client = couponClient(pool, { adminToken: tokens.operator });

  async function claimAfter(userId: string): Promise<string | null> {
    const { status, body } = await client.claim(RAW_COUPON, userId);
    const receipt = status === 201 ? receiptIn(body, { coupon: RAW_COUPON, userId }) : null;
    if (receipt === null) return `then an honest claim got ${status} ${JSON.stringify(body)}`;
    receipts.push(receipt);
    return null;
  }

  try {
    // A server of an earlier run still has the coupon.
    await client.remove(RAW_COUPON);
    await client.create(RAW_COUPON, 10_000);
    for (const [index, rawCase] of RAW_CASES.entries()) {
      if (signal.aborted) break;
      const answers = await exchange(url, rawCase, signal);
      const fault = faultOf(rawCase, answers, own !== null) ?? (await claimAfter(`honest-after-${index}`).catch(String));
      if (fault !== null) failures.push({ name: rawCase.name, fault });
    }
    const { body } = await client.read(RAW_COUPON);
    const claimants = Array.isArray(body["claimed_by"]) ? body["claimed_by"].map(String) : ["(the coupon shows no claimants)"];
    // Such a claim was only ever part of another request.
    const smuggled = claimants.filter((user) => !user.startsWith("honest"));
    failures.push(...smuggled.map((user) => ({ name: "a smuggled claim", fault: `granted to ${user}` })));
  } finally {
    await pool.destroy();
  }
  return { cases: RAW_CASES.length, failures, receipts };
}

/** Sends a case and returns our answers. workerd's own have no X-Request-Id. */
async function exchange(url: string, { bytes, leaves, statuses }: RawCase, signal: AbortSignal): Promise<FuzzAnswer[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let [text, isClosed] = ["", false];
  socket.setEncoding("latin1").on("data", (received: string) => (text += received));
  socket.on("error", () => undefined).on("close", () => (isClosed = true));
  await once(socket, "connect");
  // A reset follows as soon as the bytes have left, before an answer can come back.
  socket.write(bytes, "latin1", () => (leaves === "reset" ? socket.resetAndDestroy() : undefined));
  if (leaves === "end") socket.end();
  const deadline = performance.now() + WITHIN_MS;
  const isOver = (): boolean => isClosed || answersIn(text).length >= statuses.length;
  while (!isOver() && performance.now() < deadline && !signal.aborted) await pause(5);
  if (!isClosed) await pause(LINGER_MS);
  socket.destroy();
  return answersIn(text);
}

/** Our answers in what a socket received. One that is sent in chunks, a stream here, takes the rest. */
export function answersIn(text: string): FuzzAnswer[] {
  const head = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(text);
  if (head === null) return [];
  const [all, status = "", lines = ""] = head;
  const fields = lines.matchAll(/^([^:\r\n]+):[ \t]*([^\r\n]*)\r$/gm);
  const headers = Object.fromEntries(Array.from(fields, ([, name = "", value = ""]) => [name.toLowerCase(), value]));
  const rest = text.slice(all.length);
  const length = "transfer-encoding" in headers ? rest.length : Number(headers["content-length"] ?? 0);
  if (rest.length < length) return [];
  const isOurs = "x-request-id" in headers;
  return [...(isOurs ? [{ status: Number(status), headers, body: rest.slice(0, length) }] : []), ...answersIn(rest.slice(length))];
}

/** What is wrong with the answers to a case, or null. Unless the server `isBare`, their number may differ. */
export function faultOf({ statuses }: RawCase, answers: readonly FuzzAnswer[], isBare: boolean): string | null {
  for (const answer of answers) {
    const { error, code, request_id: id } = objectIn(answer.body) ?? {};
    if (answer.status >= 500) return `status ${answer.status}`;
    if (answer.status >= 400 && !(typeof error === "string" && typeof code === "string" && id === answer.headers["x-request-id"])) {
      return `${answer.status} with a body that is no refusal: ${answer.body}`;
    }
    const leak = leakFault(answer);
    if (leak !== null) return `${answer.status}: ${leak}`;
  }
  const received = answers.map(({ status }) => status).join(", ");
  return !isBare || received === statuses.join(", ") ? null : `answered [${received}] instead of [${statuses.join(", ")}]`;
}
