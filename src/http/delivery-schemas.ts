// The answers of delivery.

import * as z from "zod";

import { SINK_STATUSES } from "../domain/delivery.ts";
import { CouponNameText, Seq, Time } from "./answer-schemas.ts";

const Sink = z.object({
  sink: z
    .string()
    .meta({ description: "`d1` is the read model, and `r2` the backups. Any other is the id of a webhook endpoint.", examples: ["d1"] }),
  status: z.enum(SINK_STATUSES).meta({
    description: "A `parked` sink has failed for three days, a `disabled` one has answered 410. Change the endpoint to try again.",
    examples: ["active"],
  }),
  epoch: z
    .string()
    .nullable()
    .meta({ description: "The incarnation of the name that `seq` belongs to.", examples: [null] }),
  seq: z
    .int()
    .min(0)
    .meta({ description: "The sink has all events up to this one.", examples: [182] }),
  lag_events: z
    .int()
    .min(0)
    .meta({ description: "Events that the sink does not have yet.", examples: [0] }),
  lag_seconds: z
    .number()
    .min(0)
    .meta({ description: "The age of the oldest of them.", examples: [0] }),
  failed_attempts: z
    .int()
    .min(0)
    .meta({ description: "Since the last success.", examples: [0] }),
  failing_since: Time.nullable(),
  next_attempt_at: Time.nullable(),
  last_error: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  delivered_at: Time.nullable().meta({ description: "When the sink last took something." }),
});
export const DeliveryAnswer = z.object({
  coupon_name: CouponNameText,
  head_seq: Seq.nullable().meta({ description: "The ledger's last event. Null after a deletion.", examples: [182] }),
  sinks: z.array(Sink),
});

const FailingSink = z.object({ coupon_name: CouponNameText }).extend(Sink.pick({ sink: true, status: true, failed_attempts: true }).shape);
export const FailingAnswer = z.object({
  failing: z.array(FailingSink),
  has_more: z.boolean().meta({ description: "Whether more of them fail than the answer has." }),
});
