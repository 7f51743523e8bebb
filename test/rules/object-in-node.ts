// The coupon's Durable Object as deployed, in Node and in virtual time. Its storage is node:sqlite.

import { vi } from "vitest";

import type { CouponCalls } from "../../src/domain/rpc.ts";
import type { SqlValue } from "../../src/engine/sql.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    readonly ctx: unknown;
    constructor(ctx: unknown) {
      this.ctx = ctx;
    }
  },
}));

export type ObjectInNode = {
  readonly object: CouponCalls & { readonly alarm: () => Promise<void> };
  readonly sql: NodeSql;
  /** The alarms that the object set, in order. Null is a deleted one. */
  readonly alarms: (number | null)[];
  /** Transactions so far. */
  readonly transactionCount: () => number;
};

type ObjectClass = new (ctx: unknown, env: unknown) => ObjectInNode["object"];

function abort(reason: string): void {
  throw new Error(reason);
}

/** A courier, as far as its coupon knows it. */
type Courier = { readonly notify: () => Promise<void> };

/** A new instance of the object called PROMO, over storage that another one may have written. `alarms` are those set before. */
export async function objectInNode(
  sql: NodeSql = nodeSql(),
  courier: Courier | null = null,
  alarms: (number | null)[] = [],
): Promise<ObjectInNode> {
  let transactionCount = 0;
  const storage = {
    sql: {
      exec: (query: string, ...bindings: readonly SqlValue[]) => {
        const rows = sql.all(query, ...bindings);
        return { toArray: () => rows };
      },
    },
    transactionSync<T>(work: () => T): T {
      transactionCount += 1;
      return sql.transaction(work);
    },
    sync: () => Promise.resolve(),
    async getAlarm() {
      return alarms.at(-1) ?? null;
    },
    async setAlarm(at: number) {
      alarms.push(at);
    },
    async deleteAlarm() {
      alarms.push(null);
    },
    async deleteAll() {
      sql.deleteAll();
    },
  };
  const { CouponObject } = (await import("../../src/object/coupon-object.ts")) as unknown as { readonly CouponObject: ObjectClass };
  const env = courier === null ? {} : { COURIERS: { idFromName: (name: string) => name, get: () => courier } };
  const object = new CouponObject({ id: { name: "PROMO" }, storage, abort }, env);
  return { object, sql, alarms, transactionCount: () => transactionCount };
}
