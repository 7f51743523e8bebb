// The product as it is deployed: the object's class, and the Worker's app once for each isolate, because each
// isolate has its own module state. The platform's module is replaced.

import { registerHooks } from "node:module";

import { edited, type Edit } from "../mutation/mutation.ts";
import type { CourierClass } from "./courier-platform.ts";
import type { ObjectClass } from "./instance.ts";
import type { LaneClass } from "./lanes.ts";

/** The Worker's app in one isolate. */
export type App = { readonly fetch: (request: Request, env: unknown, context: unknown) => Response | Promise<Response> };
export type Product = {
  readonly objectClass: ObjectClass;
  readonly courierClass: CourierClass;
  readonly laneClass: LaneClass;
  readonly isolates: readonly App[];
};

export const ISOLATE_COUNT = 3;

const ROOT = new URL("../../", import.meta.url).href;
const ISOLATE = /\?isolate=\d+$/;
const PLATFORM = `data:text/javascript,${encodeURIComponent(
  "export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }",
)}`;

/** Loads the product's modules with `edits` from now on, and those of the Worker once for each isolate. */
export function hookModules(edits: readonly Edit[]): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === "cloudflare:workers") return { url: PLATFORM, format: "module", shortCircuit: true };
      const resolved = next(specifier, context);
      const isolate = ISOLATE.exec(context.parentURL ?? "")?.[0];
      const isOfIsolate = resolved.url.startsWith(`${ROOT}src/http/`) || resolved.url.startsWith(`${ROOT}src/edge/`);
      return isolate === undefined || !isOfIsolate ? resolved : { ...resolved, url: resolved.url + isolate };
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      const own = edits.filter(({ file }) => url.replace(ISOLATE, "") === ROOT + file);
      return own.length === 0
        ? loaded
        : { ...loaded, source: own.reduce((text, edit) => edited(text, edit, "of the product"), textOf(loaded.source)) };
    },
  });
}

/** Loads the product, after {@link hookModules}. */
export async function loadProduct(): Promise<Product> {
  const { CouponObject } = await import("../../src/object/coupon-object.ts");
  const { CourierObject } = await import("../../src/courier/courier-object.ts");
  const { LaneObject } = await import("../../src/lane/lane-object.ts");
  const isolates: App[] = [];
  for (let index = 0; index < ISOLATE_COUNT; index += 1) {
    const { createApp } = (await import(`${ROOT}src/http/app.ts?isolate=${index}`)) as { readonly createApp: () => App };
    const app = createApp();
    // The first request of an isolate draws ids; this one keeps them out of histories.
    await app.fetch(new Request("http://simulation/health"), { REQUEST_LOG: "off" }, {});
    isolates.push(app);
  }
  return {
    objectClass: CouponObject as unknown as ObjectClass,
    courierClass: CourierObject as unknown as CourierClass,
    laneClass: LaneObject as unknown as LaneClass,
    isolates,
  };
}

function textOf(source: unknown): string {
  return typeof source === "string" ? source : Buffer.from(source as Uint8Array).toString();
}
