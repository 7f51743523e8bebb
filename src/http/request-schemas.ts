// The schemas of requests. They parse requests, and they are a part of the OpenAPI document.

import * as z from "zod";

import {
  AMOUNT_MAX,
  BULK_CLAIMS_MAX,
  DESCRIPTION_CODE_POINTS_MAX,
  HOLD_SECONDS_MAX_DEFAULT,
  HOLD_TTL_SECONDS_MAX,
  HOLD_TTL_SECONDS_MIN,
  IMAGE_URL_LENGTH_MAX,
  TEXT_CODE_POINTS_MAX,
  TITLE_CODE_POINTS_MAX,
} from "../domain/limits.ts";
import { WEBHOOK_COUPONS_MAX, WEBHOOK_URL_LENGTH_MAX } from "../domain/delivery-limits.ts";
import { descriptionFault, isImagePath, nameFault, titleFault, userIdFault, type TextFault } from "../domain/names.ts";
import { WEBHOOK_EVENTS } from "../domain/webhook-events.ts";

const TEXT_ERRORS = {
  empty: () => "is required",
  blank: () => "cannot be whitespace only",
  too_long: (codePointsMax) => `exceeds maximum length of ${codePointsMax}`,
  malformed: () => "is invalid",
} as const satisfies Record<TextFault, (codePointsMax: number) => string>;

type FaultOf = (issue: { readonly input?: unknown }) => string;

/** Returns the error of a required field. JSON's null counts as missing. */
function requiredOr(fault: string): FaultOf {
  return ({ input }) => (input === undefined || input === null ? "is required" : fault);
}

function text(faultOf: (value: string) => TextFault | null, description: string, codePointsMax: number = TEXT_CODE_POINTS_MAX) {
  return z
    .string({ error: requiredOr(TEXT_ERRORS.malformed()) })
    .check(({ value, issues }) => {
      const fault = faultOf(value);
      if (fault !== null) issues.push({ code: "custom", message: TEXT_ERRORS[fault](codePointsMax), input: value });
    })
    .meta({ description, minLength: 1, maxLength: codePointsMax });
}

/** A coupon's name in a body. */
export const CouponName = text(nameFault, "The coupon's public name, compared exactly as given.").meta({ examples: ["PROMO_SUPER"] });

/** A user's id in a body. */
export const UserId = text(userIdFault, "Who claims: an opaque string, compared exactly as given. It can't begin with `erased:`.").meta({
  examples: ["user_12345"],
});

function integerWanted(min: number, max: number): string {
  return `must be an integer from ${min} to ${max}`;
}

function integer(min: number, max: number, description: string, faultOf: FaultOf = () => integerWanted(min, max)) {
  return z
    .number({ error: faultOf })
    .check(({ value, issues }) => {
      const isValid = Number.isInteger(value) && value >= min && value <= max;
      if (!isValid) issues.push({ code: "custom", message: faultOf({ input: value }), input: value });
    })
    .meta({ description, type: "integer", minimum: min, maximum: max, examples: [Math.min(Math.max(min, 900), max)] });
}

function amount(otherwise: FaultOf) {
  const faultOf: FaultOf = ({ input }) => (typeof input === "number" && input < 1 ? "must be at least 1" : otherwise({ input }));
  return integer(1, AMOUNT_MAX, "Units ever put on offer.", faultOf).meta({ examples: [500] });
}
const AMOUNT_WANTED = integerWanted(1, AMOUNT_MAX);

// RFC 3339 in UTC can write the years 0000 to 9999, so answers can't have others.
const INSTANT_MIN = Date.parse("0000-01-01T00:00:00.000Z");
const INSTANT_MAX = Date.parse("9999-12-31T23:59:59.999Z");
const INSTANT_WANTED = "must be RFC 3339 with an offset, such as 2026-12-01T18:00:00+01:00";
const rfc3339 = z.iso.datetime({ offset: true });

/**
 * Returns the epoch milliseconds of an RFC 3339 instant, or NaN. `T` and `Z` may be lower-case (RFC 3339,
 * 5.6).
 */
function epochMs(written: string): number {
  const upper = written.toUpperCase();
  const at = rfc3339.safeParse(upper).success ? Date.parse(upper) : NaN;
  return at >= INSTANT_MIN && at <= INSTANT_MAX ? at : NaN;
}

const IN_RFC_3339 = { format: "date-time", examples: ["2026-11-27T09:00:00Z"] };
/** An instant with an offset, parsed to epoch milliseconds. */
const InstantText = z.string(INSTANT_WANTED).check(({ value, issues }) => {
  if (Number.isNaN(epochMs(value))) issues.push({ code: "custom", message: INSTANT_WANTED, input: value });
});
/** Null leaves the window open at this end. */
const SettableInstant = InstantText.meta({
  ...IN_RFC_3339,
  description: "RFC 3339 with an offset; null leaves the window open at this end.",
})
  .transform(epochMs)
  .nullable();
const OptionalInstant = SettableInstant.optional().transform((value) => value ?? null);

/** Returns the schema of an integer query parameter. An absent one is `defaultValue`. */
export function queryInteger(min: number, max: number, description: string): z.ZodType<number | null>;
export function queryInteger(min: number, max: number, description: string, defaultValue: number): z.ZodType<number>;
export function queryInteger(min: number, max: number, description: string, defaultValue: number | null = null): z.ZodType<number | null> {
  return z
    .string()
    .check(({ value, issues }) => {
      const isValid = /^(0|[1-9]\d{0,15})$/.test(value) && Number(value) >= min && Number(value) <= max;
      if (!isValid) issues.push({ code: "custom", message: integerWanted(min, max), input: value });
    })
    .meta({ description, type: "integer", minimum: min, maximum: max, ...(defaultValue === null ? {} : { default: defaultValue }) })
    .transform(Number)
    .optional()
    .transform((value) => value ?? defaultValue);
}

/** Returns the schema of an instant as a query parameter. An absent one is `defaultValue`. */
export function queryInstant(description: string, defaultValue: number): z.ZodType<number> {
  return InstantText.meta({ ...IN_RFC_3339, description })
    .transform(epochMs)
    .optional()
    .transform((value) => value ?? defaultValue);
}

/** Returns the schema of a query parameter with a closed list of values. An absent one is null. */
export function queryChoice<const Value extends string>(values: readonly Value[], description: string): z.ZodType<Value | null> {
  return z
    .enum(values, `must be ${values.length === 1 ? "" : "one of "}${values.join(", ")}`)
    .meta({ description })
    .optional()
    .transform((value) => value ?? null);
}

/** The place in a user's list of claims that a page begins behind. */
export const QueryWalletCursor = z
  .string()
  .regex(/^\d{1,16}\.\d{1,16}\.[\w-]{1,64}$/, "must be the next_after of a page")
  .meta({ description: "The `next_after` of the page before." })
  .transform((cursor) => {
    const [claimedAt, position, epoch = ""] = cursor.split(".");
    return { claimedAt: Number(claimedAt), position: Number(position), epoch };
  })
  .optional()
  .transform((value) => value ?? null);

/** Returns the schema of a text query parameter. An absent one is the empty text. */
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
const holdsMaxFault = `${integerWanted(0, AMOUNT_MAX)}, or null`;
const HoldsMax = integer(0, AMOUNT_MAX, "Most holds that may run at once; null is no such limit.", () => holdsMaxFault).nullable();

const IMAGE_URL_WANTED = "must be a path of this server, such as /pictures/shoe.jpg";
const texts = {
  title: text(titleFault, "What the sale's page calls the coupon; null is its name.", TITLE_CODE_POINTS_MAX)
    .meta({ examples: ["Shoe of the year"] })
    .nullable(),
  description: text(descriptionFault, "What the sale's page says; it can have line breaks.", DESCRIPTION_CODE_POINTS_MAX)
    .meta({ examples: ["500 pairs, one each."] })
    .nullable(),
  image_url: z
    .string(IMAGE_URL_WANTED)
    .refine(isImagePath, IMAGE_URL_WANTED)
    .meta({ description: "The picture on the sale's page: a path of this server.", minLength: 1, maxLength: IMAGE_URL_LENGTH_MAX })
    .meta({ examples: ["/pictures/shoe.jpg"] })
    .nullable(),
};

const Paused = z.boolean("must be true or false");

/** The fault of an `ends_at` that leaves the sale no time. */
export const END_WANTED = "must be after starts_at";

/** The body of `POST /api/coupons`. */
export const CreateCouponBody = z
  .strictObject({
    name: CouponName,
    amount: amount(requiredOr(AMOUNT_WANTED)),
    starts_at: OptionalInstant,
    ends_at: OptionalInstant,
    hold_seconds_max: HoldSecondsMax.default(HOLD_SECONDS_MAX_DEFAULT),
    holds_max: HoldsMax.default(null),
    title: texts.title.default(null),
    description: texts.description.default(null),
    image_url: texts.image_url.default(null),
  })
  .check(({ value, issues }) => {
    const { starts_at: startsAt, ends_at: endsAt } = value;
    const isEmpty = typeof startsAt === "number" && typeof endsAt === "number" && endsAt <= startsAt;
    if (isEmpty) issues.push({ code: "custom", path: ["ends_at"], message: END_WANTED, input: value });
  });

/** Returns the schema of a change. Every field of `shape` is optional. */
function change<const Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(shape)
    .partial()
    .check(({ value, issues }) => {
      if (Object.keys(value).length > 0) return;
      issues.push({ code: "custom", message: `send at least one of ${Object.keys(shape).join(", ")}`, input: value });
    })
    .meta({ description: "Every field is absolute; what is absent stays as it is. At least one must be sent." });
}

/** The body of `PATCH /api/coupons/{name}`. */
export const ChangeCouponBody = change({
  amount: amount(() => AMOUNT_WANTED),
  starts_at: SettableInstant,
  ends_at: SettableInstant,
  paused: Paused,
  hold_seconds_max: HoldSecondsMax,
  holds_max: HoldsMax,
  ...texts,
});

const TtlSeconds = integer(
  HOLD_TTL_SECONDS_MIN,
  HOLD_TTL_SECONDS_MAX,
  "How long the unit is kept: at most the coupon's hold_seconds_max.",
  requiredOr(integerWanted(HOLD_TTL_SECONDS_MIN, HOLD_TTL_SECONDS_MAX)),
);

/** The body of `POST /api/coupons/{name}/holds`. */
export const HoldBody = z.object({ user_id: UserId, ttl_seconds: TtlSeconds }).meta({ description: "Unknown fields are ignored." });

/** The body of `POST /api/coupons/claim`. */
export const ClaimBody = z.object({ user_id: UserId, coupon_name: CouponName }).meta({ description: "Unknown fields are ignored." });

const USERS_WANTED = `must be a list of 1 to ${BULK_CLAIMS_MAX} user ids`;

/** The body of `POST /api/coupons/{name}/claims`. */
export const BulkClaimBody = z.strictObject({
  user_ids: z
    .array(UserId, { error: requiredOr(USERS_WANTED) })
    .min(1, USERS_WANTED)
    .max(BULK_CLAIMS_MAX, USERS_WANTED),
});

/** A webhook's id in a path. */
export const WebhookId = z.string().meta({ examples: ["wh_6f1c2c4e-8d0b-4b52-9a37-2f7a3a1d5c90"] });

const EVENTS_WANTED = `must be a list of events: ${WEBHOOK_EVENTS.join(", ")}`;
const COUPONS_WANTED = `must be a list of 1 to ${WEBHOOK_COUPONS_MAX} coupon names, or null`;
const webhookFields = {
  url: z
    .string({ error: requiredOr("must be a URL") })
    .max(WEBHOOK_URL_LENGTH_MAX, `exceeds maximum length of ${WEBHOOK_URL_LENGTH_MAX}`)
    .meta({ description: "Where the events are sent to: https, and no private address.", examples: ["https://shop.example/webhooks"] }),
  events: z
    .array(z.enum(WEBHOOK_EVENTS, EVENTS_WANTED), { error: requiredOr(EVENTS_WANTED) })
    .min(1, EVENTS_WANTED)
    .max(WEBHOOK_EVENTS.length, EVENTS_WANTED)
    .meta({ description: "The events that are sent.", examples: [["claim.granted", "coupon.sold_out"]] }),
  coupons: z
    .array(CouponName, COUPONS_WANTED)
    .min(1, COUPONS_WANTED)
    .max(WEBHOOK_COUPONS_MAX, COUPONS_WANTED)
    .nullable()
    .meta({ description: "The names of the coupons whose events are sent; null is all.", examples: [null] }),
};

/** The body of `POST /api/webhooks`. */
export const CreateWebhookBody = z.strictObject({ ...webhookFields, coupons: webhookFields.coupons.default(null) });

/** The body of `PATCH /api/webhooks/{id}`. */
export const ChangeWebhookBody = change({ ...webhookFields, paused: Paused });
