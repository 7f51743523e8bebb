// The schemas of webhooks, by type. `payload` of src/webhooks/payload.ts makes them.

import * as z from "zod";

import { WHEN_SENT, type TestMessage, type WebhookEvent } from "../domain/webhook-events.ts";
import {
  AnyAmount,
  CouponNameText,
  Epoch,
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
  epoch: Epoch,
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

/** The `data` of each message. */
const DATA = {
  "claim.granted": z.strictObject({ ...about, ...receiptFields, actor }),
  "claim.revoked": z.strictObject({ ...about, user_id: UserIdText, position: Position, actor }),
  "hold.created": z.strictObject({ ...about, ...holdFields }),
  "hold.released": User,
  "hold.expired": User,
  "coupon.created": Settings,
  "coupon.changed": Settings,
  "coupon.archived": Closed,
  "coupon.started": Milestone,
  "coupon.reopened": Milestone,
  "coupon.sold_out": Milestone,
  "coupon.ended": Milestone,
  "coupon.deleted": Closed,
  "webhook.test": z.strictObject({}),
} as const satisfies Record<WebhookEvent | TestMessage["type"], z.ZodType>;
type Type = keyof typeof DATA;

/** Every body as it is documented. */
export type DocumentedPayload = {
  [T in Type]: { readonly type: T; readonly timestamp: string; readonly data: z.output<(typeof DATA)[T]> };
}[Type];

const WHEN: Readonly<Record<string, string>> = { ...WHEN_SENT, "webhook.test": "The operator tests the endpoint." };

/** Each message with the schema of its body. */
export const WEBHOOKS = Object.entries(DATA).map(([type, data]) => ({
  type,
  when: WHEN[type] ?? "",
  schema: z.strictObject({ type: z.literal(type), timestamp: Time.meta({ description: "When it happened." }), data }),
}));
