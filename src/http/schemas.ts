// What goes in and out over HTTP, as zod schemas: the parsers of requests and the source of the OpenAPI document.

import * as z from "zod";

import {
  AMOUNT_MAX,
  BULK_CLAIMS_MAX,
  HOLD_SECONDS_MAX_DEFAULT,
  HOLD_TTL_SECONDS_MAX,
  HOLD_TTL_SECONDS_MIN,
  TEXT_CODE_POINTS_MAX,
} from "../domain/limits.ts";
import { OUTCOMES } from "../domain/claim-counts.ts";
import { REFUSAL_CODES } from "../domain/refusals.ts";
import { nameFault, textFault, type TextFault } from "../domain/names.ts";

const TEXT_ERRORS = {
  empty: "is required",
  blank: "cannot be whitespace only",
  too_long: `exceeds maximum length of ${TEXT_CODE_POINTS_MAX}`,
  malformed: "is invalid",
} as const satisfies Record<TextFault, string>;

/** What a field of the wrong type is told; JSON's null counts as missing. */
const absentOrInvalid = {
  error: (issue: { readonly input?: unknown }) => (issue.input === undefined || issue.input === null ? "is required" : "is invalid"),
};

function text(faultOf: (value: string) => TextFault | null, description: string) {
  return z
    .string(absentOrInvalid)
    .check(({ value, issues }) => {
      const fault = faultOf(value);
      if (fault !== null) issues.push({ code: "custom", message: TEXT_ERRORS[fault], input: value });
    })
    .meta({ description, minLength: 1, maxLength: TEXT_CODE_POINTS_MAX });
}

/** A coupon's public name, as it may stand in a body. */
export const CouponName = text(nameFault, "The coupon's public name, compared exactly as given.").meta({ examples: ["PROMO_SUPER"] });

/** Who claims. */
export const UserId = text(textFault, "Who claims: an opaque string, compared exactly as given.").meta({ examples: ["user_12345"] });

const Amount = z
  .number(absentOrInvalid)
  .check(({ value, issues }) => {
    if (value < 1) issues.push({ code: "custom", message: "must be at least 1", input: value });
    else if (!Number.isInteger(value) || value > AMOUNT_MAX) issues.push({ code: "custom", message: "is invalid", input: value });
  })
  .meta({ description: "Units ever put on offer.", type: "integer", minimum: 1, maximum: AMOUNT_MAX });

// What RFC 3339 can write in UTC, and so what can be answered: the years 0000 to 9999.
const INSTANT_MIN = Date.parse("0000-01-01T00:00:00.000Z");
const INSTANT_MAX = Date.parse("9999-12-31T23:59:59.999Z");
const rfc3339 = z.iso.datetime({ offset: true });

/** Epoch milliseconds of an RFC 3339 instant, or NaN. Its `T` and `Z` may be lower-case (RFC 3339, 5.6). */
function epochMs(written: string): number {
  const upper = written.toUpperCase();
  const at = rfc3339.safeParse(upper).success ? Date.parse(upper) : NaN;
  return at >= INSTANT_MIN && at <= INSTANT_MAX ? at : NaN;
}

/** An instant with an offset, parsed to epoch milliseconds; null where it is no end. */
const SettableInstant = z
  .string("is invalid")
  .check(({ value, issues }) => {
    if (Number.isNaN(epochMs(value))) issues.push({ code: "custom", message: "is invalid", input: value });
  })
  .meta({
    description: "RFC 3339 with an offset; null is no such end of the window.",
    format: "date-time",
    examples: ["2026-11-27T09:00:00Z"],
  })
  .transform(epochMs)
  .nullable();
const OptionalInstant = SettableInstant.optional().transform((value) => value ?? null);

function integer(min: number, max: number, description: string) {
  return z
    .number(absentOrInvalid)
    .check(({ value, issues }) => {
      const isFine = Number.isInteger(value) && value >= min && value <= max;
      if (!isFine) issues.push({ code: "custom", message: "is invalid", input: value });
    })
    .meta({ description, type: "integer", minimum: min, maximum: max });
}

const HoldSecondsMax = integer(
  HOLD_TTL_SECONDS_MIN,
  HOLD_TTL_SECONDS_MAX,
  `Longest time that a unit may be held, in seconds; ${HOLD_SECONDS_MAX_DEFAULT} unless set.`,
);
const HoldsMax = integer(0, AMOUNT_MAX, "Most holds that may run at once; null is no such limit.").nullable();

/** The body of `POST /api/coupons`. */
export const CreateCouponBody = z
  .object({
    name: CouponName,
    amount: Amount,
    starts_at: OptionalInstant,
    ends_at: OptionalInstant,
    hold_seconds_max: HoldSecondsMax.default(HOLD_SECONDS_MAX_DEFAULT),
    holds_max: HoldsMax.default(null),
  })
  .check(({ value, issues }) => {
    const { starts_at: startsAt, ends_at: endsAt } = value;
    const isEmpty = typeof startsAt === "number" && typeof endsAt === "number" && endsAt <= startsAt;
    if (isEmpty) issues.push({ code: "custom", path: ["ends_at"], message: "is invalid", input: value });
  })
  .meta({ description: "Unknown fields are ignored." });

/** The body of `PATCH /api/coupons/{name}`. */
export const ChangeCouponBody = z
  .object({
    amount: Amount.optional(),
    starts_at: SettableInstant.optional(),
    ends_at: SettableInstant.optional(),
    paused: z.boolean(absentOrInvalid).optional(),
    hold_seconds_max: HoldSecondsMax.optional(),
    holds_max: HoldsMax.optional(),
  })
  .meta({ description: "Every field is absolute; what is absent stays as it is. Unknown fields are ignored." });

const TtlSeconds = integer(HOLD_TTL_SECONDS_MIN, HOLD_TTL_SECONDS_MAX, "How long the unit is kept: at most the coupon's hold_seconds_max.");

/** The body of `POST /api/coupons/{name}/holds`. */
export const HoldBody = z.object({ user_id: UserId, ttl_seconds: TtlSeconds }).meta({ description: "Unknown fields are ignored." });

/** The body of `POST /api/coupons/claim`. */
export const ClaimBody = z.object({ user_id: UserId, coupon_name: CouponName }).meta({ description: "Unknown fields are ignored." });

/** The body of `POST /api/coupons/{name}/claims`. */
export const BulkClaimBody = z
  .object({
    user_ids: z.array(UserId, absentOrInvalid).min(1, "is required").max(BULK_CLAIMS_MAX, `exceeds maximum length of ${BULK_CLAIMS_MAX}`),
  })
  .meta({ description: "Unknown fields are ignored." });

const Time = z.iso.datetime().meta({ description: "UTC with milliseconds." });
const Position = z.int().min(1).meta({ description: "1-based order in which the claim was granted. Never used twice." });
const Remaining = z.int().min(0);
const HeldAmount = z.int().min(0).meta({ description: "Units that are kept for users who hold them." });

/** The states of a sale; where several fit, the first is told. */
const State = z.enum(["ended", "scheduled", "paused", "sold_out", "open"]);

export const CouponAnswer = z.object({
  name: z.string(),
  amount: z.int().min(1).max(AMOUNT_MAX),
  remaining_amount: Remaining,
  state: State,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  paused: z.boolean(),
  held_amount: HeldAmount,
  hold_seconds_max: z.int().min(HOLD_TTL_SECONDS_MIN).max(HOLD_TTL_SECONDS_MAX),
  holds_max: z.int().min(0).nullable(),
  created_at: Time,
  claimed_by: z.array(z.string()).optional().meta({ description: "All who hold a claim, in claim order. Only the operator is shown it." }),
});

const receiptFields = { coupon_name: z.string(), user_id: z.string(), position: Position, claimed_at: Time };
export const ReceiptAnswer = z.object(receiptFields);

export const ClaimAnswer = z.object({
  ...receiptFields,
  remaining_amount: Remaining.meta({ description: "Units that were left once this claim was granted." }),
});

export const BulkClaimAnswer = z.object({
  coupon_name: z.string(),
  granted_count: z.int().min(0).meta({ description: "Units that this request gave out; replays are not among them." }),
  remaining_amount: Remaining,
  results: z
    .array(
      z.object({
        user_id: z.string(),
        outcome: z.enum(OUTCOMES).meta({ description: "granted, replayed, or the code of the refusal that a single claim would get." }),
        position: Position.optional(),
        claimed_at: Time.optional(),
      }),
    )
    .meta({ description: "One for each user id, in the order of the request; with position and claimed_at where the user has a claim." }),
});

const holdFields = { coupon_name: z.string(), user_id: z.string(), held_at: Time, expires_at: Time };
export const HoldAnswer = z.object({ ...holdFields, remaining_amount: Remaining });
export const HoldsAnswer = z.object({
  holds: z.array(z.object(holdFields)),
  next: z.string().nullable().meta({ description: "What to send as `after` for the next page; null on the last." }),
});
export const EndedHoldsAnswer = z.object({
  coupon_name: z.string(),
  ended_count: z.int().min(0).meta({ description: "Holds that this request ended." }),
  remaining_amount: Remaining,
});
export const OwnAnswer = z.union([ReceiptAnswer, z.object(holdFields)]).meta({ description: "The user's claim, or the hold that runs." });

export const ReleaseAnswer = z.object({ ...receiptFields, released_at: Time, remaining_amount: Remaining });

export const ClaimsAnswer = z.object({
  claims: z.array(ReceiptAnswer),
  next: z.int().nullable().meta({ description: "What to send as `after` for the next page; null on the last." }),
});

export const StatusAnswer = z.object({
  name: z.string(),
  state: State,
  amount: z.int().min(1).max(AMOUNT_MAX),
  remaining_amount: Remaining,
  held_amount: HeldAmount,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  server_time: Time,
  seq: z.int().min(1),
});

export const HealthAnswer = z.object({ status: z.literal("healthy"), server_time: Time });

export const RefusalAnswer = z.object({
  error: z.string().meta({ description: "A sentence for a person." }),
  code: z.enum(REFUSAL_CODES),
  request_id: z.string(),
  fields: z.record(z.string(), z.string()).optional().meta({ description: "With invalid_request: what is wrong with each field." }),
  claim: ReceiptAnswer.optional().meta({
    description:
      "With already_claimed and position_mismatch: the claim that this user has. With claim_released: the one that was released.",
  }),
  starts_at: Time.optional().meta({ description: "With sale_not_started." }),
  amount_min: z.int().optional().meta({ description: "With amount_below_claimed: the lowest amount that is allowed." }),
  ttl_seconds_max: z.int().optional().meta({ description: "With hold_too_long: the longest hold that this coupon allows, in seconds." }),
  retry_after: z.int().optional().meta({ description: "With rate_limited, in seconds." }),
});

/** The schemas that the OpenAPI document names. */
export const NAMED_SCHEMAS = {
  CreateCoupon: CreateCouponBody,
  ChangeCoupon: ChangeCouponBody,
  ClaimRequest: ClaimBody,
  BulkClaimRequest: BulkClaimBody,
  HoldRequest: HoldBody,
  Coupon: CouponAnswer,
  Receipt: ReceiptAnswer,
  GrantedClaim: ClaimAnswer,
  BulkClaim: BulkClaimAnswer,
  Hold: HoldAnswer,
  Holds: HoldsAnswer,
  EndedHolds: EndedHoldsAnswer,
  Own: OwnAnswer,
  Release: ReleaseAnswer,
  Claims: ClaimsAnswer,
  Status: StatusAnswer,
  Health: HealthAnswer,
  Refusal: RefusalAnswer,
} as const;
export type SchemaName = keyof typeof NAMED_SCHEMAS;
