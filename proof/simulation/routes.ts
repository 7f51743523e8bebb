// The Worker's routes without HTTP: each asks the object as the route of the product does, by the product's own means.

import type { CouponCalls, Cursor } from "../../src/domain/messages.ts";
import type { CallEffect, CallFailure } from "../../src/edge/coupon-calls.ts";
import type { RefusedAtEdge } from "../../src/edge/sold-out.ts";
import type { Result } from "./answers.ts";
import { Stub, type Network, type Request } from "./network.ts";
import type { Ask, AskStep } from "./plan.ts";
import type { Edge } from "./product.ts";

/** What a client is told. */
export type Told = Result | CallFailure | RefusedAtEdge;

/** What a client goes by that it was told before: the tag of a coupon, and where a list goes on. */
export type Remembered = { readonly ifMatch: string | null; readonly cursor: Cursor };

type Call = <Answered extends Result>(
  effect: CallEffect,
  send: (coupon: CouponCalls) => Promise<Answered>,
) => Promise<Answered | CallFailure>;

export class Routes {
  readonly #network: Network;
  readonly #edge: Edge;
  readonly #name: string;
  readonly #isEdgeOn: boolean;

  constructor(network: Network, edge: Edge, name: string, isEdgeOn: boolean) {
    this.#network = network;
    this.#edge = edge;
    this.#name = name;
    this.#isEdgeOn = isEdgeOn;
  }

  send({ ask, isolate }: AskStep, request: Request, attemptId: string, { ifMatch, cursor }: Remembered): Promise<Told> {
    const { callCoupon, judged, lookAt } = this.#edge;
    const coupons = { idFromName: (text: string) => ({ name: text }), get: () => new Stub(this.#network, request) };
    const env = { COUPONS: coupons, SOLD_OUT_CACHE: this.#isEdgeOn ? "on" : "off", REQUEST_LOG: "off" };
    // Each isolate knows the object by a name of its own: what they remember of it is kept by name.
    const name = isolate === 0 ? this.#name : `${this.#name} elsewhere`;
    const call: Call = (effect, send) => callCoupon(coupons, name, send, effect);
    switch (ask.kind) {
      case "claim": {
        const { userId, key } = ask;
        return judged(env, name, userId, key, (coupon, wish) => coupon.claim({ userId, key, attemptId }, wish));
      }
      case "hold": {
        const { userId, ttlMs } = ask;
        return judged(env, name, userId, null, (coupon, wish) => coupon.hold({ userId, ttlMs, attemptId }, wish), false);
      }
      case "read":
        return lookAt(coupons, name, (coupon) => coupon.read({ claimedBy: true }));
      case "own":
        return lookAt(coupons, name, (coupon) => coupon.own(ask.userId), { userId: ask.userId });
      case "page":
        return lookAt(coupons, name, (coupon) => coupon.page(cursor, ask.limit));
      case "metrics":
        return lookAt(coupons, name, (coupon) => coupon.metrics());
      default:
        return changed(call, this.#name, ask, attemptId, ifMatch).then((result) => {
          this.#edge.forgetSoldOut(name);
          return result;
        });
    }
  }
}

function changed(
  call: Call,
  name: string,
  ask: Extract<Ask, { readonly kind: "create" | "change" | "claim_many" | "give_back" | "release" | "remove" }>,
  attemptId: string,
  ifMatch: string | null,
): Promise<Told> {
  switch (ask.kind) {
    case "create": {
      const { amount, startsAt, endsAt } = ask;
      return call("once", (coupon) => coupon.create({ name, amount, startsAt, endsAt }));
    }
    case "change": {
      const { kind: _kind, isGuarded: _isGuarded, ...change } = ask;
      return call(ifMatch === null ? "repeatable" : "once", (coupon) => coupon.change(change, ifMatch));
    }
    case "claim_many":
      return call("repeatable", (coupon) => coupon.claimMany(ask.userIds, attemptId));
    case "give_back":
      return call("once", (coupon) => coupon.giveBack(ask.userId));
    case "release": {
      const { userId, position } = ask;
      return call(position === null ? "once" : "repeatable", (coupon) => coupon.release({ userId, position }));
    }
    default:
      return call("once", (coupon) => coupon.remove());
  }
}
