// Reads the snapshot of a sale in the form of `/status`, as the page's script gets it.

import { SALE_STATES, type Instant } from "../domain/coupon.ts";
import type { SaleFacts } from "./sale-view.ts";

export type SaleStatus = { readonly facts: SaleFacts; readonly seq: number; readonly epoch: string; readonly serverTime: Instant };

/** Returns the snapshot in a JSON text, or null if the text is none. */
export function statusIn(json: string): SaleStatus | null {
  const value = objectIn(json);
  const at = (name: string): Instant | null => Date.parse(String(value[name])) || null;
  const state = SALE_STATES.find((one) => one === value["state"]);
  const [amount, remaining, held, seq, epoch, serverTime] = [
    value["amount"],
    value["remaining_amount"],
    value["held_amount"],
    value["seq"],
    value["epoch"],
    at("server_time"),
  ];
  if (state === undefined || serverTime === null || typeof epoch !== "string") return null;
  if (typeof amount !== "number" || typeof remaining !== "number" || typeof held !== "number" || typeof seq !== "number") return null;
  return { facts: { state, amount, remaining, held, startsAt: at("starts_at"), endsAt: at("ends_at") }, seq, epoch, serverTime };
}

/** Returns the fields of the JSON object in a text. Any other text has none. */
export function objectIn(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
