// The product, as far as it is simulated: the object's class as it is deployed, and the Worker's way of calling it. What the
// object imports of the platform is answered here.

import { registerHooks } from "node:module";

import { callCoupon } from "../../src/edge/coupon-calls.ts";
import { forgetSoldOut, judged, lookAt } from "../../src/edge/sold-out.ts";
import type { ObjectClass } from "./instance.ts";

/** How the Worker calls an object. */
export type Edge = {
  readonly callCoupon: typeof callCoupon;
  readonly judged: typeof judged;
  readonly lookAt: typeof lookAt;
  readonly forgetSoldOut: typeof forgetSoldOut;
};

export type Product = { readonly objectClass: ObjectClass; readonly edge: Edge };

const PLATFORM = `data:text/javascript,${encodeURIComponent(
  "export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }",
)}`;

/** Loads the product. Modules that are imported later see the same platform. */
export async function loadProduct(): Promise<Product> {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "cloudflare:workers" ? { url: PLATFORM, format: "module", shortCircuit: true } : next(specifier, context),
  });
  const { CouponObject } = await import("../../src/object/coupon-object.ts");
  return { objectClass: CouponObject as unknown as ObjectClass, edge: { callCoupon, judged, lookAt, forgetSoldOut } };
}
