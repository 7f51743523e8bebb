// A state folder with a busy coupon, made by the engine itself, and ways to damage it.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { fileOf } from "./state-folder.ts";
import { verify, type Receipt, type VerifyOptions } from "./verify.ts";
import type { ClaimResult } from "../../src/domain/rpc.ts";
import { asks, EngineCalls, newCoupon, T0 } from "../../test/rules/coupon.ts";
import { nodeSql } from "../../test/rules/node-sql.ts";

export const BUSY = "BUSY 🎉/1";

export type State = {
  readonly folder: string;
  /** The file of a coupon's object. */
  readonly file: (coupon: string) => string;
  /** Opens that file for `work`, then closes it. */
  readonly alter: (coupon: string, work: (database: DatabaseSync) => void) => void;
  readonly remove: () => void;
};

/** A new state folder with the layout of a server's. */
export function newState(): State {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-state-"));
  mkdirSync(join(folder, "doorbuster-CouponObject"));
  const file = (coupon: string): string => join(folder, "doorbuster-CouponObject", fileOf(coupon));
  function alter(coupon: string, work: (database: DatabaseSync) => void): void {
    const database = new DatabaseSync(file(coupon));
    try {
      work(database);
    } finally {
      database.close();
    }
  }
  return { folder, file, alter, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Gives `work` the engine of a coupon whose rows go into `state`. */
export function withEngine(state: State, coupon: string, work: (engine: EngineCalls) => void): void {
  state.alter(coupon, (database) => {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    // The runtime keeps a table beside ours.
    database.exec("CREATE TABLE IF NOT EXISTS _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)");
    work(new EngineCalls(nodeSql(database)));
  });
}

/** A new coupon of `amount` units. */
export function putCoupon(state: State, name: string, amount: number): void {
  withEngine(state, name, (engine) => engine.create(newCoupon(amount, { name }), `epoch of ${name}`, T0));
}

/**
 * A coupon with events of every kind. Of 8 units, u1, u2, u3, u5, u6 and u4 have claims, in this order, h1
 * has a hold, and 1 remains. At most 4 holds may run. It has a title and a picture, which are the same text. Returns the receipts that its users got.
 */
export function putBusyCoupon(state: State): Receipt[] {
  const receipts: Receipt[] = [];
  let now = T0;

  function note(results: readonly ClaimResult[]): void {
    for (const result of results) {
      if (!result.ok) continue;
      const { userId, position, claimedAt } = result.claim;
      receipts.push({ coupon: BUSY, userId, position, claimedAt: new Date(claimedAt).toISOString() });
    }
  }

  withEngine(state, BUSY, (engine) => {
    engine.create(newCoupon(5, { name: BUSY, startsAt: T0 + 1000, endsAt: T0 + 900_000, holdsMax: 4, title: "/shoe" }), "epoch-1", now);
    note(engine.claimAll([asks("too-early")], now));
    now += 1000;
    note(engine.claimAll([asks("u1", { key: "key-1" }), asks("u2"), asks("u1"), asks("u1", { key: "key-1" })], now));
    engine.hold({ userId: "u3", ttlMs: 10_000, attemptId: "a" }, now + 1);
    engine.hold({ userId: "late", ttlMs: 1000, attemptId: "b" }, now + 2);
    engine.hold({ userId: "returned", ttlMs: 60_000, attemptId: "c" }, now + 3);
    note(engine.claimAll([asks("u3"), asks("u4"), asks("loser")], now + 4));
    engine.releaseHold("returned", now + 5);
    now += 2000;
    note(engine.claimAll([asks("u4"), asks("u5")], now));
    engine.revoke({ userId: "u4", position: null }, now + 1);
    engine.change({ amount: 8, paused: true }, null, now + 2);
    note(engine.claimAll([asks("while-paused")], now + 3));
    engine.change({ paused: false, endsAt: T0 + 800_000, imageUrl: "/shoe" }, null, now + 4);
    note(engine.claimAll([asks("u6"), asks("u4")], now + 5));
    engine.hold({ userId: "h1", ttlMs: 600_000, attemptId: "d" }, now + 6);
  });
  return receipts;
}

/** The failed checks of a state. */
export async function failed(state: State, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const checks = await verify({ state: state.folder, ...options });
  return checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon, number, detail }) => `${coupon} ${number} ${detail}`);
}

/** The sentence of the {@link CommandFailure} that ends `work`. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const cause: unknown = await work.catch((thrown: unknown) => thrown);
  if (cause instanceof CommandFailure) return cause.message;
  throw new Error(`no refusal: ${String(cause)}`);
}
