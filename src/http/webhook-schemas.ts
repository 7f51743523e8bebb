// The schemas of webhooks, by type. `payload` of src/webhooks/payload.ts makes them.

import * as z from "zod";

import type { TestMessage, WebhookEvent } from "../domain/webhook-events.ts";
import {
  AnyAmount,
  CouponNameText,
  holdFields,
  Position,
  receiptFields,
  Remaining,
  Seq,
  settingsFields,
  Time,
  UserIdText,
} from "./answer-schemas.ts";

const about = {
  coupon_name: CouponNameText,
  epoch: z.string().meta({ description: "Distinguishes coupons of the same name.", examples: ["9f1c2a5e-7d0b-4c3a-8e6f-1b2c3d4e5f60"] }),
  seq: Seq.meta({ description: "The coupon's event, in its history; of a milestone the last event before it.", examples: [182] }),
};
const actor = z
  .string()
  .nullable()
  .meta({ description: "The operator who caused it; null for a user and for time.", examples: ["alice"] });

const User = z.strictObject({ ...about, user_id: UserIdText, actor });
const Settings = z.strictObject({ ...about, ...settingsFields, remaining_amount: Remaining, actor });
const Closed = z.strictObject({ ...about, actor });
const Milestone = z.strictObject({
  ...about,
  amount: AnyAmount,
  remaining_amount: Remaining,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
});

/** When each message is sent, and its `data`. */
const MESSAGES = {
  "claim.granted": ["A user got a unit. The data is the receipt.", z.strictObject({ ...about, ...receiptFields, actor })],
  "claim.revoked": ["The operator took a claim back.", z.strictObject({ ...about, user_id: UserIdText, position: Position, actor })],
  "hold.created": ["A unit is kept for a user.", z.strictObject({ ...about, ...holdFields })],
  "hold.released": ["A hold was released before its end.", User],
  "hold.expired": ["A hold reached its end, and its unit returned to the stock.", User],
  "coupon.created": ["A coupon was created, with these settings.", Settings],
  "coupon.changed": ["The operator changed a coupon, or paused or resumed its sale. These are its settings from then on.", Settings],
  "coupon.archived": ["The operator closed a sale for good. All its holds ended.", Closed],
  "coupon.started": ["A sale entered its window.", Milestone],
  "coupon.reopened": ["A sale that was sold out or ended can sell again.", Milestone],
  "coupon.sold_out": ["The last unit was claimed or held, or the amount was lowered.", Milestone],
  "coupon.ended": ["A sale left its window, or was archived.", Milestone],
  "coupon.deleted": ["The operator deleted a coupon. Nothing follows of this epoch.", Closed],
  "webhook.test": ["The operator tests the endpoint.", z.strictObject({})],
} as const satisfies Record<WebhookEvent | TestMessage["type"], readonly [when: string, data: z.ZodType]>;
type Messages = typeof MESSAGES;
type Type = keyof Messages;

/** Every body as it is documented. */
export type DocumentedPayload = {
  [T in Type]: { readonly type: T; readonly timestamp: string; readonly data: z.output<Messages[T][1]> };
}[Type];

/** Each message with the schema of its body. */
export const WEBHOOKS = Object.entries(MESSAGES).map(([type, [when, data]]) => ({
  type,
  when,
  schema: z.strictObject({ type: z.literal(type), timestamp: Time.meta({ description: "When it happened." }), data }),
}));
