// The schemas of the answers about webhooks. Those of the webhooks themselves are in webhook-schemas.ts.

import * as z from "zod";

import { WEBHOOK_EVENTS } from "../domain/webhook-events.ts";
import { CouponNameText, Time } from "./answer-schemas.ts";
import * as requests from "./request-schemas.ts";

const webhookFields = {
  id: requests.WebhookId,
  url: z.string().meta({ examples: ["https://shop.example/webhooks"] }),
  events: z.array(z.enum(WEBHOOK_EVENTS)).readonly(),
  coupons: z
    .array(CouponNameText)
    .readonly()
    .nullable()
    .meta({ description: "The coupons whose events are sent; null is all.", examples: [null] }),
  paused: z.boolean().meta({ description: "Events wait until it is unpaused.", examples: [false] }),
  disabled_at: Time.nullable().meta({ description: "When the endpoint answered 410. Unpause it to enable it again.", examples: [null] }),
  created_at: Time,
  updated_at: Time,
};
const Secret = z
  .string()
  .meta({ description: "Verifies the signatures. No other answer has it.", examples: ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] });
export const WebhookAnswer = z.object(webhookFields);
export const WebhookSecretAnswer = z.object({ ...webhookFields, secret: Secret });
export const RotatedWebhookAnswer = z.object({
  ...webhookFields,
  secret: Secret,
  previous_secret_expires_at: Time.meta({ description: "Until then the secret before signs too." }),
});
export const WebhooksAnswer = z.object({
  webhooks: z.array(WebhookAnswer),
  next_after: z.string().nullable().meta({ description: "Send it as `after` for the next page; null on the last." }),
});
export const WebhookTestAnswer = z.object({
  delivered: z.boolean().meta({ description: "Whether the endpoint answered with 2xx.", examples: [true] }),
  status: z
    .int()
    .nullable()
    .meta({ description: "The status that it answered with; null without an answer.", examples: [204] }),
  duration_ms: z.int().meta({ examples: [42] }),
  error: z
    .string()
    .nullable()
    .meta({ description: "Why it was not delivered.", examples: [null] }),
});
