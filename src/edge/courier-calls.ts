// Calls of a coupon's courier.

import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { CourierCalls } from "../domain/rpc.ts";
import type { CallFailure } from "./coupon-calls.ts";
import type { Bindings } from "./env.ts";
import { pause } from "./time.ts";

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
  const failure = (cause: unknown): CallFailure => ({ ok: false, code: effect === "read" ? "unavailable" : "outcome_unknown", cause });
  if (COURIERS === undefined) return { ok: false, code: "unavailable", cause: "no courier is bound" };
  const calling = call(COURIERS.get(COURIERS.idFromName(name))).then((value) => ({ ok: true, value }) as const);
  const deadline = pause(CALL_DEADLINE_MS).then(() => failure(`no answer in ${CALL_DEADLINE_MS} ms`));
  return Promise.race([calling, deadline]).catch(failure);
}
