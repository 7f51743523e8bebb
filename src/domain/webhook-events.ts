// The events that webhooks carry.

import type { Instant } from "./coupon.ts";

/** The types of messages that an endpoint can receive. */
export const WEBHOOK_EVENTS = [
  "claim.granted",
  "claim.revoked",
  "hold.created",
  "hold.released",
  "hold.expired",
  "coupon.created",
  "coupon.changed",
  "coupon.archived",
  "coupon.started",
  "coupon.reopened",
  "coupon.sold_out",
  "coupon.ended",
  "coupon.deleted",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** The message with which the operator tests an endpoint. */
export type TestMessage = { readonly id: string; readonly type: "webhook.test"; readonly at: Instant };
