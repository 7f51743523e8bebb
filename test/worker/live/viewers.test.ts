// All viewers of a coupon together cost its object one read a second.

import { afterEach, expect, onTestFinished, test } from "vitest";

import { SNAPSHOT_TAKEOVER_MS, STREAM_GAP_MS } from "../../../src/domain/limits.ts";
import { change, claim, created, freshName, read, remove, users } from "../../support/api.ts";
import { iso, MINUTE, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { delivered, gated, lost, platform, platformError, silence } from "../../support/platform-faults.ts";
import { endStreams, eventually, viewer, viewerOver, viewersOver, watcher } from "./viewer.ts";

afterEach(endStreams);

test("500 viewers cost one read a second and see every change", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const over = platform();
  const viewers = await viewersOver(over, name, 500);
  expect(over.calls).toHaveLength(1);
  for (const second of [1, 2, 3]) {
    await claim(name, `user-${second}`);
    passClock(SECOND);
    const seen = await Promise.all(viewers.map(({ until }) => until(second + 1)));
    expect(seen.filter(([first]) => first?.data?.["remaining_amount"] !== 1000 - second)).toEqual([]);
    expect(over.calls).toHaveLength(1 + second);
  }
  expect(new Set(over.calls.map(({ method }) => method))).toEqual(new Set(["read"]));
});

test("viewers who arrive during a read share it", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const { delivery, open } = gated();
  const over = platform(delivered, delivery);
  await viewersOver(over, name, 1);
  passClock(SECOND);
  await eventually(() => over.calls.length === 2);
  const arriving = viewersOver(over, name, 100);
  open();
  await arriving;
  expect(over.calls).toHaveLength(2);
});

test("200 viewers with a Last-Event-ID beyond the ledger's head cost less than four reads", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const over = platform();
  const viewers = await Promise.all(users(200).map(() => viewerOver(over, name, { "Last-Event-ID": "9007199254740991" })));
  await Promise.all(viewers.map(({ until }) => until(1)));
  expect(over.calls.length).toBeLessThan(4);
});

test("30 such viewers one after the other cost less than six reads", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const over = platform();
  await viewersOver(over, name, 1);
  const arriving = [];
  for (const _ of users(30)) {
    arriving.push(viewerOver(over, name, { "Last-Event-ID": "9007199254740991" }));
    // As long as a read takes.
    await read(name);
  }
  await Promise.all(arriving);
  expect(over.calls.length).toBeLessThan(6);
});

test("viewers get the coupon by a second read while the first hangs", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const { delivery, open } = gated();
  const over = platform(delivery);
  const first = viewerOver(over, name);
  await over.called;
  const waiting = viewersOver(over, name, 20);
  passClock(SNAPSHOT_TAKEOVER_MS);
  await waiting;
  expect(over.calls).toHaveLength(2);
  open();
  expect((await first).response.status).toBe(200);
});

test("viewers without any answer get a retry within the deadline of a call", async () => {
  setClock(Date.now());
  const name = await created(1000);
  const over = platform(...Array.from({ length: 20 }, () => silence));
  const waiting = users(20).map(() => viewerOver(over, name));
  const passing = setInterval(() => passClock(SNAPSHOT_TAKEOVER_MS), 1000);
  onTestFinished(() => clearInterval(passing));
  for (const { response, next } of await Promise.all(waiting)) {
    expect([response.status, await next(), await next()]).toEqual([200, { retry: "2000" }, null]);
  }
  expect(over.calls.length).toBeGreaterThan(2);
});

test("50 viewers of a missing coupon get 404 by two reads at most", async () => {
  const [name, over] = [freshName(), platform()];
  const viewers = await Promise.all(users(50).map(() => viewerOver(over, name)));
  expect(new Set(viewers.map(({ response }) => response.status))).toEqual(new Set([404]));
  expect(over.calls.length).toBeLessThan(3);
});

test("viewers of two coupons see their own coupon alone", async () => {
  const [one, other] = [await created(5), await created(7)];
  const [ofOne, ofOther] = [await watcher(one), await watcher(other)];
  await claim(one, "ada");
  await claim(other, "bob");
  expect(await ofOne.next()).toMatchObject({ id: "2", data: { name: one, remaining_amount: 4 } });
  expect(await ofOther.next()).toMatchObject({ id: "2", data: { name: other, remaining_amount: 6 } });
});

test("a viewer who reads slowly skips to the latest snapshot and its state", async () => {
  setClock(Date.now());
  const name = await created(3);
  const over = platform();
  const slow = await viewerOver(over, name);
  const fast = await viewerOver(over, name);
  await fast.until(1);
  for (const seq of [2, 3, 4]) {
    await claim(name, `user-${seq}`);
    passClock(SECOND);
    await fast.until(seq);
  }
  expect(await slow.until(4)).toEqual([
    expect.objectContaining({ retry: "2000", id: "1" }),
    { event: "state", id: "4", data: { from: "open", to: "sold_out", seq: 4 } },
    expect.objectContaining({ id: "4", data: expect.objectContaining({ state: "sold_out", remaining_amount: 0 }) }),
  ]);
});

test("a viewer who reads slowly gets the deletion and delays no other stream", async () => {
  const name = await created(2);
  const slow = await viewerOver(platform(), name);
  const fast = await viewerOver(platform(), name);
  await fast.until(1);
  await remove(name);
  expect(await fast.next()).toEqual({ event: "deleted", data: {} });
  expect([await slow.next(), await slow.next(), await slow.next()]).toEqual([
    expect.objectContaining({ retry: "2000", id: "1" }),
    { event: "deleted", data: {} },
    null,
  ]);
});

test.for(["3", "1", "999", "-1", "1e400", "three", ""])(
  "a viewer with Last-Event-ID %j gets the coupon as it is now",
  async (lastEventId) => {
    const name = await created(5);
    await claim(name, "ada");
    const seq = (await claim(name, "bob")).headers.get("Coupon-Seq");
    const { next } = await viewer(name, { "Last-Event-ID": lastEventId });
    expect(await next()).toMatchObject({ retry: "2000", id: seq, data: { remaining_amount: 3 } });
  },
);

test("a viewer with Last-Event-ID beyond the isolate's snapshot gets a newer one at once", async () => {
  setClock(Date.now());
  const name = await created(5);
  const early = await watcher(name);
  await claim(name, "ada");
  const { headers } = await claim(name, "bob");
  const late = await viewer(name, { "Last-Event-ID": headers.get("Coupon-Seq") ?? "" });
  expect(await late.next()).toMatchObject({ id: "3" });
  passClock(SECOND);
  expect(await early.next()).toMatchObject({ id: "3" });
  await claim(name, "cid");
  passClock(SECOND);
  for (const { next } of [early, late]) expect(await next()).toMatchObject({ id: "4" });
});

test("a viewer who reconnects gets a state event only for a missed change", async () => {
  const name = await created(2);
  await (await watcher(name)).leave();
  await claim(name, "ada");
  const second = await viewer(name, { "Last-Event-ID": "1" });
  expect(await second.next()).toMatchObject({ retry: "2000", id: "2", data: { state: "open" } });
  await second.leave();
  await change(name, { paused: true });
  const third = await viewer(name, { "Last-Event-ID": "2" });
  expect(await third.next()).toEqual({ retry: "2000", event: "state", id: "3", data: { from: "open", to: "paused", seq: 3 } });
  expect(await third.next()).toMatchObject({ id: "3", data: { state: "paused" } });
});

test("a viewer who reconnects gets the event of a start within STREAM_GAP_MS only", async () => {
  setClock(T0 - MINUTE);
  const name = await created(5, { starts_at: iso(T0) });
  await (await watcher(name)).leave();
  setClock(T0);
  const event = { event: "state", id: "1", data: { from: "scheduled", to: "open", seq: 1 } };
  expect(await (await viewer(name, { "Last-Event-ID": "1" })).next()).toMatchObject(event);
  passClock(STREAM_GAP_MS);
  const late = await (await viewer(name, { "Last-Event-ID": "1" })).next();
  expect(late).toMatchObject({ id: "1", data: { state: "open" } });
  expect(late).not.toHaveProperty("event");
});

test("a stream's read that fails twice ends no stream", async () => {
  setClock(Date.now());
  const name = await created(5);
  const over = platform(delivered, lost(platformError({ overloaded: true })), lost(platformError({ remote: true })));
  const viewers = await viewersOver(over, name, 2);
  await claim(name, "ada");
  for (const callCount of [2, 3]) {
    passClock(SECOND);
    await eventually(() => over.calls.length === callCount);
  }
  passClock(SECOND);
  for (const { next } of viewers) expect(await next()).toMatchObject({ id: "2", data: { remaining_amount: 4 } });
});

test("another viewer takes over a stream's read after SNAPSHOT_TAKEOVER_MS without an answer", async () => {
  setClock(Date.now());
  const name = await created(5);
  const over = platform(delivered, silence);
  const viewers = await viewersOver(over, name, 2);
  await claim(name, "ada");
  passClock(SECOND);
  await eventually(() => over.calls.length === 2);
  passClock(SNAPSHOT_TAKEOVER_MS);
  expect(await Promise.race(viewers.map(({ next }) => next()))).toMatchObject({ id: "2" });
  expect(over.calls).toHaveLength(3);
});
