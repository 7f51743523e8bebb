// The Worker's configuration: wrangler.toml, secrets, .dev.vars.

import type { CouponCalls } from "../domain/rpc.ts";

/** The objects, known here only by the calls that they answer. */
export type CouponNamespace = DurableObjectNamespace<CouponCalls & Rpc.DurableObjectBranded>;

/** What a call of an object takes. */
export type CouponEnv = {
  readonly COUPONS: CouponNamespace;
  /** Where objects are placed when they are first called, such as `weur` (source: Cloudflare's list of location hints). */
  readonly LOCATION_HINT?: DurableObjectLocationHint;
};

export type Env = CouponEnv & {
  /** The operator's bearer token, a secret. Without it the operator's routes are closed. */
  readonly ADMIN_TOKEN?: string;
  /** A second token that is taken as well, while the first is being changed. */
  readonly ADMIN_TOKEN_PREVIOUS?: string;
  /** `off` makes everyone the operator; meant for local development alone. Anything else is on. */
  readonly ADMIN_AUTH?: string;
  /** The platform's counters of claims and holds, for each user of each coupon. One that is not bound limits nothing. */
  readonly CLAIMS_100_PER_10S?: RateLimit;
  readonly CLAIMS_20_PER_10S?: RateLimit;
  readonly CLAIMS_5_PER_10S?: RateLimit;
  /** Which of them counts: `100` (the default), `20`, `5`, or `off`; a number between two means the lower one. */
  readonly RATE_LIMIT?: string;
  /** With one of these, claims, holds and own reads need a JWT whose `sub` is the user: HS256 with the secret … */
  readonly IDENTITY_SECRET?: string;
  /** … or ES256 or RS256 with a key of this key set, which wins where both are set. */
  readonly IDENTITY_JWKS_URL?: string;
  /** The `aud` that a token must name, if set. */
  readonly IDENTITY_AUDIENCE?: string;
  /** `off` to ask the object for every claim and hold, also where its certificate has the answer. */
  readonly SOLD_OUT_CACHE?: string;
  /** `off` to write no line for each request. */
  readonly REQUEST_LOG?: string;
};

/** The Worker's side of a request: `waitUntil` keeps work alive after its visitor has left. */
export type Worker = { readonly env: Env; readonly waitUntil: (work: Promise<unknown>) => void };
