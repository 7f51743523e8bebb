// What a run has to reach, by the names of its counts: a rule that never applies is not tested.

import type { Counts } from "./totals.ts";

const named = (kind: string, names: string): string[] => names.split(" ").map((name) => `${kind}.${name}`);

export const FEATURES: readonly string[] = [
  ...named(
    "asked",
    "create read change claim claim_many hold give_back end_holds holds own erase release page backup restore metrics archive remove status view",
  ),
  ...named("event", "created changed claimed released held given_back expired archived erased removed"),
  ...named(
    "answered",
    "ok coupon_exists coupon_not_found already_claimed idempotency_key_reused claim_released hold_too_long hold_limit_reached sale_ended",
  ),
  ...named(
    "answered",
    "sale_not_started sale_paused out_of_stock claim_not_found position_mismatch amount_below_claimed coupon_archived precondition_failed",
  ),
  ...named("answered", "invalid_request unavailable outcome_unknown"),
  ...named("network", "request_lost turned_away answer_lost late silent duplicate"),
  ...named("faults", "throw crash eviction powerCut lostWrites flush"),
  ...named("certificate", "out_of_stock sale_ended sale_not_started sale_paused"),
  ...named("lease", "deferred restartWithin bypassByKey"),
  ...named("flushes", "several slow"),
  ...named("retries", "worker client"),
  ...named("clock", "setBack isolateSetBack"),
  ...named("delivery", "notice deliver d1 outbox forget webhook rebuild alarm crash powerCut lost answer_lost slow hangs"),
  ...named("delivery", "status200 status410 status500"),
  ...named("message", "claim.granted claim.revoked hold.created hold.released hold.expired coupon.created coupon.changed coupon.archived"),
  ...named("message", "coupon.started coupon.reopened coupon.sold_out coupon.ended coupon.deleted"),
  ...named("lanes", "message flush several hint pause lost answer_lost silent twice end"),
  ...named("erased", "claimed held released given_back expired key later again departed"),
  ...named("restored", "created claimed held released given_back expired changed archived erased inParts goesOn"),
  "answers.edge",
  "visitors.left",
  "alarms",
  "batches",
];

/** The number of histories from which on a run has to reach all of them. */
export const FEATURES_FROM = 20_000;

/** The features that a run did not reach. */
export function missedFeatures(counts: Counts): string[] {
  return FEATURES.filter((name) => (counts[name] ?? 0) === 0);
}
