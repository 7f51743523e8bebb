// Compares the API's answer about a coupon with the file as it was at the answer's seq.

import { Client } from "undici";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { couponClient, type Answer } from "../client/coupon-client.ts";
import type { Findings } from "./checks.ts";
import { remaining, replay, type ReplayedClaim } from "./replay.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import type { CouponRow, Tables } from "./tables.ts";
import { counted, instant, listed, quoted } from "./words.ts";

const TIMEOUT_MS = 30_000;
const PUBLIC_AGE_MS = 1_100;

export type ApiOptions = {
  readonly url: string;
  readonly adminToken?: string;
  /** How long one answer may take. Default: half a minute. */
  readonly timeoutMs?: number;
  /** How old a public answer may be. Default: a little more than a second. */
  readonly publicAgeMs?: number;
};

/** An answer, and the head of the file's ledger before the request. */
export type ApiReading = { readonly answer: Answer; readonly headBefore: number };

export type Api = {
  /** Reads a coupon whose ledger is at `head` in its file. */
  readonly read: (coupon: string, head: number) => Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** The API at a URL. Reading throws {@link CommandFailure} without an answer or with a wrong admin token. */
export function apiAt({ url, adminToken, timeoutMs = TIMEOUT_MS, publicAgeMs = PUBLIC_AGE_MS }: ApiOptions): Api {
  const connection = new Client(new URL(url).origin, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const client = couponClient(connection, { adminToken });
  async function read(coupon: string, head: number): Promise<Answer> {
    const answer = await readOnce(coupon);
    const isPublic = answer.status === 200 && answer.body["claimed_by"] === undefined;
    if (!isPublic || answer.seq === null || answer.seq >= head) return answer;
    await new Promise((resolve) => setTimeout(resolve, publicAgeMs));
    return readOnce(coupon);
  }
  async function readOnce(coupon: string): Promise<Answer> {
    const answer = await client.read(coupon).catch((cause: unknown) => {
      const why = cause instanceof Error ? ((cause as Error & { code?: string }).code ?? cause.message) : String(cause);
      throw new CommandFailure(`no answer from ${url} about the coupon ${quoted(coupon)}: ${why}`);
    });
    if (answer.status === 200 && adminToken !== undefined && answer.body["claimed_by"] === undefined) {
      throw new CommandFailure(`${url} does not accept this admin token: the coupon ${quoted(coupon)} has no claimed_by`);
    }
    return answer;
  }
  return { read, close: () => connection.destroy() };
}

/** Whether an answer can be compared with a file whose ledger ends at `head`. */
export function isOf({ seq }: Answer, head: number): boolean {
  return seq === head;
}

/** Compares an answer with tables that were copied after it arrived. */
export function apiFindings({ answer, headBefore }: ApiReading, tables: Tables): Findings {
  const { status, body, seq } = answer;
  const { coupon } = tables;
  if (status !== 200) return { faults: [`GET was answered with ${status} ${JSON.stringify(body["code"])}`], summary: "" };
  if (seq !== null && seq < headBefore) return { faults: [`GET returned event ${seq} after ${headBefore} was stored`], summary: "" };
  if (seq !== null && seq > coupon.seq) return { faults: [`GET returned event ${seq}, and the file ends with ${coupon.seq}`], summary: "" };
  // The ledger gives the coupon of an earlier event. Another check shows that the ledger is right.
  const isNow = seq === null || seq === coupon.seq;
  const then = isNow ? ofTables(tables) : ofLedger(coupon.name, tables, seq);
  const claimedBy = body["claimed_by"];
  const faults = [
    ...Object.entries(then.fields)
      .filter(([field, value]) => body[field] !== value)
      .map(([field, value]) => `${field} is ${JSON.stringify(body[field])}, and ${JSON.stringify(value)} in the file`),
    ...(claimedBy === undefined ? [] : listFaults(claimedBy, then.claimedBy)),
  ];
  const compared =
    claimedBy === undefined
      ? "claimed_by not compared: only the operator gets it"
      : `claimed_by ${counted(then.claimedBy.length, "user")} in this order`;
  return { faults, summary: `event ${seq ?? coupon.seq}: remaining_amount ${then.fields.remaining_amount}, ${compared}` };
}

type Expected = { readonly fields: ReturnType<typeof fieldsOf>; readonly claimedBy: readonly string[] };

function ofTables({ coupon, claims, holds }: Tables): Expected {
  return {
    fields: fieldsOf(coupon, holds.length, coupon.amount - claims.length - holds.length),
    claimedBy: usersOf(claims),
  };
}

function ofLedger(name: string, tables: Tables, seq: number): Expected {
  const then = replay(tables.ledger, seq);
  return { fields: fieldsOf({ name, ...then }, then.holds.size, remaining(then)), claimedBy: usersOf([...then.claims.values()]) };
}

function usersOf(claims: readonly ReplayedClaim[]): string[] {
  return claims.toSorted((a, b) => a.position - b.position).map(({ userId }) => userId);
}

type Shown = Settings & Pick<CouponRow, "name" | "createdAt">;

function fieldsOf(coupon: Shown, heldAmount: number, remainingAmount: number) {
  const settings = Object.fromEntries(SETTINGS.map(([field, { name }]) => [name, shown(field, coupon[field])]));
  return {
    name: coupon.name,
    ...settings,
    remaining_amount: remainingAmount,
    held_amount: heldAmount,
    created_at: instant(coupon.createdAt),
  };
}

function shown(field: keyof Settings, value: number | string | null): unknown {
  if (field === "paused") return value === 1;
  return field.endsWith("At") && typeof value === "number" ? instant(value) : value;
}

function listFaults(answered: unknown, stored: readonly string[]): string[] {
  if (!Array.isArray(answered)) return ["claimed_by is no list"];
  const [inAnswer, inFile] = [new Set<unknown>(answered), new Set<unknown>(stored)];
  const missing = stored.filter((user) => !inAnswer.has(user)).map(quoted);
  const unexpected = answered.filter((user) => !inFile.has(user)).map(quoted);
  const at = stored.findIndex((user, index) => answered[index] !== user);
  return [
    ...(missing.length > 0 ? [`claimed_by lacks ${listed(missing)}`] : []),
    ...(unexpected.length > 0 ? [`claimed_by has ${listed(unexpected)}, who are not in the file`] : []),
    ...(answered.length === stored.length ? [] : [`claimed_by has ${answered.length} names, and ${stored.length} in the file`]),
    ...(missing.length + unexpected.length === 0 && at >= 0 ? [`claimed_by is in another order from place ${at + 1} on`] : []),
  ];
}
