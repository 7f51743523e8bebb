// Which failed calls are tried again, how often, and what is answered when that did not help.

import { afterEach, describe, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, RETRY_PAUSE_MS } from "../../../src/domain/limits.ts";
import type { CouponCalls } from "../../../src/domain/rpc.ts";
import { callCoupon, type CallEffect } from "../../../src/edge/coupon-calls.ts";
import { freshName } from "../../support/api.ts";
import { lost, platform, platformError, type Platform } from "../../support/platform-faults.ts";

/** The calls as the routes make them: a claim may be delivered more than once, a create may not. */
const CALLS = {
  claim: { effect: "repeatable", ask: (coupon) => coupon.claim({ userId: "ada", key: null, attemptId: "attempt-1" }) },
  read: { effect: "read", ask: (coupon) => coupon.read({ claimedBy: false }) },
  create: {
    effect: "once",
    ask: (coupon) => coupon.create({ name: "another name", amount: 5, startsAt: null, endsAt: null, holdSecondsMax: 900, holdsMax: null }),
  },
} as const satisfies Record<string, { effect: CallEffect; ask: (coupon: CouponCalls) => Promise<{ ok: boolean; code?: string }> }>;
type Call = keyof typeof CALLS;

/** What the real object answers about a coupon that does not exist. */
const REAL_ANSWER = { claim: "coupon_not_found", read: "coupon_not_found" } as const;

async function codeOf(call: Call, over: Platform): Promise<unknown> {
  const { effect, ask } = CALLS[call];
  const result = await callCoupon<{ ok: boolean; code?: string }>({ COUPONS: over.coupons }, freshName(), ask, effect);
  return result.code;
}

/** The calls that were made when every one of them meets `thrown`, and the final answer. */
async function failing(call: Call, thrown: unknown): Promise<{ code: unknown; stubs: number[] }> {
  const over = platform(...Array.from({ length: 10 }, () => lost(thrown)));
  const code = await codeOf(call, over);
  return { code, stubs: over.calls.map(({ stub }) => stub) };
}

const REPEATED: readonly (readonly [string, unknown])[] = [
  ["marked retryable", platformError({ retryable: true })],
  ["marked durableObjectReset", platformError({ durableObjectReset: true })],
  ["marked remote", platformError({ remote: true })],
  ["marked remote and retryable", platformError({ remote: true, retryable: true })],
  ["marked remote and reset", platformError({ remote: true, durableObjectReset: true })],
  ["without marks", platformError({})],
  ["with marks that are false", platformError({ retryable: false, durableObjectReset: false, overloaded: false, remote: false })],
  ["overloaded only in words", platformError({ overloaded: "yes" })],
  ["of another class", new TypeError("The RPC receiver does not implement the method.")],
  ["that is a text", "overloaded"],
  ["that is a number", 503],
  ["that is null", null],
  ["that is undefined", undefined],
];

const OVERLOADED: readonly (readonly [string, unknown])[] = [
  ["overloaded", platformError({ overloaded: true })],
  ["overloaded and retryable", platformError({ overloaded: true, retryable: true })],
  ["overloaded and reset", platformError({ overloaded: true, durableObjectReset: true })],
  ["overloaded and remote", platformError({ overloaded: true, remote: true })],
];

const UNANSWERED = { claim: "outcome_unknown", read: "unavailable", create: "outcome_unknown" } as const;

describe.for(REPEATED)("an exception %s", ([, thrown]) => {
  test.for(["claim", "read"] as const)("is met by three attempts of a %s, each on a fresh stub", async (call) => {
    expect(await failing(call, thrown)).toEqual({ code: UNANSWERED[call], stubs: [1, 2, 3] });
  });

  test.for([
    ["claim", 1],
    ["claim", 2],
    ["read", 1],
    ["read", 2],
  ] as const)("does not show when a %s succeeds after %i of them", async ([call, faults]) => {
    const over = platform(...Array.from({ length: faults }, () => lost(thrown)));
    expect(await codeOf(call, over)).toBe(REAL_ANSWER[call]);
    expect(over.calls).toEqual(Array.from({ length: faults + 1 }, (_, index) => ({ method: call, stub: index + 1 })));
  });

  test("leaves a create of unknown outcome after one attempt", async () => {
    expect(await failing("create", thrown)).toEqual({ code: "outcome_unknown", stubs: [1] });
  });
});

describe.for(OVERLOADED)("an exception marked %s", ([, thrown]) => {
  test.for(["claim", "read", "create"] as const)("ends the attempts of a %s at once", async (call) => {
    expect(await failing(call, thrown)).toEqual({ code: UNANSWERED[call], stubs: [1] });
  });

  test.for(["claim", "read"] as const)("ends the attempts of a %s that it meets second", async (call) => {
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

test("an object's own refusal is an answer after one call", async () => {
  const over = platform(() => Promise.resolve({ ok: false, code: "unavailable", seq: 7 }));
  expect(await codeOf("claim", over)).toBe("unavailable");
  expect(over.calls).toHaveLength(1);
});

test.for([
  ["claim", "outcome_unknown"],
  ["read", "unavailable"],
] as const)("unavailable after a lost attempt of a %s is %s", async ([call, code]) => {
  const over = platform(lost(platformError({})), () => Promise.resolve({ ok: false, code: "unavailable", seq: 7 }));
  expect(await codeOf(call, over)).toBe(code);
  expect(over.calls).toHaveLength(2);
});

describe("LOCATION_HINT", () => {
  test("goes with every attempt of a call, where it is set", async () => {
    const over = platform(lost(platformError({})));
    const get = vi.spyOn(over.coupons, "get");
    await callCoupon({ COUPONS: over.coupons, LOCATION_HINT: "weur" }, freshName(), CALLS.read.ask, "read");
    expect(get.mock.calls.map(([, options]) => options)).toEqual([{ locationHint: "weur" }, { locationHint: "weur" }]);
  });

  test("is not passed where it is not set", async () => {
    const over = platform();
    const get = vi.spyOn(over.coupons, "get");
    await callCoupon({ COUPONS: over.coupons }, freshName(), CALLS.read.ask, "read");
    expect(get.mock.calls.map((args) => args.length)).toEqual([1]);
  });
});

describe("before a further attempt the Worker pauses", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.for([
    ["half", 0, [RETRY_PAUSE_MS / 2, RETRY_PAUSE_MS]],
    ["three quarters", 0.5, [RETRY_PAUSE_MS * 0.75, RETRY_PAUSE_MS * 1.5]],
  ] as const)("%s of RETRY_PAUSE_MS where chance is %d, and twice that the next time", async ([, chance, pauses]) => {
    vi.spyOn(Math, "random").mockReturnValue(chance);
    const timers = vi.spyOn(globalThis, "setTimeout");
    const { stubs } = await failing("claim", platformError({ retryable: true }));
    expect(stubs).toHaveLength(CALL_RETRIES_MAX + 1);
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([CALL_DEADLINE_MS, ...pauses]);
  });
});
