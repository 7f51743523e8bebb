// Viewers who leave: nothing of them stays, and the streams of the others go on.

import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { claim, created } from "../../support/api.ts";
import { platform, type Delivery } from "../../support/platform-faults.ts";
import { fetchWith } from "../../support/worker.ts";
import { endStreams, eventually, viewer, viewerOver, watcher } from "./viewer.ts";

const SECOND = 1000;
const delivered: Delivery = (deliver) => deliver();

afterEach(endStreams);

function url(name: string): string {
  return `https://doorbuster.test/api/coupons/${name}/events`;
}

/** Takes the timers as well as the clock: a tick that is not due does not run. */
function heldTime(): (ms: number) => Promise<unknown> {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return (ms) => vi.advanceTimersByTimeAsync(ms);
}

describe("a viewer who leaves", () => {
  test("costs no read and no timer any more", async () => {
    const pass = heldTime();
    const name = await created(5);
    const over = platform();
    const only = await viewerOver(over, name);
    await only.until(1);
    const timerCount = vi.getTimerCount();
    await only.leave();
    expect(vi.getTimerCount()).toBe(timerCount - 1);
    await pass(10 * SECOND);
    expect(over.calls).toHaveLength(1);
  });

  test("while the isolate reads costs no timer after the read", async () => {
    const pass = heldTime();
    const name = await created(5);
    const isAnswered = Promise.withResolvers<void>();
    const slow: Delivery = async (deliver) => (await isAnswered.promise, deliver());
    const over = platform(delivered, slow);
    const only = await viewerOver(over, name);
    await only.until(1);
    await pass(SECOND);
    expect(over.calls).toHaveLength(2);
    await only.leave();
    isAnswered.resolve();
    await eventually(() => vi.getTimerCount() === 0);
    await pass(10 * SECOND);
    expect(over.calls).toHaveLength(2);
  });

  test("does not end the streams of the others", async () => {
    const name = await created(5);
    const [goes, stays] = [await watcher(name), await watcher(name)];
    await goes.leave();
    await claim(name, "ada");
    expect(await stays.next()).toMatchObject({ id: "2" });
  });

  test("by aborting the request does not end the streams of the others", async () => {
    const [name, caller] = [await created(5), new AbortController()];
    const response = await exports.default.fetch(url(name), { signal: caller.signal });
    await response.body?.getReader().read();
    const stays = await watcher(name);
    caller.abort();
    await claim(name, "ada");
    expect(await stays.next()).toMatchObject({ id: "2" });
  });

  test("before the first byte does not keep the others from the coupon", async () => {
    const [name, caller] = [await created(5), new AbortController()];
    const response = exports.default.fetch(url(name), { signal: caller.signal });
    caller.abort();
    await expect(response).rejects.toThrow("aborted");
    expect((await (await viewer(name)).until(1)).at(-1)).toMatchObject({ data: { remaining_amount: 5 } });
  });
});

test("a HEAD begins no stream", async () => {
  const name = await created(5);
  const over = platform();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const response = await fetchWith({ COUPONS: over.coupons }, "HEAD", `/api/coupons/${name}/events`);
  expect([response.status, await response.text()]).toEqual([200, ""]);
  expect(vi.getTimerCount()).toBe(0);
});
