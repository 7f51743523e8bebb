// The invariants of one coupon's tables, in Node and in workerd. The file verifier replays the ledger.

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { expect } from "vitest";

import { ledgerFindings } from "../../verification/verify/ledger-check.ts";
import { replay, type Replayed } from "../../verification/verify/replay.ts";
import { tablesOf } from "../../verification/verify/tables.ts";

/** Runs one statement and returns its rows. */
export type ReadAll = (statement: string) => Record<string, SQLOutputValue>[];

/**
 * Expects that the ledger has no gap, gives no unit twice and no position twice, and replays to the other tables. Returns the
 * coupon that the ledger makes.
 */
export function expectReplayed(all: ReadAll): Replayed {
  const prepare = (statement: string) => ({ all: () => all(statement), iterate: () => all(statement).values() });
  // The verifier calls nothing else of a database.
  const tables = tablesOf({ prepare } as unknown as DatabaseSync);
  const replayed = replay(tables.ledger);
  expect(ledgerFindings(tables, replayed)).toMatchObject({ faults: [] });
  return replayed;
}
