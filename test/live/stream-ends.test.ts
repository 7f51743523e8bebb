// Streams that end by themselves, and viewers who vanish without a word.

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { CALL_DEADLINE_MS, SNAPSHOT_IDLE_MS, STREAM_LOOKS_MAX } from "../../src/domain/limits.ts";
import { latest, unwatch, watch, watching } from "../../src/edge/live-snapshots.ts";
import { createApp } from "../../src/http/app.ts";
import { heldClock } from "../access/clock.ts";
import { bindings } from "../access/worker.ts";
import { claim, created } from "../support/api.ts";
import { lost, platform, platformError, silence } from "../support/platform-faults.ts";
import { eventually, expectEverybodyToLeave, viewerOver, watcher } from "./viewer.ts";

const SECOND = 1000;

afterEach(expectEverybodyToLeave);

/** Takes the clock and all timers of the Worker; answers how to let time pass, and what is due in it be done. */
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

/** The coupon as its object answers it. */
async function seenOf(name: string) {
  const found = await env.COUPONS.getByName(name).read({ claimedBy: false });
  if (!found.ok) throw new Error(found.code);
  return found;
}

describe("a stream that took STREAM_LOOKS_MAX looks", () => {
  test("ends, with nothing left behind; who comes back sees the coupon as it is", async () => {
    const time = heldTime();
    const name = await created(5);
    const over = platform();
    const only = await viewerOver(over, name);
    await only.until(1);
    for (let look = 1; look <= STREAM_LOOKS_MAX; look += 1) {
      expect(watching()).toEqual({ coupons: 1, viewers: 1 });
      await time.pass(SECOND);
      await eventually(() => over.calls.length === 1 + look);
    }
    expect(await only.until(2).catch((cause: unknown) => String(cause))).toContain("the stream ended");
    expect(watching()).toEqual({ coupons: 0, viewers: 0 });

    await claim(name, "ada");
    const again = await viewerOver(over, name);
    expect(await again.until(2)).toEqual([{ retry: "2000" }, expect.objectContaining({ id: "2" })]);
  });
});

test("a stream of a coupon that can't answer ends at once and asks to come back: an EventSource gives up on any status but 200", async () => {
  const over = platform(...Array.from({ length: 3 }, () => lost(platformError({ retryable: true }))));
  const response = await createApp().request("/api/coupons/any/events", {}, { ...bindings, COUPONS: over.coupons });
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  expect(await response.text()).toBe("retry: 2000\n\n");
});

describe("a viewer who vanished without a word", () => {
  test("is forgotten after SNAPSHOT_IDLE_MS, when somebody comes to watch anything", async () => {
    const clock = heldClock();
    const name = await created(5);
    watch(name, await seenOf(name));
    clock.pass(SNAPSHOT_IDLE_MS - 1);
    await watcher(await created(1));
    expect(watching()).toEqual({ coupons: 2, viewers: 2 });
    clock.pass(1);
    await watcher(await created(1));
    expect(watching().coupons).toBe(2);
    expect(await latest(bindings.COUPONS, name)).toBeUndefined();
  });

  test("is not forgotten while others watch the same coupon, and does not keep them from news", async () => {
    const clock = heldClock();
    const name = await created(5);
    watch(name, await seenOf(name));
    onTestFinished(() => unwatch(name));
    const { next } = await watcher(name);
    await claim(name, "ada");
    clock.pass(SECOND);
    expect(await next()).toMatchObject({ id: "2" });
    unwatch(name);
  });
});

describe("a viewer who has not asked for SNAPSHOT_IDLE_MS goes on seeing news after somebody else has come and gone", () => {
  test("where the isolate was asleep", async () => {
    const clock = heldClock();
    const name = await created(5);
    const stays = await watcher(name);
    // Nobody's timer goes off between these two: the isolate wakes up to a new viewer.
    clock.pass(SNAPSHOT_IDLE_MS);
    const goes = await watcher(name);
    await goes.leave();
    await claim(name, "ada");
    clock.pass(SECOND);
    expect(await stays.next()).toMatchObject({ id: "2" });
  });

  test("where a look hung until its deadline", async () => {
    const time = heldTime();
    const name = await created(5);
    const over = platform((deliver) => deliver(), silence);
    const stays = await viewerOver(over, name);
    await stays.until(1);
    await time.pass(SECOND);
    await eventually(() => over.calls.length === 2);
    await time.pass(CALL_DEADLINE_MS + 100);
    const goes = await viewerOver(platform(), name);
    await goes.leave();
    await claim(name, "ada");
    const news = stays.next();
    for (let second = 1; second <= 3; second += 1) {
      await time.pass(SECOND);
      await scheduler.wait(100);
    }
    expect(await news).toMatchObject({ id: "2" });
  });
});
