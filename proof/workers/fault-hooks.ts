// The product with handles to break its objects from outside. It is an entry of its own, so that no release can contain them.

import { CouponObject as Product } from "../../src/object/coupon-object.ts";
import type { DeleteResult } from "../../src/domain/messages.ts";
import type { Env } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";

/** Where the hooks are: `/__faults/{coupon}/{fault}`. */
const HOOK = /^\/__faults\/([^/]+)\/(abort|evict)$/;

/** Says what nobody could read any more, and can be ended. */
export class CouponObject extends Product {
  /** Ends this instance and all that it was doing. */
  async abortByFault(): Promise<void> {
    this.ctx.abort("aborted by a fault hook");
  }

  /** The ledger goes with the coupon: whoever checks the history is told of it before, in the same turn. */
  override async remove(): Promise<DeleteResult> {
    const { sql } = this.ctx.storage;
    const isCoupon = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'coupon'").toArray().length > 0;
    if (isCoupon) {
      const rows = (table: string) => sql.exec(`SELECT * FROM ${table}`).toArray();
      const [coupon] = rows("coupon");
      const tables = { ledger: rows("ledger"), claims: rows("claims"), releases: rows("releases") };
      console.error(JSON.stringify({ event: "ledger_removed", at: Date.now(), name: coupon?.["name"], epoch: coupon?.["epoch"], tables }));
    }
    return super.remove();
  }
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
