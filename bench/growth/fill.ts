// Coupons with many claims: made by the product's own engine in the object's own file, while nobody serves it.

import { randomUUID } from "node:crypto";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";

import { openCoupon } from "../systems/files.ts";
import { create, served, type Lab } from "../systems/system.ts";
import { PRODUCT } from "../../verification/server/workerd.ts";
import { BATCH_SIZE_MAX } from "../../src/domain/limits.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import type { Sql, SqlRow } from "../../src/engine/sql.ts";

/** The coupon that grows. */
export const GROWN = "grown";
/** A coupon beside it, for everything that is not to be measured, such as the Worker's start. */
export const OTHER = "other";
const AMOUNT = 2_147_483_647;
/** Nobody serves the coupon, so no certificate is in use. */
const NO_LEASE = { leaseUntil: 0, mayCertify: true };

const states = new WeakMap<Lab, Map<number, Promise<string>>>();

/** A copy of a state in which {@link GROWN} has so many claims. Whoever asks for it may change it. */
export async function stateWith(lab: Lab, claims: number): Promise<string> {
  const known = states.get(lab) ?? new Map<number, Promise<string>>();
  states.set(lab, known);
  const made = known.get(claims) ?? makeState(lab, claims);
  known.set(claims, made);
  const copy = join(lab.folder, lab.fresh("grown"));
  await cp(await made, copy, { recursive: true });
  return copy;
}

/** Removes a copy: a million claims take hundreds of megabytes. */
export async function discard(state: string): Promise<void> {
  await rm(state, { recursive: true, force: true });
}

async function makeState(lab: Lab, claims: number): Promise<string> {
  lab.say(`making a coupon with ${claims.toLocaleString("en")} claims`);
  const state = join(lab.folder, lab.fresh("made"));
  const server = await served(lab, PRODUCT, { state });
  await create(server.url, GROWN, AMOUNT);
  await create(server.url, OTHER, AMOUNT);
  await server.kill();

  const database = await openCoupon(state, GROWN);
  // Nobody pulls the plug on a file that is thrown away.
  database.exec("PRAGMA synchronous = OFF");
  const engine = new CouponEngine(sqlOver(database));
  for (let done = 0; done < claims; done += BATCH_SIZE_MAX) {
    const batch = Array.from({ length: Math.min(BATCH_SIZE_MAX, claims - done) }, () => ({
      // Ids without an order, as users have them: each lands somewhere else in the table.
      userId: `user-${randomUUID()}`,
      key: null,
      attemptId: randomUUID(),
    }));
    const at = Date.now();
    const messages = batch.map((request) => ({ message: { kind: "claim", request } as const, at }));
    const isGranted = engine.apply(messages, NO_LEASE).answers.every(({ ok }) => ok);
    if (!isGranted) throw new Error("a claim was refused");
  }
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return state;
}

/** The engine's SQL port over a file. */
function sqlOver(database: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  return {
    all<Row extends SqlRow>(statement: string, ...bindings: readonly (string | number | null)[]) {
      const known = prepared.get(statement) ?? database.prepare(statement);
      prepared.set(statement, known);
      return known.all(...bindings) as Row[];
    },
    transaction(work) {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (cause) {
        database.exec("ROLLBACK");
        throw cause;
      }
    },
    deleteAll() {
      throw new Error("a coupon that is filled is not deleted");
    },
  };
}
