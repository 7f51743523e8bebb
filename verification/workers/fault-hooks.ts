// The product with handles to break its objects from outside. It is an entry of its own, so that no release can contain them.

import { CouponObject as Product } from "../../src/object/coupon-object.ts";
import type { Env } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";

/** What a ledger is read from. */
const TABLE_NAMES = ["ledger", "claims", "releases", "holds", "released_holds"] as const;

/** Where the hooks are: `/__faults/{coupon}/{fault}`. */
const HOOK = /^\/__faults\/([^/]+)\/(abort|evict)$/;

/** Says what its files will not have any more, and can be ended. */
export class CouponObject extends Product {
  /** The ledger goes with the coupon: it is written to the log in the turn in which it is deleted. */
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { storage } = ctx;
    const deleteAll = storage.deleteAll.bind(storage);
    storage.deleteAll = (options) => {
      logTables(storage.sql);
      return deleteAll(options);
    };
  }

  /** Ends this instance and all that it was doing. */
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

/** What workerd lets a Worker do that runs with the flag `unsafe_module`. No name that the bundler sees, because it would look for it. */
const UNSAFE: string = "workerd:unsafe";
type Unsafe = { readonly default: { evict(stub: unknown, options: { readonly webSockets: "hibernate" }): Promise<void> } };

type Hooked = { readonly abortByFault: () => Promise<void> };

const app = createApp();

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const [, name, fault] = HOOK.exec(new URL(request.url).pathname) ?? [];
    if (name === undefined) return app.fetch(request, env, ctx);
    const stub = env.COUPONS.getByName(decodeURIComponent(name));
    const { default: unsafe } = (await import(UNSAFE)) as Unsafe;
    if (fault === "evict") await unsafe.evict(stub, { webSockets: "hibernate" });
    else await (stub as unknown as Hooked).abortByFault().catch(() => undefined);
    return new Response(null, { status: 204 });
  },
};
