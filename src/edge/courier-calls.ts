// Calls of a coupon's courier.

import { withDeadline } from "../deadline.ts";
import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { CourierCalls } from "../domain/rpc.ts";
import type { CallFailure } from "./coupon-calls.ts";
import type { Bindings } from "./env.ts";

/**
 * Calls the courier of the coupon `name`. Returns its answer, or the failure. Never throws. Every call can be repeated,
 * so the caller decides whether to try again.
 */
export async function callCourier<Result>(
  { COURIERS }: Pick<Bindings, "COURIERS">,
  name: string,
  call: (courier: CourierCalls) => Promise<Result>,
  effect: "read" | "repeatable",
): Promise<{ readonly ok: true; readonly value: Result } | CallFailure> {
  if (COURIERS === undefined) return { ok: false, code: "unavailable", cause: "no courier is bound" };
  try {
    return { ok: true, value: await withDeadline(call(COURIERS.get(COURIERS.idFromName(name))), CALL_DEADLINE_MS) };
  } catch (cause) {
    return { ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause };
  }
}

/** Wakes the couriers of these coupons, so that they look for work. One that can't be reached looks by itself later. */
export async function wakeCouriers(env: Pick<Bindings, "COURIERS">, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => callCourier(env, name, (courier) => courier.notify(), "repeatable")));
}
