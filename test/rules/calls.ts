// Random calls of one coupon, as the reference model has them and as the mailbox has them.

import * as fc from "fast-check";

import type { Kind, MessageOf } from "../../src/engine/message.ts";
import { TEXTS, type Settings } from "../../verification/model/settings.ts";
import type { Call } from "../../verification/model/types.ts";
import { newCoupon, T0 } from "./coupon.ts";

export type Attempted = { readonly call: Call; readonly attempt: string };

/** The calls of one instant, which share a batch. Without any, holds expire. */
export type Step = { readonly moveMs: number; readonly calls: readonly Attempted[]; readonly isMemoryLost: boolean };

export type Sale = { readonly terms: Pick<Settings, "amount" | "startsAt" | "endsAt">; readonly steps: readonly Step[] };

// A few names of each kind, so that calls meet: with their owner's and with others'.
const userId = fc.constantFrom("ann", "bob", "cid", "Ann", "用户 🎉");
const attempt = fc.constantFrom("a1", "a2", "a3", "a4");
const key = fc.option(fc.constantFrom("k1", "k2", "k3"), { freq: 2 });
const edge = fc.option(fc.integer({ min: -50, max: 250 }).map((afterMs) => T0 + afterMs));
const amount = fc.integer({ min: 1, max: 6 });

const claim = fc.record({ kind: fc.constant("claim"), userId, key });
const hold = fc.record({
  kind: fc.constant("hold"),
  userId,
  ttlMs: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 90 }) }, fc.constant(1001)),
});
const settings = fc.record(
  {
    amount,
    startsAt: edge,
    endsAt: edge,
    paused: fc.boolean(),
    holdSecondsMax: fc.constantFrom(1, 2),
    holdsMax: fc.constantFrom(null, 1, 2),
  },
  { requiredKeys: [] },
);
const change: fc.Arbitrary<Call> = fc
  .tuple(settings, fc.constantFrom({}, ...TEXTS))
  .map(([others, texts]) => Object.assign({ kind: "change" } as const, others, texts));
const LIMITS = { holdSecondsMax: fc.constant(86_400), holdsMax: fc.constant(null) };
const shared: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: claim },
  { weight: 5, arbitrary: hold },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("give_back", "own"), userId }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("release"), userId, position: fc.option(fc.integer({ min: 1, max: 5 })) }),
  },
  { weight: 2, arbitrary: change },
  { weight: 1, arbitrary: fc.constant({ kind: "archive" } as const) },
);
/** Each of these is a batch of its own. */
const exclusive: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ kind: fc.constantFrom("end_holds", "holds", "read") }),
  // With the key that the coupon was created with, or without a key.
  fc.record(
    {
      kind: fc.constant("create"),
      amount,
      startsAt: fc.constant(null),
      endsAt: fc.constant(null),
      ...LIMITS,
      key: fc.constantFrom("k1", "k2"),
    },
    { requiredKeys: ["kind", "amount", "startsAt", "endsAt", "holdSecondsMax", "holdsMax"] },
  ),
);

const calls = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.record({ call: shared, attempt }), { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.tuple(fc.record({ call: exclusive, attempt })) },
);

/** A sale of up to 40 steps. Between two steps the clock moves on, stands still, or falls back. */
export const sale: fc.Arbitrary<Sale> = fc.record({
  terms: fc.record({ amount, startsAt: fc.constant(null), endsAt: edge }),
  steps: fc.array(
    fc.record({
      moveMs: fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 60 })),
      calls,
      isMemoryLost: fc.integer({ min: 1, max: 8 }).map((face) => face === 8),
    }),
    { maxLength: 40, size: "max" },
  ),
});

type CallKind = Exclude<Kind, "claim_many" | "history" | "list_claims" | "metrics" | "certify" | "expire" | "write_counts">;

/** A call as a message of the mailbox. */
export function messageOf({ call, attempt: attemptId }: Attempted): MessageOf<CallKind> {
  switch (call.kind) {
    case "create":
      return { kind: "create", coupon: newCoupon(call.amount), epoch: "epoch-2", key: call.key ?? null };
    case "change": {
      const { kind, ...asked } = call;
      return { kind, change: asked, precondition: null };
    }
    case "claim":
      return { kind: "claim", request: { userId: call.userId, key: call.key, attemptId } };
    case "hold":
      return { kind: "hold", request: { userId: call.userId, ttlMs: call.ttlMs, attemptId } };
    case "give_back":
      return { kind: "release_hold", userId: call.userId };
    case "end_holds":
      return { kind: "release_all_holds" };
    case "holds":
      return { kind: "list_holds", after: "", limit: 100 };
    case "release":
      return { kind: "revoke", request: { userId: call.userId, position: call.position } };
    case "own":
      return { kind: "user_claim", userId: call.userId };
    case "archive":
      return { kind: "archive", precondition: null };
    case "remove":
      return { kind: "remove" };
    default:
      return { kind: "read", claimedBy: true };
  }
}
