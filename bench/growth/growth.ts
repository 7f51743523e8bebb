// What is measured beside the rows: lanes, a coupon that grows, and a server with many coupons.

import { measureColdStart } from "./cold-start.ts";
import { measureDelivery } from "./delivery.ts";
import { measureLargeRead } from "./large-read.ts";
import { measureManyCoupons } from "./many-coupons.ts";
import { measureSizes } from "./sizes.ts";
import { measureLaneLatency } from "../lanes/latency.ts";
import { measureObjectCost, WAYS } from "../lanes/object-cost.ts";
import type { GrowthRecord } from "../record.ts";
import type { Lab } from "../systems/system.ts";

export type Growth = {
  readonly name: string;
  /** The lines of its table. `--rows` takes them as its name. */
  readonly rows?: readonly string[];
  /** For `--help`. */
  readonly about: string;
  readonly measure: (lab: Lab) => Promise<GrowthRecord>;
};

/** In the order in which they are measured. */
export const GROWTH: readonly Growth[] = [
  {
    name: "lanes",
    rows: WAYS.map(({ name }) => name),
    about: `CPU of the coupon's object for each claim: ${WAYS.map(({ name }) => name).join(", ")}`,
    measure: measureObjectCost,
  },
  { name: "lane-latency", about: "a claim at 1 and 4 connections, directly and through lanes", measure: measureLaneLatency },
  { name: "growth", about: "a claim of a coupon that has 1,000 to 1,000,000 claims already", measure: measureSizes },
  {
    name: "cold-start",
    about: "the first claim of a coupon with 1,000,000 claims, or none, whose object has to start",
    measure: measureColdStart,
  },
  { name: "large-read", about: "memory for reading a coupon with 100,000 claimants, ten times", measure: measureLargeRead },
  { name: "delivery", about: "60,000 bulk claims with delivery and without, and the read model's delay", measure: measureDelivery },
  { name: "many-coupons", about: "open files and memory with 1 to 10,000 coupons", measure: measureManyCoupons },
];
