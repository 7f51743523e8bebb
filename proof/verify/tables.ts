// One coupon's tables in a copied file, read with statements of our own. What they hold may be damaged, so it is believed in nothing.

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";

import { CommandFailure } from "../cli/command.ts";

/** The version of the tables that is understood here. */
const SCHEMA_VERSION = 1;
const INTEGRITY_FAULTS_MAX = 5;

/** Something in a file that can't be read. What is said about it is a fact of the file, not a bug here. */
export class Unreadable extends Error {}

export type CouponRow = {
  readonly name: string;
  readonly amount: number;
  readonly claimed: number;
  readonly held: number;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly paused: number;
  readonly lastPosition: number;
  readonly seq: number;
  readonly createdAt: number;
  readonly epoch: string;
  readonly clockAt: number;
};
export type ClaimRow = {
  readonly userId: string;
  readonly position: number;
  readonly claimedAt: number;
  readonly remainingAfter: number;
  readonly key: string | null;
};
export type HoldRow = { readonly userId: string; readonly heldAt: number; readonly expiresAt: number };
export type ReleaseRow = Omit<ClaimRow, "key"> & { readonly releasedAt: number };
export type EventRow = {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly userId: string | null;
  readonly position: number | null;
  readonly data: string | null;
};

/** The tables of one copy, each read when it is first asked for. Every getter throws {@link Unreadable}. */
export type Tables = {
  readonly coupon: CouponRow;
  readonly claims: readonly ClaimRow[];
  readonly holds: readonly HoldRow[];
  readonly releases: readonly ReleaseRow[];
  readonly ledger: Iterable<EventRow>;
  /** What SQLite itself finds wrong with the file; empty where nothing is. */
  readonly integrityFaults: readonly string[];
};

// `NOT INDEXED` counts the rows of the table, whatever an index says there are.
const COUPON = `
  SELECT name, amount, claimed, held, starts_at AS startsAt, ends_at AS endsAt, paused, last_position AS lastPosition, seq,
         created_at AS createdAt, epoch, clock_at AS clockAt
  FROM coupon NOT INDEXED`;
const CLAIMS = `
  SELECT user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS "key"
  FROM claims NOT INDEXED`;
const HOLDS = `SELECT user_id AS userId, held_at AS heldAt, expires_at AS expiresAt FROM holds NOT INDEXED`;
const RELEASES = `
  SELECT user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, released_at AS releasedAt
  FROM releases NOT INDEXED`;
const LEDGER = `SELECT seq, at, kind, user_id AS userId, position, data FROM ledger NOT INDEXED ORDER BY seq`;

/**
 * Whether a coupon's tables are in there; an object that nobody created a coupon in has none. Throws {@link CommandFailure}
 * where they are not ours or of a version that is not known here, and {@link Unreadable}.
 */
export function hasCoupon(database: DatabaseSync, file: string): boolean {
  const names = rows(database, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .map(({ name }) => String(name))
    .filter((name) => !/^(_cf_|__miniflare_|sqlite_)/.test(name));
  if (names.length === 0) return false;
  const columns = rows(database, `SELECT name FROM pragma_table_info('coupon')`).map(({ name }) => name);
  if (!columns.includes("schema_version")) {
    throw new CommandFailure(`${file} is no coupon of Doorbuster: its tables are ${names.slice(0, 5).join(", ")}`);
  }
  const strange = rows(database, `SELECT schema_version AS version FROM coupon`).find(({ version }) => version !== SCHEMA_VERSION);
  if (strange === undefined) return true;
  throw new CommandFailure(`${file} has tables of version ${String(strange.version)}, and only version ${SCHEMA_VERSION} is known here`);
}

/** The tables of an open copy. */
export function tablesOf(database: DatabaseSync): Tables {
  const coupon = once(() => onlyRow(rows(database, COUPON) as CouponRow[]));
  const claims = once(() => rows(database, CLAIMS) as ClaimRow[]);
  const holds = once(() => rows(database, HOLDS) as HoldRow[]);
  const releases = once(() => rows(database, RELEASES) as ReleaseRow[]);
  const integrity = once(() =>
    rows(database, `PRAGMA integrity_check(${INTEGRITY_FAULTS_MAX})`).map((row) => String(row["integrity_check"]).replaceAll("\n", ", ")),
  );
  return {
    get coupon() {
      return coupon();
    },
    get claims() {
      return claims();
    },
    get holds() {
      return holds();
    },
    get releases() {
      return releases();
    },
    get ledger() {
      return each(database, LEDGER) as Iterable<EventRow>;
    },
    get integrityFaults() {
      return integrity().filter((said) => said !== "ok");
    },
  };
}

function onlyRow(found: readonly CouponRow[]): CouponRow {
  const [row] = found;
  if (row === undefined || found.length > 1) throw new Unreadable(`the table coupon has ${found.length} rows`);
  if (typeof row.name !== "string" || typeof row.epoch !== "string") throw new Unreadable("the coupon has no name");
  return row;
}

type Row = Record<string, SQLOutputValue>;

function rows(database: DatabaseSync, statement: string): Row[] {
  return reading(() => database.prepare(statement).all());
}

function* each(database: DatabaseSync, statement: string): Generator<Row> {
  const found = reading(() => database.prepare(statement).iterate());
  for (let next = reading(() => found.next()); next.done !== true; next = reading(() => found.next())) yield next.value;
}

function once<Value>(read: () => Value): () => Value {
  let known: { readonly value: Value } | undefined;
  return () => (known ??= { value: read() }).value;
}

/** Does what SQLite may fail at because of the file. */
function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    // The second is an integer that no number can be.
    if (code === "ERR_SQLITE_ERROR" || code === "ERR_OUT_OF_RANGE") throw new Unreadable(message);
    throw cause;
  }
}
