// All mutations: one for each mechanism that a promise rests on.

import { COUPON_MUTATIONS } from "./list/coupon.ts";
import { DELIVERY_MUTATIONS } from "./list/delivery.ts";
import { ERASURE_MUTATIONS } from "./list/erasure.ts";
import { WORKER_MUTATIONS } from "./list/worker.ts";
import type { Mutation } from "./mutation.ts";

export const MUTATIONS: readonly Mutation[] = [...COUPON_MUTATIONS, ...WORKER_MUTATIONS, ...DELIVERY_MUTATIONS, ...ERASURE_MUTATIONS];
