// The Durable Object of a lane. It collects claims and holds for one busy coupon, and passes them on in batches.

import { DurableObject } from "cloudflare:workers";

import { withDeadline } from "../deadline.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import type { HoldRequest } from "../domain/hold.ts";
import { LANE_DEADLINE_MS } from "../domain/lane-limits.ts";
import { couponOfLane } from "../domain/lanes.ts";
import { locationHintOf } from "../domain/location-hint.ts";
import type * as rpc from "../domain/rpc.ts";
import { Lane } from "./lane.ts";

/** The bindings that the object uses. */
type ObjectEnv = {
  readonly COUPONS: DurableObjectNamespace<rpc.BatchCalls & Rpc.DurableObjectBranded>;
  readonly LOCATION_HINT?: string;
};

/**
 * One lane of one coupon. It stores nothing and has no alarm. If it ends, its callers get an exception, and ask again.
 */
export class LaneObject extends DurableObject<ObjectEnv> implements rpc.LaneCalls {
  readonly #lane = new Lane((...batch) => withDeadline(this.#coupon().batch(...batch), LANE_DEADLINE_MS));

  claim(request: ClaimRequest): Promise<rpc.ClaimResult> {
    return this.#lane.submit({ kind: "claim", request });
  }

  hold(request: HoldRequest): Promise<rpc.HoldResult> {
    return this.#lane.submit({ kind: "hold", request });
  }

  /** Returns a new stub, because one that threw stays broken. */
  #coupon(): rpc.BatchCalls {
    const { COUPONS, LOCATION_HINT } = this.env;
    // An object does not learn a name of more than 1,024 bytes. Its callers' last attempts ask the coupon itself.
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("the lane does not know its coupon");
    const id = COUPONS.idFromName(couponOfLane(name));
    const locationHint = locationHintOf(LOCATION_HINT);
    return locationHint === undefined ? COUPONS.get(id) : COUPONS.get(id, { locationHint });
  }
}
