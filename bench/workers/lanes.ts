// A crowd and the lanes of a coupon. The coupon's object is in another process, and each claim crosses to it.

import { DurableObject } from "cloudflare:workers";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import { laneName, laneOf } from "../../src/domain/lanes.ts";
import type { BatchCalls, BatchResult, ClaimResult, LaneCalls, LaneMessage } from "../../src/domain/rpc.ts";

export * from "../../src/objects.ts";

type ObjectCalls = BatchCalls & Pick<LaneCalls, "claim">;

type Env = {
  /** workerd's client for another workerd's debug port. One call of it is one call of an object there. */
  readonly DEBUG_PORT: {
    readonly connect: (address: string) => { readonly getActor: (service: string, className: string, id: string) => ObjectCalls };
  };
  /** The other process's debug port, such as `127.0.0.1:41234`. */
  readonly OBJECTS_AT: string;
  readonly COUPONS: DurableObjectNamespace<CouponObject>;
  readonly LANE_OBJECTS: DurableObjectNamespace<LaneCalls & Rpc.DurableObjectBranded>;
};

/** The coupon in the other process. */
const COUPON = "bench";
/**
 * Connections to the other process. Over a single one, its object gets one message in each turn of its event loop, and
 * can't commit two together. Each lane has one of its own. Direct claims share them all.
 */
const CONNECTIONS = 64;

/** One connection. To lanes it is their coupon's object. */
export class CouponObject extends DurableObject<Env> implements ObjectCalls {
  readonly #object = this.env.DEBUG_PORT.connect(this.env.OBJECTS_AT).getActor(
    "isolate-0",
    "CouponObject",
    this.env.COUPONS.idFromName(COUPON).toString(),
  );
  #callCount = 0;

  claim(request: ClaimRequest): Promise<ClaimResult> {
    this.#callCount += 1;
    return this.#object.claim(request);
  }

  batch(messages: readonly LaneMessage[], refusedCount: number): Promise<BatchResult> {
    this.#callCount += 1;
    return this.#object.batch(messages, refusedCount);
  }

  async calls(): Promise<number> {
    return this.#callCount;
  }
}

/**
 * `POST /claims/{count}/lanes/{laneCount}`: so many new users claim at once. With 0 lanes they claim directly. The
 * answer is 201 if each user got its own claim. `GET /calls`: how many calls have crossed.
 */
export default {
  async fetch(request, { COUPONS, LANE_OBJECTS }) {
    const connections = Array.from({ length: CONNECTIONS }, (_, index) => COUPONS.getByName(String(index)));
    if (request.method === "GET") {
      const counts = await Promise.all(connections.map((connection) => connection.calls()));
      return Response.json({ calls: counts.reduce((sum, count) => sum + count, 0) });
    }
    const [count = 0, laneCount = 0] = Array.from(new URL(request.url).pathname.matchAll(/\d+/g), Number);
    const lanes = Array.from({ length: laneCount }, (_, index) => LANE_OBJECTS.getByName(laneName(String(index), String(index))));
    const ways: readonly Pick<LaneCalls, "claim">[] = laneCount === 0 ? connections : lanes;
    const crowd = crypto.randomUUID();
    const claims = Array.from({ length: count }, async (_, index) => {
      const userId = `${crowd}-${index}`;
      const answer = await ways[Number(laneOf(userId, ways.length, null))]?.claim({ userId, key: null, attemptId: userId });
      return answer?.ok === true && answer.claim.userId === userId;
    });
    const isRight = (await Promise.all(claims)).every(Boolean);
    return new Response(null, { status: isRight ? 201 : 500 });
  },
} satisfies ExportedHandler<Env>;
