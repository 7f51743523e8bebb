// Which failed calls are repeated, how often, and what is answered when no attempt succeeds.

import { afterEach, describe, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, RETRY_PAUSE_MS } from "../../../src/domain/limits.ts";
import type { CouponCalls } from "../../../src/domain/rpc.ts";
import { callCoupon, type CallEffect } from "../../../src/edge/coupon-calls.ts";
import { freshName } from "../../support/api.ts";
import { newCoupon } from "../../support/new-coupon.ts";
import { lost, platform, platformError, type Platform } from "../../support/platform-faults.ts";

/** The calls as the routes make them: a claim may be delivered more than once, a create may not. */
const CALLS = {
  claim: { effect: "repeatable", ask: (coupon) => coupon.claim({ userId: "ada", key: null, attemptId: "attempt-1" }) },
  read: { effect: "read", ask: (coupon) => coupon.read({ claimedBy: false }) },
  create: {
    effect: "once",
    ask: (coupon) => coupon.create(newCoupon(5)),
  },
} as const satisfies Record<string, { effect: CallEffect; ask: (coupon: CouponCalls) => Promise<{ ok: boolean; code?: string }> }>;
type Call = keyof typeof CALLS;

async function codeOf(call: Call, over: Platform): Promise<unknown> {
  const { effect, ask } = CALLS[call];
  const result = await callCoupon<{ ok: boolean; code?: string }>({ COUPONS: over.coupons }, freshName(), ask, effect);
  return result.code;
}

/** The final answer, and the stub of each call, when the first `faultCount` calls throw. */
async function failing(call: Call, thrown: unknown, faultCount = 10): Promise<{ code: unknown; stubs: number[] }> {
  const over = platform(...Array.from({ length: faultCount }, () => lost(thrown)));
  const code = await codeOf(call, over);
  return { code, stubs: over.calls.map(({ stub }) => stub) };
}

const UNANSWERED = { claim: "outcome_unknown", read: "unavailable", create: "outcome_unknown" } as const;

describe.for<[string, unknown]>([
  ["marked retryable", platformError({ retryable: true })],
  ["marked durableObjectReset", platformError({ durableObjectReset: true })],
  ["marked remote", platformError({ remote: true, retryable: true })],
  ["without marks", platformError({})],
  ["with false marks", platformError({ retryable: false, durableObjectReset: false, overloaded: false, remote: false })],
  ["with textual marks", platformError({ overloaded: "yes" })],
  ["of another class", new TypeError("The RPC receiver does not implement the method.")],
  ["that is text", "overloaded"],
  ["that is null", null],
  ["that is undefined", undefined],
])("an exception %s", ([what, thrown]) => {
  test.for(["claim", "read"] as const)(`an exception ${what} ends a %s after three attempts on fresh stubs`, async (call) => {
    expect(await failing(call, thrown)).toEqual({ code: UNANSWERED[call], stubs: [1, 2, 3] });
    // The real object answers the attempt that is delivered.
    expect(await failing(call, thrown, 1)).toEqual({ code: "coupon_not_found", stubs: [1, 2] });
    expect(await failing(call, thrown, 2)).toEqual({ code: "coupon_not_found", stubs: [1, 2, 3] });
  });

  test(`an exception ${what} leaves a create unknown after one attempt`, async () => {
    expect(await failing("create", thrown)).toEqual({ code: "outcome_unknown", stubs: [1] });
  });
});

describe.for<[string, unknown]>([
  ["overloaded", platformError({ overloaded: true })],
  ["overloaded and retryable", platformError({ overloaded: true, retryable: true })],
  ["overloaded, reset and remote", platformError({ overloaded: true, durableObjectReset: true, remote: true })],
])("an exception marked %s", ([marks, thrown]) => {
  test.for(["claim", "read", "create"] as const)(`an exception marked ${marks} ends a %s at once`, async (call) => {
    expect(await failing(call, thrown)).toEqual({ code: UNANSWERED[call], stubs: [1] });
  });

  test.for(["claim", "read"] as const)(`an exception marked ${marks} ends a %s at its second attempt`, async (call) => {
    const over = platform(lost(platformError({ retryable: true })), lost(thrown));
    expect(await codeOf(call, over)).toBe(UNANSWERED[call]);
    expect(over.calls).toHaveLength(2);
  });
});

test("a namespace that throws is handled like a call that throws", async () => {
  const over = platform();
  const get = vi.spyOn(over.coupons, "get").mockImplementationOnce(() => {
    throw platformError({ retryable: true });
  });
  expect(await codeOf("claim", over)).toBe("coupon_not_found");
  expect(get).toHaveBeenCalledTimes(2);
});

const unavailable = () => Promise.resolve({ ok: false, code: "unavailable", seq: 7 });

test("an object's own refusal is returned after one call", async () => {
  const over = platform(unavailable);
  expect(await codeOf("claim", over)).toBe("unavailable");
  expect(over.calls).toHaveLength(1);
});

test.for([
  ["claim", "outcome_unknown"],
  ["read", "unavailable"],
] as const)("the object's unavailable after a lost attempt of a %s is %s", async ([call, code]) => {
  const over = platform(lost(platformError({})), unavailable);
  expect(await codeOf(call, over)).toBe(code);
  expect(over.calls).toHaveLength(2);
});

test("LOCATION_HINT goes with every attempt where it is set, and only there", async () => {
  const over = platform(lost(platformError({})));
  const get = vi.spyOn(over.coupons, "get");
  await callCoupon({ COUPONS: over.coupons, LOCATION_HINT: "weur" }, freshName(), CALLS.read.ask, "read");
  await callCoupon({ COUPONS: over.coupons }, freshName(), CALLS.read.ask, "read");
  expect(get.mock.calls.map(([, ...options]) => options)).toEqual([[{ locationHint: "weur" }], [{ locationHint: "weur" }], []]);
});

describe("the pause before a further attempt", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.for([
    [0, [RETRY_PAUSE_MS / 2, RETRY_PAUSE_MS]],
    [0.5, [RETRY_PAUSE_MS * 0.75, RETRY_PAUSE_MS * 1.5]],
  ] as const)("the pause before a retry doubles from RETRY_PAUSE_MS, with a jitter of %d", async ([chance, pauses]) => {
    vi.spyOn(Math, "random").mockReturnValue(chance);
    const timers = vi.spyOn(globalThis, "setTimeout");
    const { stubs } = await failing("claim", platformError({ retryable: true }));
    expect(stubs).toHaveLength(CALL_RETRIES_MAX + 1);
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([CALL_DEADLINE_MS, ...pauses]);
  });
});
