// One coupon's tables in a copied file. The file may be damaged, so no value is trusted.

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";

import { SCHEMA_VERSION } from "../../src/engine/schema.ts";
import { CommandFailure } from "../../scripts/cli/command.ts";
import { settingColumns, type Settings } from "./settings.ts";

const INTEGRITY_FAULTS_MAX = 5;

/** A part of a file that can't be read. That is a fault of the file, not a bug here. */
export class Unreadable extends Error {}

/** What `read` returns, or `otherwise` where it throws {@link Unreadable}. */
export function readable<Value, Otherwise>(read: () => Value, otherwise: Otherwise): Value | Otherwise {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Unreadable) return otherwise;
    throw cause;
  }
}

export type CouponRow = Settings & {
  readonly name: string;
  readonly claimed: number;
  readonly held: number;
  readonly lastPosition: number;
  readonly seq: number;
  readonly createdAt: number;
  readonly epoch: string;
  readonly clockAt: number;
  readonly archivedAt: number | null;
};
export type ClaimRow = {
  readonly userId: string;
  readonly position: number;
  readonly claimedAt: number;
  readonly remainingAfter: number;
  readonly key: string | null;
};
export type HoldRow = { readonly userId: string; readonly heldAt: number; readonly expiresAt: number };
/** The request that made a hold. */
export type HoldAttempt = { readonly userId: string; readonly attemptId: string };
export type ReleasedHoldRow = HoldAttempt & { readonly releasedAt: number };
export type ReleaseRow = Omit<ClaimRow, "key"> & { readonly releasedAt: number };
export type EventRow = {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly userId: string | null;
  readonly position: number | null;
  readonly data: string | null;
  /** Missing before version 3. */
  readonly actor?: string | null;
};
/** A deleted incarnation whose ledger is kept until every sink has it. */
export type DepartedRow = Pick<CouponRow, "name" | "epoch" | "seq" | "claimed"> & {
  readonly deletedAt: number;
  readonly ledger: Iterable<EventRow>;
};

/** The tables of one copy. Each is read at its first use. Every getter throws {@link Unreadable}. */
export type Tables = {
  readonly coupon: CouponRow;
  readonly claims: readonly ClaimRow[];
  readonly holds: readonly HoldRow[];
  readonly releases: readonly ReleaseRow[];
  readonly holdAttempts: readonly HoldAttempt[];
  readonly releasedHolds: readonly ReleasedHoldRow[];
  readonly ledger: Iterable<EventRow>;
  /** The oldest first. */
  readonly departed: readonly DepartedRow[];
  /** What SQLite itself finds wrong with the file. */
  readonly integrityFaults: readonly string[];
};

// `NOT INDEXED` counts the rows of the table, whatever an index says there are.
const COUPON = (version: number) => `
  SELECT name, claimed, held, last_position AS lastPosition, seq, created_at AS createdAt, epoch, clock_at AS clockAt,
         ${version < 3 ? "NULL" : "archived_at"} AS archivedAt, ${settingColumns(version)}
  FROM coupon NOT INDEXED`;
const CLAIMS = `
  SELECT user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS "key"
  FROM claims NOT INDEXED`;
const HOLDS = `SELECT user_id AS userId, held_at AS heldAt, expires_at AS expiresAt FROM holds NOT INDEXED`;
const RELEASES = `
  SELECT user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, released_at AS releasedAt
  FROM releases NOT INDEXED`;
const HOLD_ATTEMPTS = `SELECT user_id AS userId, attempt_id AS attemptId FROM holds NOT INDEXED`;
const RELEASED_HOLDS = `SELECT user_id AS userId, attempt_id AS attemptId, released_at AS releasedAt FROM released_holds NOT INDEXED`;
const LEDGER = (table: string, version: number) => `
  SELECT seq, at, kind, user_id AS userId, position, data, ${version < 3 ? "NULL" : "actor"} AS actor FROM "${table}" NOT INDEXED ORDER BY seq`;
const DEPARTED = `
  SELECT coupon ->> 'name' AS name, coupon ->> 'epoch' AS epoch, coupon ->> 'seq' AS seq, coupon ->> 'claimed' AS claimed, deleted_at AS deletedAt
  FROM departed NOT INDEXED ORDER BY id`;

/**
 * What a file has: a coupon, or only ledgers of deleted ones, or null where the object has no coupon. Throws
 * {@link CommandFailure} where the tables are another program's, and {@link Unreadable}.
 */
export function contentOf(database: DatabaseSync, file: string): "coupon" | "departed" | null {
  const names = tableNames(database);
  if (names.length === 0) return null;
  if (columnsOf(database, "coupon").includes("schema_version")) return "coupon";
  if (columnsOf(database, "departed").includes("deleted_at")) return "departed";
  throw new CommandFailure(`${file} is no coupon of Doorbuster: its tables are ${names.slice(0, 5).join(", ")}`);
}

function tableNames(database: DatabaseSync): string[] {
  return rows(database, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .map(({ name }) => String(name))
    .filter((name) => !/^(_cf_|__miniflare_|sqlite_)/.test(name));
}

function columnsOf(database: DatabaseSync, table: string): unknown[] {
  return rows(database, `SELECT name FROM pragma_table_info(?)`, table).map(({ name }) => name);
}

/** The coupon's name, whatever the version of its tables. Null where there is none. */
export function nameIn(database: DatabaseSync): string | null {
  const [row] = rows(database, `SELECT name FROM coupon`);
  return typeof row?.["name"] === "string" ? row["name"] : null;
}

/** The version of the tables. Throws {@link Unreadable} where it is unknown here. */
function versionOf(database: DatabaseSync): number {
  const versions = rows(database, `SELECT schema_version AS version FROM coupon`).map(({ version }) => Number(version));
  const unknown = versions.find((version) => !Number.isInteger(version) || version < 1 || version > SCHEMA_VERSION);
  if (unknown !== undefined) throw new Unreadable(`its tables have version ${unknown}; known are 1 to ${SCHEMA_VERSION}`);
  return versions[0] ?? SCHEMA_VERSION;
}

/** The tables of an open copy. */
export function tablesOf(database: DatabaseSync): Tables {
  const version = once(() => versionOf(database));
  const ofKnown = (statement: string): Row[] => (version() > 0 ? rows(database, statement) : []);
  const coupon = once(() => onlyRow(ofKnown(COUPON(version())) as CouponRow[]));
  const claims = once(() => ofKnown(CLAIMS) as ClaimRow[]);
  const holds = once(() => ofKnown(HOLDS) as HoldRow[]);
  const releases = once(() => ofKnown(RELEASES) as ReleaseRow[]);
  const holdAttempts = once(() => ofKnown(HOLD_ATTEMPTS) as HoldAttempt[]);
  const releasedHolds = once(() => (version() === 1 ? [] : (ofKnown(RELEASED_HOLDS) as ReleasedHoldRow[])));
  const departed = once(() =>
    columnsOf(database, "departed").length === 0
      ? []
      : (rows(database, DEPARTED) as Omit<DepartedRow, "ledger">[]).map((row) => {
          const ledger = again(() => each(database, LEDGER(`ledger_${row.epoch}`, SCHEMA_VERSION)) as Iterable<EventRow>);
          return Object.assign(row, { ledger });
        }),
  );
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
    get holdAttempts() {
      return holdAttempts();
    },
    get releasedHolds() {
      return releasedHolds();
    },
    get ledger() {
      return again(() => each(database, LEDGER("ledger", version())) as Iterable<EventRow>);
    },
    get departed() {
      return departed();
    },
    get integrityFaults() {
      return integrity().filter((line) => line !== "ok");
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

/** All rows of a statement. Throws {@link Unreadable}. */
export function rows(database: DatabaseSync, statement: string, ...values: readonly string[]): Row[] {
  return reading(() => database.prepare(statement).all(...values));
}

/** Rows that are read again by each loop. */
function again<Value>(read: () => Iterable<Value>): Iterable<Value> {
  return { [Symbol.iterator]: () => read()[Symbol.iterator]() };
}

function* each(database: DatabaseSync, statement: string): Generator<Row> {
  const found = reading(() => database.prepare(statement).iterate());
  for (let next = reading(() => found.next()); next.done !== true; next = reading(() => found.next())) yield next.value;
}

/** `read`, whose first value is kept. */
export function once<Value>(read: () => Value): () => Value {
  let known: { readonly value: Value } | undefined;
  return () => (known ??= { value: read() }).value;
}

/** Turns SQLite's complaints about the file into {@link Unreadable}. */
function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    // The second code is an integer that is too large for a number.
    if (code === "ERR_SQLITE_ERROR" || code === "ERR_OUT_OF_RANGE") throw new Unreadable(message);
    throw cause;
  }
}
