// What the Worker is given by its configuration (wrangler.toml, secrets, .dev.vars).

import type { CouponCalls } from "../domain/messages.ts";

/** The objects, known here only by the calls that they answer. */
export type CouponNamespace = DurableObjectNamespace<CouponCalls & Rpc.DurableObjectBranded>;

export type Env = {
  readonly COUPONS: CouponNamespace;
  /** The operator's bearer token, a secret. Without it the operator's routes are closed. */
  readonly ADMIN_TOKEN?: string;
  /** `off` makes everyone the operator; meant for local development alone. Anything else is on. */
  readonly ADMIN_AUTH?: string;
};
