// The rules of the sale page's script: the server's clock, tries and polls, and the snapshot that it reads.

import { expect, test } from "vitest";

import { mayBeGranted, pollWaitMs, retryWaitMs, sampled, UNKNOWN_CLOCK, type Polling } from "../../src/web/page-rules.ts";
import { statusIn } from "../../src/web/sale-status.ts";

test.for([
  ["the first sample", UNKNOWN_CLOCK, 10_100, [0, 200], { offsetMs: 10_000, errorMs: 100 }],
  ["a better sample", { offsetMs: 10_000, errorMs: 100 }, 10_060, [0, 20], { offsetMs: 10_050, errorMs: 10 }],
  ["a worse sample", { offsetMs: 10_000, errorMs: 100 }, 10_500, [0, 1000], { offsetMs: 10_000, errorMs: 100 }],
  ["a worse sample after sleep", { offsetMs: 0, errorMs: 10 }, 60_500, [0, 1000], { offsetMs: 60_000, errorMs: 500 }],
  ["a sample after the page's clock was set back", { offsetMs: 0, errorMs: 10 }, 60_500, [1000, 0], { offsetMs: 60_000, errorMs: 0 }],
] as const)("%s gives the server's clock", ([, clock, serverTime, [sentAt, receivedAt], after]) => {
  expect(sampled(clock, serverTime, sentAt, receivedAt)).toEqual(after);
});

test.for([
  ["no_answer", 0, 0, 0, 125],
  ["outcome_unknown", 1000, 0, 1, 1250],
  ["unavailable", 1000, 0, 9, 3500],
  ["internal_error", 0, 14_900, 0, null],
  ["rate_limited", 10_000, 0, 0, 10_125],
  ["rate_limited", 10_000, 5_000, 0, null],
  ["granted", 0, 0, 0, null],
  ["out_of_stock", 0, 0, 0, null],
] as const)(
  "after %s with Retry-After %i ms, %i ms after the first of %i tries, the page waits %s",
  ([code, retryAfterMs, elapsedMs, tryCount, waitMs]) => {
    expect(retryWaitMs({ code, retryAfterMs, elapsedMs, tryCount }, 0.5)).toBe(waitMs);
  },
);

test.for([
  [false, "no_answer", true],
  [false, "rate_limited", false],
  [true, "rate_limited", true],
  [true, "unauthorized", true],
  [true, "out_of_stock", false],
  [true, "already_claimed", false],
] as const)("an attempt that may have been granted: %s, may be after %s: %s", ([wasMaybe, code, isMaybe]) => {
  expect(mayBeGranted(wasMaybe, code)).toBe(isMaybe);
});

test.for<[polling: Partial<Polling>, waitMs: number]>([
  [{ isUrgent: true }, 250],
  [{ isUrgent: true, failureCount: 2 }, 2250],
  [{ isHidden: true }, 30_000],
  [{ isStreaming: true }, 45_000],
  [{}, 2500],
  [{ failureCount: 9 }, 22_500],
])("a page polls with %o after %i ms, a quarter more or less", ([polling, waitMs]) => {
  const usual = { isUrgent: false, isHidden: false, isStreaming: false, failureCount: 0 };
  const waits = [0, 0.5, 1].map((random) => pollWaitMs({ ...usual, ...polling }, random));
  expect(waits).toEqual([waitMs * 0.75, waitMs, waitMs * 1.25]);
});

test("a snapshot is read exactly, and no other text is one", () => {
  const wire = { state: "open", amount: 5, remaining_amount: 3, held_amount: 1, starts_at: null, ends_at: "1970-01-01T00:00:09.000Z" };
  const sent = { ...wire, server_time: "1970-01-01T00:00:01.000Z", seq: 7, epoch: "e" };
  const facts = { state: "open", amount: 5, remaining: 3, held: 1, startsAt: null, endsAt: 9000 };
  expect(statusIn(JSON.stringify(sent))).toEqual({ facts, seq: 7, epoch: "e", serverTime: 1000 });
  const others = [
    "",
    "null",
    "3",
    "{}",
    { ...sent, state: "x" },
    { ...sent, amount: "5" },
    { ...sent, server_time: "x" },
    { ...sent, epoch: 1 },
  ];
  expect(others.map((other) => statusIn(typeof other === "string" ? other : JSON.stringify(other)))).toEqual(others.map(() => null));
});
