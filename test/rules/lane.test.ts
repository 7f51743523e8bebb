// The queue of a lane: what each message is answered, whatever happens to the calls.

import { expect, onTestFinished, test, vi } from "vitest";

import { LANE_LENGTH_MAX } from "../../src/domain/lane-limits.ts";
import type { BatchResult, LaneMessage } from "../../src/domain/rpc.ts";
import { Lane, type Send } from "../../src/lane/lane.ts";

const claimOf = (userId: string) => ({ kind: "claim", request: { userId, key: null, attemptId: `attempt-${userId}` } }) as const;

/** A coupon that answers each call when the test says so. An answer's `seq` is the number in the user's id. */
function stage() {
  const calls: {
    readonly users: string[];
    readonly refusedCount: number;
    readonly answer: (count?: number) => void;
    readonly fail: (cause: unknown) => void;
  }[] = [];
  const send: Send = (messages, refusedCount) => {
    const { promise, resolve, reject } = Promise.withResolvers<BatchResult>();
    const users = messages.map(({ request }: LaneMessage) => request.userId);
    const answers = users.map((user) => ({ ok: false, code: "out_of_stock", seq: Number(user) }) as const);
    calls.push({ users, refusedCount, answer: (count = users.length) => resolve({ answers: answers.slice(0, count) }), fail: reject });
    return promise;
  };
  const lane = new Lane(send);
  const submit = (user: number) => lane.submit(claimOf(String(user))).then(({ seq }) => seq, String);
  return { calls, submit, lane };
}

test("messages wait while a call is in flight, and each gets its own answer", async () => {
  const { calls, submit } = stage();
  const answers = [1, 2, 3].map(submit);
  expect(calls.map(({ users }) => users)).toEqual([["1"]]);
  calls[0]?.answer();
  expect(await answers[0]).toBe(1);
  expect(calls.map(({ users }) => users)).toEqual([["1"], ["2", "3"]]);
  calls[1]?.answer();
  expect(await Promise.all(answers)).toEqual([1, 2, 3]);
});

test("a failed call fails its own messages only, and the lane goes on", async () => {
  const { calls, submit } = stage();
  const answers = [1, 2, 3].map(submit);
  calls[0]?.fail("lost");
  expect(await answers[0]).toBe("lost");
  calls[1]?.answer(1);
  expect(await Promise.all(answers.slice(1))).toEqual([2, "Error: the coupon has answered fewer messages than it got"]);
  const last = submit(4);
  calls[2]?.answer();
  expect(await last).toBe(4);
});

test("a full lane refuses with unavailable, reports that once, and loses nothing that waits", async () => {
  const { calls, submit, lane } = stage();
  const answers = Array.from({ length: LANE_LENGTH_MAX + 1001 }, (_, index) => submit(index));
  const held = await lane.submit({ kind: "hold", request: { userId: "-2", ttlMs: 1000, attemptId: "attempt" } });
  expect([held.ok, await submit(-1), await submit(-1)]).toEqual([false, 0, 0]);
  for (let next = 0; next < calls.length; next += 1) {
    calls[next]?.answer();
    await answers[Number(calls[next]?.users.at(-1))];
  }
  expect(await Promise.all(answers)).toEqual(answers.map((_, index) => index));
  expect(calls.map(({ refusedCount }) => refusedCount).filter((count) => count > 0)).toEqual([2]);
  expect(Math.max(...calls.map(({ users }) => users.length))).toBe(1000);
});

test("messages wait for the end of a pause unless they fill a batch", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const sizes: number[] = [];
  const lane = new Lane(async (messages) => {
    sizes.push(messages.length);
    return { answers: messages.map(() => ({ ok: false, code: "sale_paused", seq: 3 }) as const), pauseMs: 80 };
  });
  const submit = (count: number) => Array.from({ length: count }, (_, index) => lane.submit(claimOf(String(index))));
  await Promise.all(submit(1));
  const waiting = submit(999);
  await vi.advanceTimersByTimeAsync(79);
  expect(sizes).toEqual([1]);
  await Promise.all([...waiting, ...submit(1)]);
  const last = submit(1);
  await vi.advanceTimersByTimeAsync(79);
  expect(sizes).toEqual([1, 1000]);
  await vi.advanceTimersByTimeAsync(1);
  await Promise.all(last);
  expect(sizes).toEqual([1, 1000, 1]);
});

test("each answer of a batch has the hint of the batch", async () => {
  const lanes = { count: 2, forMs: 2000 };
  const lane = new Lane(async (messages) => ({
    answers: messages.map(() => ({ ok: false, code: "sale_paused", seq: 3 }) as const),
    lanes,
  }));
  expect(await lane.submit(claimOf("1"))).toEqual({ ok: false, code: "sale_paused", seq: 3, lanes });
});
