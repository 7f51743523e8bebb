// How streams end: by their viewers, by themselves, and what does not end them.

import { exports } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS, STREAM_READS_DEFAULT } from "../../../src/domain/limits.ts";
import { claim, created, pathOf } from "../../support/api.ts";
import { SECOND, stopTime } from "../../support/clock.ts";
import { delivered, gated, lost, platform, platformError, silence } from "../../support/platform-faults.ts";
import { fetchWith } from "../../support/worker.ts";
import { endStreams, eventually, viewer, viewerOver, watcher } from "./viewer.ts";

afterEach(endStreams);

function url(name: string): string {
  return `https://doorbuster.test${pathOf(name, "events")}`;
}

test("a viewer who leaves costs no further read and no timer", async () => {
  const name = await created(5);
  const pass = stopTime();
  const over = platform();
  const only = await viewerOver(over, name);
  await only.until(1);
  const timerCount = vi.getTimerCount();
  await only.leave();
  expect(vi.getTimerCount()).toBe(timerCount - 1);
  await pass(10 * SECOND);
  expect(over.calls).toHaveLength(1);
});

test("a viewer who leaves during a read costs no timer after it", async () => {
  const name = await created(5);
  const pass = stopTime();
  const { delivery, open } = gated();
  const over = platform(delivered, delivery);
  const only = await viewerOver(over, name);
  await only.until(1);
  await pass(SECOND);
  expect(over.calls).toHaveLength(2);
  await only.leave();
  open();
  await eventually(() => vi.getTimerCount() === 0);
  await pass(10 * SECOND);
  expect(over.calls).toHaveLength(2);
});

test("a viewer who leaves does not end the streams of others", async () => {
  const [name, caller] = [await created(5), new AbortController()];
  const response = await exports.default.fetch(url(name), { signal: caller.signal });
  await response.body?.getReader().read();
  const [leaves, stays] = [await watcher(name), await watcher(name)];
  await leaves.leave();
  caller.abort();
  await claim(name, "ada");
  expect(await stays.next()).toMatchObject({ id: "2" });
});

test("a viewer who leaves before the first byte does not disturb the next viewer", async () => {
  const [name, caller] = [await created(5), new AbortController()];
  const response = exports.default.fetch(url(name), { signal: caller.signal });
  caller.abort();
  await expect(response).rejects.toThrow("aborted");
  expect((await (await viewer(name)).until(1)).at(-1)).toMatchObject({ data: { remaining_amount: 5 } });
});

test("HEAD of the events begins no stream", async () => {
  const name = await created(5);
  stopTime();
  const response = await fetchWith({ COUPONS: platform().coupons }, "HEAD", pathOf(name, "events"));
  expect([response.status, await response.text()]).toEqual([200, ""]);
  expect(vi.getTimerCount()).toBe(0);
});

test.for([
  [undefined, STREAM_READS_DEFAULT],
  ["3", 3],
] as const)("with STREAM_LOOKS_MAX %s, a stream ends without a timer after %i reads", async ([looksMax, readsMax]) => {
  const name = await created(5);
  const pass = stopTime();
  const over = platform();
  const only = await viewerOver(over, name, {}, { STREAM_LOOKS_MAX: looksMax });
  await only.until(1);
  for (let readCount = 1; readCount <= readsMax; readCount += 1) {
    await pass(SECOND);
    await eventually(() => over.calls.length === 1 + readCount);
  }
  expect(await only.until(2).catch((cause: unknown) => String(cause))).toContain("the stream ended");
  expect(vi.getTimerCount()).toBe(0);

  await claim(name, "ada");
  const again = await viewerOver(over, name);
  expect(await again.until(2)).toEqual([expect.objectContaining({ retry: "2000", id: "2" })]);
});

test("a stream of an unavailable coupon ends after its retry, logged as call_failed", async () => {
  const failed = vi.spyOn(console, "error");
  const over = platform(...Array.from({ length: 3 }, () => lost(platformError({ retryable: true }))));
  const response = await fetchWith({ COUPONS: over.coupons }, "GET", pathOf("any", "events"));
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  expect(await response.text()).toBe("retry: 2000\n");
  const lines = failed.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  expect(lines).toMatchObject([{ event: "call_failed", coupon: "any", code: "unavailable" }]);
});

test("a stream continues after a read without answer until the deadline", async () => {
  const name = await created(5);
  const pass = stopTime();
  const over = platform(delivered, silence);
  const stays = await viewerOver(over, name);
  await stays.until(1);
  await pass(SECOND);
  await eventually(() => over.calls.length === 2);
  await pass(CALL_DEADLINE_MS + 100);
  await claim(name, "ada");
  await pass(SECOND);
  await eventually(() => over.calls.length === 3);
  // The read has its answer once the stream has set its next timer.
  await eventually(() => vi.getTimerCount() === 1);
  expect(await stays.next()).toMatchObject({ id: "2" });
});
