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
import { BULK_OUTCOMES } from "../domain/claim-counts.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import { nameFault, textFault, type TextFault } from "../domain/names.ts";

const TEXT_ERRORS = {
  empty: "is required",
  blank: "cannot be whitespace only",
  too_long: `exceeds maximum length of ${TEXT_CODE_POINTS_MAX}`,
  malformed: "is invalid",
} as const satisfies Record<TextFault, string>;

/** The fault of a field of the wrong type; JSON's null counts as missing. */
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
  .meta({ description: "Units ever put on offer.", type: "integer", minimum: 1, maximum: AMOUNT_MAX, examples: [500] });

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
    description: "RFC 3339 with an offset; null leaves the window open at this end.",
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
    .meta({ description, type: "integer", minimum: min, maximum: max, examples: [Math.min(Math.max(min, 900), max)] });
}

/** A query parameter that is an integer; `preset` where it is absent. */
export function queryInteger(min: number, max: number, description: string): z.ZodType<number | null>;
export function queryInteger(min: number, max: number, description: string, preset: number): z.ZodType<number>;
export function queryInteger(min: number, max: number, description: string, preset: number | null = null): z.ZodType<number | null> {
  return z
    .string()
    .check(({ value, issues }) => {
      const isFine = /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max;
      if (!isFine) issues.push({ code: "custom", message: "is invalid", input: value });
    })
    .meta({ description, type: "integer", minimum: min, maximum: max, ...(preset === null ? {} : { default: preset }) })
    .transform(Number)
    .optional()
    .transform((value) => value ?? preset);
}

/** A query parameter that is any text, empty where it is absent. */
export function queryText(description: string): z.ZodType<string> {
  return z
    .string()
    .meta({ description })
    .optional()
    .transform((value) => value ?? "");
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

const CouponNameText = z.string().meta({ examples: ["PROMO_SUPER"] });
const UserIdText = z.string().meta({ examples: ["user_12345"] });
const Time = z.iso.datetime().meta({ description: "UTC with milliseconds.", examples: ["2026-11-27T09:00:00.000Z"] });
const Position = z
  .int()
  .min(1)
  .meta({ description: "1-based order in which the claim was granted. Never used twice.", examples: [182] });
const Remaining = z
  .int()
  .min(0)
  .meta({ examples: [318] });
const AnyAmount = z
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

/** The states of a sale. Where several apply, the first one is shown. */
const State = z.enum(["ended", "scheduled", "paused", "sold_out", "open"]).meta({ examples: ["open"] });

export const CouponAnswer = z.object({
  name: CouponNameText,
  amount: AnyAmount,
  remaining_amount: Remaining,
  state: State,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  paused: z.boolean().meta({ examples: [false] }),
  held_amount: HeldAmount,
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
  created_at: Time,
  claimed_by: z
    .array(UserIdText)
    .readonly()
    .optional()
    .meta({ description: "All users with a claim, in claim order. For the operator alone." }),
});

const receiptFields = { coupon_name: CouponNameText, user_id: UserIdText, position: Position, claimed_at: Time };
export const ReceiptAnswer = z.object(receiptFields);

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

const holdFields = { coupon_name: CouponNameText, user_id: UserIdText, held_at: Time, expires_at: Time };
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

export const StatusAnswer = z.object({
  name: CouponNameText,
  state: State,
  amount: AnyAmount,
  remaining_amount: Remaining,
  held_amount: HeldAmount,
  starts_at: Time.nullable(),
  ends_at: Time.nullable(),
  server_time: Time,
  seq: z
    .int()
    .min(1)
    .meta({ examples: [182] }),
});

export const HealthAnswer = z.object({ status: z.literal("healthy"), server_time: Time });

/** A body that is not JSON. */
export const TextAnswer = z.string();

/** What every refusal says. */
export const RefusalFields = z.object({
  error: z.string().meta({ description: "A sentence for a person: what is wrong, and what to do." }),
  code: z.string(),
  request_id: z.string().meta({ examples: ["5f0c3b1d9a7e2c48-1a"] }),
});

/** What some refusals say besides, by code. */
export const REFUSAL_DETAILS: Partial<Record<RefusalCode, z.ZodObject>> = {
  invalid_request: z.object({
    fields: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "The fault of each field.", examples: [{ user_id: "is required" }] }),
  }),
  already_claimed: z.object({ claim: ReceiptAnswer.meta({ description: "The claim that this user has." }) }),
  claim_released: z.object({ claim: ReceiptAnswer.meta({ description: "The revoked claim." }) }),
  position_mismatch: z.object({ claim: ReceiptAnswer.meta({ description: "The claim that this user has." }) }),
  sale_not_started: z.object({ starts_at: Time }),
  amount_below_claimed: z.object({ amount_min: z.int().meta({ description: "The lowest amount that is allowed.", examples: [182] }) }),
  hold_too_long: z.object({ ttl_seconds_max: z.int().meta({ description: "The longest hold that this coupon allows.", examples: [900] }) }),
  rate_limited: z.object({ retry_after: z.int().meta({ description: "Seconds.", examples: [10] }) }),
};

/** The schemas that the OpenAPI document names. */
export const NAMED_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  CreateCouponRequest: CreateCouponBody,
  ChangeCouponRequest: ChangeCouponBody,
  ClaimRequest: ClaimBody,
  BulkClaimRequest: BulkClaimBody,
  HoldRequest: HoldBody,
  Coupon: CouponAnswer,
  Receipt: ReceiptAnswer,
  GrantedClaim: ClaimAnswer,
  BulkClaim: BulkClaimAnswer,
  Hold: HoldAnswer,
  HoldList: HoldsAnswer,
  ReleasedHolds: ReleasedHoldsAnswer,
  UserClaim: UserClaimAnswer,
  RevokedClaim: RevokedClaimAnswer,
  ClaimList: ClaimsAnswer,
  Status: StatusAnswer,
  Health: HealthAnswer,
};
