// The product with hooks to break its objects. It is an entry of its own, so no release contains it.

import { laneName } from "../../src/domain/lanes.ts";
import { LaneObject as ProductLane } from "../../src/lane/lane-object.ts";
import { CouponObject as Product } from "../../src/object/coupon-object.ts";
import type { Env } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";

export * from "../../src/objects.ts";

/** The tables from which a ledger is read. */
const TABLE_NAMES = ["ledger", "claims", "releases", "holds", "released_holds"] as const;

/** The path of the hooks: `/__faults/{coupon}/{fault}`. `lane-{index}` aborts a lane. */
const HOOK = /^\/__faults\/([^/]+)\/(abort|evict|lane-(\d+))$/;

/** Logs its tables before it deletes them, and can be aborted. */
export class CouponObject extends Product {
  /** Claims and holds go with the coupon, so the tables are logged in the turn of the deletion. */
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    const exec = sql.exec.bind(sql);
    sql.exec = (query, ...bindings: readonly SqlStorageValue[]) => {
      if (query.startsWith("ALTER TABLE ledger RENAME")) logTables(sql);
      return exec(query, ...bindings);
    };
  }

  /** Ends this instance and all of its work. */
  async abortByFault(): Promise<void> {
    this.ctx.abort("aborted by a fault hook");
  }
}

/** Can be aborted. */
export class LaneObject extends ProductLane {
  async abortByFault(): Promise<void> {
    this.ctx.abort("aborted by a fault hook");
  }
}

function logTables(sql: SqlStorage): void {
  const rows = (table: string) => sql.exec(`SELECT * FROM ${table}`).toArray();
  const [coupon] = rows("coupon");
  const tables = Object.fromEntries(TABLE_NAMES.map((table) => [table, rows(table)]));
  console.error(JSON.stringify({ event: "ledger_removed", at: Date.now(), name: coupon?.["name"], epoch: coupon?.["epoch"], tables }));
}

/**
 * The module that workerd offers with the flag `unsafe_module`. A literal name would make the bundler search
 * for it.
 */
const UNSAFE: string = "workerd:unsafe";
type Unsafe = { readonly default: { evict(stub: unknown, options: { readonly webSockets: "hibernate" }): Promise<void> } };

type Hooked = { readonly abortByFault: () => Promise<void> };

const app = createApp();

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const [, name, fault, lane] = HOOK.exec(new URL(request.url).pathname) ?? [];
    if (name === undefined) return app.fetch(request, env, ctx);
    const coupon = decodeURIComponent(name);
    const stub = lane === undefined ? env.COUPONS.getByName(coupon) : env.LANE_OBJECTS?.getByName(laneName(coupon, lane));
    const { default: unsafe } = (await import(UNSAFE)) as Unsafe;
    if (fault === "evict") await unsafe.evict(stub, { webSockets: "hibernate" });
    else await (stub as unknown as Hooked).abortByFault().catch(() => undefined);
    return new Response(null, { status: 204 });
  },
};
