// What the API says of a coupon, held against the file as it was at the very event that the answer is of.

import { Client } from "undici";

import { CommandFailure } from "../cli/command.ts";
import { couponClient, type Answer } from "../client/coupon-client.ts";
import type { Findings } from "./checks.ts";
import { remaining, retold } from "./replay.ts";
import type { CouponRow, Tables } from "./tables.ts";
import { counted, instant, listed, quoted } from "./words.ts";

const TIMEOUT_MS = 30_000;
const PUBLIC_AGE_MS = 1_100;
/** With more claimants than these the API streams them, and the list is of no one instant (README, what it does not promise). */
const CLAIMANTS_AT_ONCE_MAX = 10_000;

export type ApiOptions = {
  readonly url: string;
  readonly adminToken?: string;
  /** How long one answer may take; half a minute when left out. */
  readonly timeoutMs?: number;
  /** How old what all users are shown may be; a good second when left out. */
  readonly publicAgeMs?: number;
};

/** An answer, and how far the file's ledger had come before the API was asked. */
export type ApiReading = { readonly answer: Answer; readonly headBefore: number };

export type Api = {
  /** Reads a coupon whose ledger is at `head` by its file. */
  readonly read: (coupon: string, head: number) => Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** The API at a URL. Reading throws {@link CommandFailure} where it does not answer, or not as to the operator whose token was given. */
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
      throw new CommandFailure(`${url} does not take this admin token: it does not show who claimed the coupon ${quoted(coupon)}`);
    }
    return answer;
  }
  return { read, close: () => connection.destroy() };
}

/** Whether an answer can be held against a file whose ledger is at `seq`, just as it is. */
export function isOf({ seq, body }: Answer, head: number): boolean {
  return seq === head && !isStreamed(body["claimed_by"]);
}

/** Compares an answer with the tables. These were copied after the answer came, so they know all that it can tell of. */
export function apiFindings({ answer, headBefore }: ApiReading, tables: Tables): Findings {
  const { status, body, seq } = answer;
  const { coupon } = tables;
  if (status !== 200) return { faults: [`GET was answered with ${status} ${JSON.stringify(body["code"])}`], summary: "" };
  if (seq !== null && seq < headBefore) return { faults: [`GET told of event ${seq} when ${headBefore} was stored already`], summary: "" };
  if (seq !== null && seq > coupon.seq) return { faults: [`GET told of event ${seq}, and the file ends with ${coupon.seq}`], summary: "" };
  // What has happened since is left out with the ledger's help; whether that tells the truth is another check.
  const isNow = seq === null || seq === coupon.seq;
  const then = isNow ? ofTables(tables) : ofLedger(coupon.name, tables, seq);
  const claimedBy = body["claimed_by"];
  const isComparable = claimedBy !== undefined && (isNow || !isStreamed(claimedBy));
  const faults = [
    ...Object.entries(then.fields)
      .filter(([field, value]) => body[field] !== value)
      .map(([field, value]) => `${field} is ${JSON.stringify(body[field])}, and ${JSON.stringify(value)} in the file`),
    ...(isComparable ? listFaults(claimedBy, then.claimedBy) : []),
  ];
  const why = claimedBy === undefined ? "shown to the operator only" : "streamed while claims went on, of no one instant";
  const compared = isComparable ? `claimed_by ${counted(then.claimedBy.length, "user")} in this order` : `claimed_by not compared: ${why}`;
  return { faults, summary: `event ${seq ?? coupon.seq}: remaining_amount ${then.fields.remaining_amount}, ${compared}` };
}

type Shown = { readonly fields: ReturnType<typeof fieldsOf>; readonly claimedBy: readonly string[] };

function ofTables({ coupon, claims, holds }: Tables): Shown {
  const ordered = claims.toSorted((a, b) => a.position - b.position);
  return {
    fields: fieldsOf(coupon, holds.length, coupon.amount - claims.length - holds.length),
    claimedBy: ordered.map(({ userId }) => userId),
  };
}

function ofLedger(name: string, tables: Tables, seq: number): Shown {
  const told = retold(tables.ledger, seq);
  const ordered = [...told.claims].toSorted(([, a], [, b]) => a.position - b.position);
  return { fields: fieldsOf({ name, ...told }, told.holds.size, remaining(told)), claimedBy: ordered.map(([userId]) => userId) };
}

type Settings = Pick<CouponRow, "name" | "amount" | "startsAt" | "endsAt" | "paused" | "createdAt" | "holdSecondsMax" | "holdsMax">;

function fieldsOf(coupon: Settings, heldAmount: number, remainingAmount: number) {
  const { name, amount, startsAt, endsAt, paused, createdAt, holdSecondsMax, holdsMax } = coupon;
  return {
    name,
    amount,
    remaining_amount: remainingAmount,
    starts_at: startsAt === null ? null : instant(startsAt),
    ends_at: endsAt === null ? null : instant(endsAt),
    paused: paused === 1,
    held_amount: heldAmount,
    hold_seconds_max: holdSecondsMax,
    holds_max: holdsMax,
    created_at: instant(createdAt),
  };
}

function listFaults(told: unknown, stored: readonly string[]): string[] {
  if (!Array.isArray(told)) return ["claimed_by is no list"];
  const [inAnswer, inFile] = [new Set<unknown>(told), new Set<unknown>(stored)];
  const missing = stored.filter((user) => !inAnswer.has(user)).map(quoted);
  const strange = told.filter((user) => !inFile.has(user)).map(quoted);
  const at = stored.findIndex((user, index) => told[index] !== user);
  return [
    ...(missing.length > 0 ? [`claimed_by lacks ${listed(missing)}`] : []),
    ...(strange.length > 0 ? [`claimed_by has ${listed(strange)}, who are not in the file`] : []),
    ...(told.length === stored.length ? [] : [`claimed_by has ${told.length} names, and ${stored.length} in the file`]),
    ...(missing.length + strange.length === 0 && at >= 0 ? [`claimed_by is in another order from place ${at + 1} on`] : []),
  ];
}

function isStreamed(claimedBy: unknown): boolean {
  return Array.isArray(claimedBy) && claimedBy.length > CLAIMANTS_AT_ONCE_MAX;
}
