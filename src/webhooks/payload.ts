// The body of a webhook. src/http/webhook-schemas.ts has its schemas.

import { assert } from "../domain/assert.ts";
import { remaining } from "../domain/coupon.ts";
import type { TestMessage, WebhookFacts, WebhookMessage } from "../domain/webhook-events.ts";
import { hold, instant, instantOrNull, receipt, settings } from "../wire.ts";

export type WebhookPayload = ReturnType<typeof payload>;

/** Returns the body of a message. `timestamp` is the instant of its event, not of its delivery. */
export function payload(message: WebhookMessage | TestMessage) {
  const timestamp = instant(message.at);
  if (message.type === "webhook.test") return { type: message.type, timestamp, data: {} };
  const { type, at, data } = message;
  const { couponName, epoch, seq, actor, expiresAt } = data;
  const subject = { coupon_name: couponName, epoch, seq };
  switch (type) {
    case "claim.granted":
      return { type, timestamp, data: { ...receipt(couponName, { ...claimOf(data), claimedAt: at }), epoch, seq, actor } };
    case "claim.revoked": {
      const { userId, position } = claimOf(data);
      return { type, timestamp, data: { ...subject, user_id: userId, position, actor } };
    }
    case "hold.created":
      assert(expiresAt !== undefined, "a hold expires");
      return { type, timestamp, data: { ...hold(couponName, { userId: userOf(data), heldAt: at, expiresAt }), epoch, seq } };
    case "hold.released":
    case "hold.expired":
      return { type, timestamp, data: { ...subject, user_id: userOf(data), actor } };
    case "coupon.created":
    case "coupon.changed":
      assert(data.settings !== undefined, "a change has the settings");
      return { type, timestamp, data: { ...subject, ...settings(data.settings), remaining_amount: remaining(data.sale), actor } };
    case "coupon.archived":
    case "coupon.deleted":
      return { type, timestamp, data: { ...subject, actor } };
    default:
      return { type, timestamp, data: { ...subject, ...saleFields(data) } };
  }
}

function saleFields({ sale }: WebhookFacts) {
  const { amount, startsAt, endsAt } = sale;
  return { amount, remaining_amount: remaining(sale), starts_at: instantOrNull(startsAt), ends_at: instantOrNull(endsAt) };
}

function userOf({ userId }: WebhookFacts): string {
  assert(userId !== null, "a claim and a hold have a user");
  return userId;
}

function claimOf(facts: WebhookFacts): { readonly userId: string; readonly position: number } {
  assert(facts.position !== null, "a claim has a position");
  return { userId: userOf(facts), position: facts.position };
}
