// Streams that end by themselves, and what does not end them.

import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { CALL_DEADLINE_MS, STREAM_LOOKS_MAX } from "../../../src/domain/limits.ts";
import { createApp } from "../../../src/http/app.ts";
import { claim, created } from "../../support/api.ts";
import { lost, platform, platformError, silence } from "../../support/platform-faults.ts";
import { bindings } from "../../support/worker.ts";
import { endStreams, eventually, viewerOver } from "./viewer.ts";

const SECOND = 1000;

afterEach(endStreams);

/** Takes the clock and all timers of the Worker; answers how to let time pass, and what is due in it run. */
function heldTime(): { readonly pass: (ms: number) => Promise<void> } {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    pass: async (ms) => {
      await vi.advanceTimersByTimeAsync(ms);
    },
  };
}

describe("a stream that took STREAM_LOOKS_MAX looks", () => {
  test("ends without a timer; a viewer who comes back sees the coupon as it is", async () => {
    const time = heldTime();
    const name = await created(5);
    const over = platform();
    const only = await viewerOver(over, name);
    await only.until(1);
    for (let look = 1; look <= STREAM_LOOKS_MAX; look += 1) {
      await time.pass(SECOND);
      await eventually(() => over.calls.length === 1 + look);
    }
    expect(await only.until(2).catch((cause: unknown) => String(cause))).toContain("the stream ended");
    expect(vi.getTimerCount()).toBe(0);

    await claim(name, "ada");
    const again = await viewerOver(over, name);
    expect(await again.until(2)).toEqual([{ retry: "2000" }, expect.objectContaining({ id: "2" })]);
  });
});

test("a stream of a coupon that can't answer ends with 200 and a retry", async () => {
  const over = platform(...Array.from({ length: 3 }, () => lost(platformError({ retryable: true }))));
  const response = await createApp().request("/api/coupons/any/events", {}, { ...bindings, COUPONS: over.coupons });
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  expect(await response.text()).toBe("retry: 2000\n\n");
});

describe("a stream goes on", () => {
  test("after its read got no answer until the deadline", async () => {
    const time = heldTime();
    const name = await created(5);
    const over = platform((deliver) => deliver(), silence);
    const stays = await viewerOver(over, name);
    await stays.until(1);
    await time.pass(SECOND);
    await eventually(() => over.calls.length === 2);
    await time.pass(CALL_DEADLINE_MS + 100);
    await claim(name, "ada");
    await time.pass(SECOND);
    await eventually(() => over.calls.length === 3);
    // The read has come once the stream has set its next timer.
    await eventually(() => vi.getTimerCount() === 1);
    expect(await stays.next()).toMatchObject({ id: "2" });
  });
});
