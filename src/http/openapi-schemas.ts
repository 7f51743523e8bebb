// The schemas of the OpenAPI document: those of refusals, and the names of all bodies.

import * as z from "zod";

import type { RefusalCode } from "../domain/refusals.ts";
import { DeliveryAnswer, FailingAnswer } from "./delivery-schemas.ts";
import * as answers from "./answer-schemas.ts";
import * as requests from "./request-schemas.ts";
import * as webhookAnswers from "./webhook-answer-schemas.ts";

/** The fields of every refusal. */
export const RefusalFields = z.object({
  error: z.string().meta({ description: "A sentence for a person: what is wrong, and what to do." }),
  code: z.string(),
  request_id: z.string().meta({ examples: ["5f0c3b1d9a7e2c48-1a"] }),
});

/** The further fields of some refusals, by code. */
export const REFUSAL_DETAILS: Partial<Record<RefusalCode, z.ZodObject>> = {
  invalid_request: z.object({
    fields: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "The fault of each field.", examples: [{ user_id: "is required" }] }),
  }),
  already_claimed: z.object({ claim: answers.ReceiptAnswer.meta({ description: "The claim that this user has." }) }),
  claim_released: z.object({ claim: answers.ReceiptAnswer.meta({ description: "The revoked claim." }) }),
  position_mismatch: z.object({ claim: answers.ReceiptAnswer.meta({ description: "The claim that this user has." }) }),
  sale_not_started: z.object({ starts_at: answers.Time }),
  amount_below_claimed: z.object({ amount_min: z.int().meta({ description: "The lowest amount that is allowed.", examples: [182] }) }),
  hold_too_long: z.object({ ttl_seconds_max: z.int().meta({ description: "The longest hold that this coupon allows.", examples: [900] }) }),
  rate_limited: z.object({ retry_after: z.int().meta({ description: "Seconds.", examples: [10] }) }),
};

/** The named schemas of the OpenAPI document. */
export const NAMED_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  CreateCouponRequest: requests.CreateCouponBody,
  ChangeCouponRequest: requests.ChangeCouponBody,
  ClaimRequest: requests.ClaimBody,
  BulkClaimRequest: requests.BulkClaimBody,
  HoldRequest: requests.HoldBody,
  CreateWebhookRequest: requests.CreateWebhookBody,
  ChangeWebhookRequest: requests.ChangeWebhookBody,
  Coupon: answers.CouponAnswer,
  CouponList: answers.CouponsAnswer,
  Receipt: answers.ReceiptAnswer,
  GrantedClaim: answers.ClaimAnswer,
  BulkClaim: answers.BulkClaimAnswer,
  Hold: answers.HoldAnswer,
  HoldList: answers.HoldsAnswer,
  ReleasedHolds: answers.ReleasedHoldsAnswer,
  UserClaim: answers.UserClaimAnswer,
  RevokedClaim: answers.RevokedClaimAnswer,
  ClaimList: answers.ClaimsAnswer,
  UserClaimList: answers.WalletAnswer,
  Erasure: answers.ErasedAnswer,
  History: answers.HistoryAnswer,
  Timeline: answers.TimelineAnswer,
  CouponMetrics: answers.MetricsAnswer,
  Delivery: DeliveryAnswer,
  FailingDelivery: FailingAnswer,
  Status: answers.StatusAnswer,
  Webhook: webhookAnswers.WebhookAnswer,
  WebhookWithSecret: webhookAnswers.WebhookSecretAnswer,
  RotatedWebhook: webhookAnswers.RotatedWebhookAnswer,
  WebhookList: webhookAnswers.WebhooksAnswer,
  WebhookTest: webhookAnswers.WebhookTestAnswer,
  Health: answers.HealthAnswer,
  Unhealthy: answers.UnhealthyAnswer,
};
