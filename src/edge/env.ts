// The Worker's configuration: wrangler.toml, secrets, .dev.vars.

import type { CouponCalls } from "../domain/rpc.ts";

/** The namespace of the coupons' objects. Only their calls are known here. */
export type CouponNamespace = DurableObjectNamespace<CouponCalls & Rpc.DurableObjectBranded>;

/** The configuration that a call of an object needs. */
export type CouponEnv = {
  readonly COUPONS: CouponNamespace;
  /** Where a new object is placed, such as `weur` (source: Cloudflare's list of location hints). */
  readonly LOCATION_HINT?: DurableObjectLocationHint;
};

export type Env = CouponEnv & {
  /** The operator's bearer token, a secret. Without it, the operator's routes refuse every request. */
  readonly ADMIN_TOKEN?: string;
  /** A second valid token, for the time of a rotation. */
  readonly ADMIN_TOKEN_PREVIOUS?: string;
  /** `off` treats every caller as the operator. Use it in local development only. Any other value is on. */
  readonly ADMIN_AUTH?: string;
  /** The platform's rate-limit counters, by coupon and user. A counter that is not bound limits nothing. */
  readonly CLAIMS_100_PER_10S?: RateLimit;
  readonly CLAIMS_20_PER_10S?: RateLimit;
  readonly CLAIMS_5_PER_10S?: RateLimit;
  /** The counter in force: `100` (default), `20`, `5`, or `off`. A number between two means the lower one. */
  readonly RATE_LIMIT?: string;
  /** With this secret (HS256) or the key set, user routes need a JWT whose `sub` is the user. */
  readonly IDENTITY_SECRET?: string;
  /** The URL of a key set for ES256 and RS256. If both are configured, only the key set counts. */
  readonly IDENTITY_JWKS_URL?: string;
  /** The `aud` that a token must name. Without it, any `aud` is valid. */
  readonly IDENTITY_AUDIENCE?: string;
  /** `off` disables certificates: every claim and hold calls the object. */
  readonly SOLD_OUT_CACHE?: string;
  /** `off` disables the log line of each request. */
  readonly REQUEST_LOG?: string;
};

/** The Worker's part of a request. `waitUntil` keeps work running after the visitor has left. */
export type Worker = { readonly env: Env; readonly waitUntil: (work: Promise<unknown>) => void };
