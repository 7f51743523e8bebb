// The Worker's environment: the bindings of wrangler.toml, and the configuration.

import type { LocationHint } from "../domain/location-hint.ts";
import type { CouponCalls, CourierCalls, LaneCalls, MeterCalls } from "../domain/rpc.ts";
import { sipKeyOf, type SipKey } from "../domain/siphash.ts";
import { log } from "../log.ts";
import { parseConfig, type Config, type ConfigFaults, type Variables } from "./config.ts";

/** The namespace of the coupons' objects. Only their calls are known here. */
export type CouponNamespace = DurableObjectNamespace<CouponCalls & Rpc.DurableObjectBranded>;

/** The namespace of the lanes' objects. */
export type LaneNamespace = DurableObjectNamespace<LaneCalls & Rpc.DurableObjectBranded>;

/** The part of the environment that a call of an object needs. */
export type CouponEnv = {
  readonly COUPONS: CouponNamespace;
  readonly LOCATION_HINT?: Config["LOCATION_HINT"];
};

/** The namespace of the couriers' objects. */
export type CourierNamespace = DurableObjectNamespace<CourierCalls & Rpc.DurableObjectBranded>;

export type Bindings = {
  readonly COUPONS: CouponNamespace;
  /** Without it, every claim and hold goes to its coupon directly. */
  readonly LANE_OBJECTS?: LaneNamespace;
  /** Without couriers and a database nothing is delivered, and lists across coupons are unavailable. */
  readonly COURIERS?: CourierNamespace;
  readonly DB?: D1Database;
  /** Without it, the metrics have no requests. */
  readonly METER?: DurableObjectNamespace<MeterCalls & Rpc.DurableObjectBranded>;
  /** The static assets. Without it, the pages have no styles and no scripts. */
  readonly ASSETS?: Pick<Fetcher, "fetch">;
  /** The platform's rate-limit counters. A counter that is not bound limits nothing. */
  readonly CLAIMS_100_PER_10S?: RateLimit;
  readonly CLAIMS_20_PER_10S?: RateLimit;
  readonly CLAIMS_5_PER_10S?: RateLimit;
  readonly ADDRESS_1000_PER_10S?: RateLimit;
  readonly ADDRESS_100_PER_10S?: RateLimit;
  readonly LOGINS_5_PER_60S?: RateLimit;
};

/** The environment as the platform gives it. */
export type RawEnv = Bindings & Variables;
/** The environment with its variables checked and parsed. */
export type Env = Bindings & Config;

/** The Worker's part of a request. `waitUntil` keeps work running after the visitor has left. */
export type Worker = {
  readonly env: Env;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Returns the location near which the request's lanes are. Null is that of the coupon. */
  readonly location?: () => LocationHint | null;
  /** Called with the lane that the request goes through. */
  readonly onLane?: (lane: string) => void;
};

/** An isolate has one environment, so it parses one. Tests have many. */
const parsed = new WeakMap<RawEnv, ParsedEnv>();
type ParsedEnv = {
  readonly env: Env;
  readonly faults: ConfigFaults | null;
  /** The key of the log's user hashes. Without an admin token it is no secret, so a reader can guess the ids. */
  readonly userKey: SipKey;
};

/** Returns the parsed environment, and what is wrong with its variables if anything is. Logs that once. */
export function parseEnv(raw: RawEnv): ParsedEnv {
  const known = parsed.get(raw);
  if (known !== undefined) return known;
  const { config, faults } = parseConfig(raw);
  const bindings: Bindings = raw;
  const isFaulty = Object.keys(faults).length > 0;
  if (isFaulty) log({ event: "misconfigured", ...faults });
  const userKey = sipKeyOf(config.ADMIN_TOKEN ?? "", "doorbuster log 1");
  const result = { env: { ...bindings, ...config }, faults: isFaulty ? faults : null, userKey };
  parsed.set(raw, result);
  return result;
}
