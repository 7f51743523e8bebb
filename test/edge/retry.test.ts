// Which failed calls are tried again, how often, and what is told when that did not help.

import { afterEach, describe, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX, RETRY_PAUSE_MS } from "../../src/domain/limits.ts";
import type { CouponCalls } from "../../src/domain/messages.ts";
import { callCoupon, type CallEffect } from "../../src/edge/coupon-calls.ts";
import { freshName } from "../support/api.ts";
import { lost, platform, platformError, type Marks, type Platform } from "../support/platform-faults.ts";

/** The calls as the routes make them: a claim may be delivered more than once, a create may not. */
const CALLS = {
  claim: { effect: "repeatable", ask: (coupon) => coupon.claim({ userId: "ada", key: null, attemptId: "attempt-1" }) },
  read: { effect: "read", ask: (coupon) => coupon.read({ claimedBy: false }) },
  create: { effect: "once", ask: (coupon) => coupon.create({ name: "another name", amount: 5, startsAt: null, endsAt: null }) },
} as const satisfies Record<string, { effect: CallEffect; ask: (coupon: CouponCalls) => Promise<{ ok: boolean; code?: string }> }>;
type Call = keyof typeof CALLS;

/** What the real object says to each of them about a coupon that nobody created. */
const REAL_ANSWER = { claim: "coupon_not_found", read: "coupon_not_found", create: "invalid_request" } as const;

async function codeOf(call: Call, over: Platform): Promise<unknown> {
  const { effect, ask } = CALLS[call];
  const result = await callCoupon<{ ok: boolean; code?: string }>(over.coupons, freshName(), ask, effect);
  return result.code;
}

/** The calls that were made when every one of them meets `thrown`, and what was told in the end. */
async function failing(call: Call, thrown: unknown): Promise<{ code: unknown; stubs: number[] }> {
  const over = platform(...Array.from({ length: 10 }, () => lost(thrown)));
  const code = await codeOf(call, over);
  return { code, stubs: over.calls.map(({ stub }) => stub) };
}

const PASSING: readonly Marks[] = [
  { retryable: true },
  { durableObjectReset: true },
  { retryable: true, durableObjectReset: true },
  { retryable: true, remote: false, overloaded: false },
];

describe.for(PASSING)("a passing fault, marked %o,", (marks) => {
  test.for([
    ["claim", "outcome_unknown"],
    ["read", "unavailable"],
  ] as const)("makes the Worker ask at most two times more, each on a fresh stub, and then answer a %s with %s", async ([call, code]) => {
    expect(await failing(call, platformError(marks))).toEqual({ code, stubs: [1, 2, 3] });
  });

  test.for([
    ["claim", 1],
    ["claim", 2],
    ["read", 1],
    ["read", 2],
  ] as const)("is forgotten when a %s gets through after %i of them", async ([call, faults]) => {
    const over = platform(...Array.from({ length: faults }, () => lost(platformError(marks))));
    expect(await codeOf(call, over)).toBe(REAL_ANSWER[call]);
    expect(over.calls).toEqual(Array.from({ length: faults + 1 }, (_, index) => ({ method: call, stub: index + 1 })));
  });

  test("leaves a create of unknown outcome at once: it is never repeated", async () => {
    expect(await failing("create", platformError(marks))).toEqual({ code: "outcome_unknown", stubs: [1] });
  });
});

const OVERLOADED: readonly Marks[] = [{ overloaded: true }, { overloaded: true, retryable: true }];

describe.for(OVERLOADED)("an overloaded object, marked %o,", (marks) => {
  test.for(["claim", "read", "create"] as const)("is not asked again: a %s is unavailable at once", async (call) => {
    expect(await failing(call, platformError(marks))).toEqual({ code: "unavailable", stubs: [1] });
  });

  test("is not asked a third time when it is met by the second attempt of a read", async () => {
    const over = platform(lost(platformError({ retryable: true })), lost(platformError(marks)));
    expect(await codeOf("read", over)).toBe("unavailable");
    expect(over.calls).toHaveLength(2);
  });
});

const NOT_BELIEVED: readonly (readonly [string, unknown])[] = [
  ["marked remote and retryable", platformError({ remote: true, retryable: true })],
  ["marked remote and reset", platformError({ remote: true, durableObjectReset: true })],
  ["marked remote and overloaded", platformError({ remote: true, overloaded: true })],
  ["marked remote and everything else", platformError({ remote: true, retryable: true, durableObjectReset: true, overloaded: true })],
];

const UNEXPLAINED: readonly (readonly [string, unknown])[] = [
  ["without marks", platformError({})],
  ["that is overloaded and was reset for it", platformError({ overloaded: true, durableObjectReset: true })],
  ["with marks that are false", platformError({ retryable: false, durableObjectReset: false, overloaded: false, remote: false })],
  ["with marks that are true only in words", platformError({ retryable: "true", durableObjectReset: 1, overloaded: "yes" })],
  ["of another class", new TypeError("The RPC receiver does not implement the method.")],
  ["that is a text", "retryable"],
  ["that is a number", 503],
  ["that is null", null],
  ["that is undefined", undefined],
  ["that is a function", Object.assign(() => undefined, { retryable: true })],
];

describe.for(NOT_BELIEVED)("an exception of the object's code %s", ([, thrown]) => {
  test.for(["claim", "read", "create"] as const)("is a bug: a %s is asked once and answers internal_error", async (call) => {
    expect(await failing(call, thrown)).toEqual({ code: "internal_error", stubs: [1] });
  });
});

describe.for(UNEXPLAINED)("an exception of the platform %s", ([, thrown]) => {
  test.for([
    ["claim", "outcome_unknown"],
    ["create", "outcome_unknown"],
    ["read", "unavailable"],
  ] as const)("explains nothing: a %s is asked once and is told %s", async ([call, code]) => {
    expect(await failing(call, thrown)).toEqual({ code, stubs: [1] });
  });
});

describe("an exception after a passing fault", () => {
  test("ends the attempts of a claim", async () => {
    const over = platform(lost(platformError({ retryable: true })), lost(platformError({ remote: true, retryable: true })));
    expect(await codeOf("claim", over)).toBe("outcome_unknown");
    expect(over.calls).toHaveLength(2);
  });
});

test("a namespace that throws before there is a stub is judged like a call that throws", async () => {
  const over = platform();
  const get = vi.spyOn(over.coupons, "get").mockImplementationOnce(() => {
    throw platformError({ retryable: true });
  });
  expect(await codeOf("claim", over)).toBe("coupon_not_found");
  expect(get).toHaveBeenCalledTimes(2);
});

test("an object's own refusal is an answer and is never asked for twice", async () => {
  const over = platform(() => Promise.resolve({ ok: false, code: "unavailable", seq: 7 }));
  expect(await codeOf("claim", over)).toBe("unavailable");
  expect(over.calls).toHaveLength(1);
});

describe("before a further attempt the Worker pauses", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.for([
    ["half", 0, [RETRY_PAUSE_MS / 2, RETRY_PAUSE_MS]],
    ["three quarters", 0.5, [RETRY_PAUSE_MS * 0.75, RETRY_PAUSE_MS * 1.5]],
  ] as const)(
    "%s of RETRY_PAUSE_MS where chance says %d, twice that the next time, and not before it gives up",
    async ([, chance, pauses]) => {
      vi.spyOn(Math, "random").mockReturnValue(chance);
      const timers = vi.spyOn(globalThis, "setTimeout");
      const { stubs } = await failing("claim", platformError({ retryable: true }));
      expect(stubs).toHaveLength(CALL_RETRIES_MAX + 1);
      expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([CALL_DEADLINE_MS, ...pauses]);
    },
  );
});
