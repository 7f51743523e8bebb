// The schemas of answers. They type the answers, and they are a part of the OpenAPI document.

import * as z from "zod";

import { BULK_OUTCOMES, CLAIM_OUTCOMES } from "../domain/claim-counts.ts";
import { SALE_STATES } from "../domain/coupon.ts";
import { EVENT_KINDS } from "../domain/ledger-event.ts";
import { AMOUNT_MAX, HOLD_TTL_SECONDS_MAX, HOLD_TTL_SECONDS_MIN } from "../domain/limits.ts";

export const CouponNameText = z.string().meta({ examples: ["PROMO_SUPER"] });
export const UserIdText = z.string().meta({ examples: ["user_12345"] });
export const Time = z.iso.datetime().meta({ description: "UTC with milliseconds.", examples: ["2026-11-27T09:00:00.000Z"] });
export const Position = z
  .int()
  .min(1)
  .meta({ description: "1-based order in which the claim was granted. Never used twice.", examples: [182] });
export const Remaining = z
  .int()
  .min(0)
  .meta({ examples: [318] });
export const AnyAmount = z
  .int()
  .min(1)
  .max(AMOUNT_MAX)
  .meta({ examples: [500] });
const HeldAmount = z
  .int()
  .min(0)
  .meta({ description: "Units that users hold.", examples: [0] });
const Count = z
  .int()
  .min(0)
  .meta({ examples: [1] });

export const Seq = z
  .int()
  .min(1)
  .meta({ examples: [182] });

const State = z.enum(SALE_STATES).meta({ examples: ["open"] });

const Text = z
  .string()
  .nullable()
  .meta({ examples: [null] });

export const settingsFields = {
  amount: AnyAmount,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  paused: z.boolean().meta({ examples: [false] }),
  hold_seconds_max: z
    .int()
    .min(HOLD_TTL_SECONDS_MIN)
    .max(HOLD_TTL_SECONDS_MAX)
    .meta({ examples: [900] }),
  holds_max: z
    .int()
    .min(0)
    .nullable()
    .meta({ examples: [null] }),
  title: Text,
  description: Text,
  image_url: Text,
};

export const CouponAnswer = z.object({
  name: CouponNameText,
  ...settingsFields,
  remaining_amount: Remaining,
  state: State,
  held_amount: HeldAmount,
  created_at: Time,
  claimed_by: z
    .array(UserIdText)
    .readonly()
    .optional()
    .meta({ description: "All users with a claim, in claim order. For the operator alone." }),
});

const AsOf = Time.nullable().meta({ description: "When the newest event reached the database; null before the first one did." });
const NextName = z.string().nullable().meta({ description: "Send it as `after` for the next page; null on the last." });
export const CouponsAnswer = z.object({
  coupons: z.array(
    CouponAnswer.omit({ claimed_by: true }).extend({
      claimed_amount: Count,
      as_of: Time.meta({ description: "When its counters were read; `state` is of now." }),
    }),
  ),
  next_after: NextName,
  as_of: AsOf,
});

export const TimelineAnswer = z.object({
  coupon_name: CouponNameText,
  bucket_seconds: z
    .int()
    .min(1)
    .meta({ description: "The length of each bucket.", examples: [5] }),
  buckets: z.array(
    z.object({
      at: Time.meta({ description: "Its beginning." }),
      granted: Count.meta({ description: "Claims that were granted in it." }),
      revoked: Count.meta({ description: "Claims that were revoked in it.", examples: [0] }),
    }),
  ),
  as_of: AsOf,
});

/** One event of the ledger. The optional fields depend on its kind. */
const Event = z.object({
  seq: Seq,
  at: Time,
  kind: z.enum(EVENT_KINDS).meta({
    description: "`released` is a revoked claim, `given_back` a released hold, `erased` the erasure of a user.",
    examples: ["claimed"],
  }),
  actor: z
    .string()
    .nullable()
    .meta({ description: "The operator who caused it; null for a user and for time.", examples: ["alice"] }),
  user_id: UserIdText.nullable(),
  position: Position.nullable(),
  ...z.object(settingsFields).partial().shape,
  expires_at: Time.optional(),
});
export const HistoryAnswer = z.object({
  events: z.array(Event),
  next_after: z.int().nullable().meta({ description: "Send it as `after` for the next page; null on the last." }),
});

export const receiptFields = { coupon_name: CouponNameText, user_id: UserIdText, position: Position, claimed_at: Time };
export const ReceiptAnswer = z.object(receiptFields);

export const WalletAnswer = z.object({
  claims: z.array(z.object({ ...receiptFields, state: State })),
  next_after: NextName,
  as_of: AsOf,
});

export const ErasedAnswer = z.object({
  erased_count: Count.meta({ description: "Coupons in which this request put the pseudonym in the place of the id." }),
  next_after: NextName,
  as_of: AsOf,
});

export const ClaimAnswer = z.object({
  ...receiptFields,
  remaining_amount: Remaining.meta({ description: "Units that were left once this claim was granted." }),
});

export const BulkClaimAnswer = z.object({
  coupon_name: CouponNameText,
  granted_count: Count.meta({ description: "Units that this request gave out; replays are not among them." }),
  remaining_amount: Remaining,
  results: z
    .array(
      z.object({
        user_id: UserIdText,
        outcome: z
          .enum(BULK_OUTCOMES)
          .meta({ description: "granted, replayed, or the code of the refusal that a single claim would get." }),
        position: Position.optional(),
        claimed_at: Time.optional(),
      }),
    )
    .meta({ description: "One for each user id, in the order of the request; with position and claimed_at where the user has a claim." }),
});

export const holdFields = { coupon_name: CouponNameText, user_id: UserIdText, held_at: Time, expires_at: Time };
export const HoldAnswer = z.object({ ...holdFields, remaining_amount: Remaining });
export const HoldsAnswer = z.object({
  holds: z.array(z.object(holdFields)),
  next: z.string().nullable().meta({ description: "Send it as `after` for the next page; null on the last." }),
});
export const ReleasedHoldsAnswer = z.object({
  coupon_name: CouponNameText,
  ended_count: Count.meta({ description: "Holds that this request released." }),
  remaining_amount: Remaining,
});
export const UserClaimAnswer = z
  .union([ReceiptAnswer, z.object(holdFields)])
  .meta({ description: "The user's claim, or the running hold." });

export const RevokedClaimAnswer = z.object({ ...receiptFields, released_at: Time, remaining_amount: Remaining });

export const ClaimsAnswer = z.object({
  claims: z.array(ReceiptAnswer),
  next: z.int().nullable().meta({ description: "Send it as `after` for the next page; null on the last." }),
});

export const Epoch = z
  .string()
  .meta({ description: "Distinguishes coupons of the same name.", examples: ["9f1c2a5e-7d0b-4c3a-8e6f-1b2c3d4e5f60"] });

export const StatusAnswer = z.object({
  name: CouponNameText,
  state: State,
  amount: AnyAmount,
  remaining_amount: Remaining,
  held_amount: HeldAmount,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  server_time: Time,
  seq: Seq,
  epoch: Epoch,
});

export const MetricsAnswer = z.object({
  coupon_name: CouponNameText,
  outcomes: z.record(z.enum(CLAIM_OUTCOMES), Count).meta({
    description: "Claims by how they ended, since the coupon was created: `granted`, `replayed`, or the code of the refusal.",
    examples: [Object.fromEntries(CLAIM_OUTCOMES.map((outcome) => [outcome, 1]))],
  }),
  claimed_amount: Count.meta({ description: "Units that users have now." }),
  held_amount: HeldAmount,
  remaining_amount: Remaining,
});

const Check = z.object({
  status: z.enum(["healthy", "failed"]),
  duration_ms: z
    .int()
    .min(0)
    .meta({ examples: [9] }),
});
const checks = z.object({ coupons: Check, database: Check.optional() }).meta({ description: "With `deep`: what answered." });
export const HealthAnswer = z.object({ status: z.literal("healthy"), server_time: Time, checks: checks.optional() });
export const UnhealthyAnswer = z.object({ status: z.literal("unhealthy"), server_time: Time, checks });

/** A body that is not JSON. */
export const TextAnswer = z.string();
