// A coupon's events as a viewer gets them. The clock is stopped where seconds are counted.

import { afterEach, expect, test } from "vitest";

import { change, claim, create, created, freshName, read, readStatus, remove, send, users } from "../../support/api.ts";
import { iso, MINUTE, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { platform } from "../../support/platform-faults.ts";
import { expectRefused } from "../../support/wire.ts";
import { endStreams, eventually, viewer, viewerOver, watcher } from "./viewer.ts";

afterEach(endStreams);

test("a new viewer gets an event stream that proxies don't buffer or store", async () => {
  const { response } = await viewer(await created(5));
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "coupon-seq": "1",
    "x-request-id": expect.stringMatching(/^[\x21-\x7e]{1,255}$/),
  });
});

test("a new viewer gets the time to reconnect and the status", async () => {
  setClock(Date.now());
  const name = await created(5, { ends_at: "2999-01-01T00:00:00Z" });
  await claim(name, "ada");
  const { next } = await viewer(name);
  expect(await next()).toEqual({ retry: "2000", id: "2", data: (await readStatus(name)).body });
});

test.for(["a/b", "100%", 'two\u2028lines "quoted" 🎉'])("a new viewer gets the coupon called %s", async (name) => {
  await create(name, 2);
  const { next } = await viewer(name);
  expect(await next()).toMatchObject({ id: "1", data: { name } });
});

test("a viewer of a missing or deleted coupon gets 404 in JSON", async () => {
  const deleted = await created(1);
  await remove(deleted);
  for (const name of [freshName(), deleted]) {
    expectRefused(await send("GET", `/api/coupons/${name}/events`), "404 coupon_not_found", "coupon not found");
  }
});

test("a viewer sees a claim without its user id", async () => {
  const name = await created(5);
  const { next } = await watcher(name);
  await claim(name, "zoe");
  const block = await next();
  expect(block).toMatchObject({ id: "2", data: { name, state: "open", amount: 5, remaining_amount: 4, seq: 2 } });
  expect(JSON.stringify(block)).not.toContain("zoe");
});

test("a viewer gets one message for all changes of a second", async () => {
  setClock(Date.now());
  const name = await created(20);
  const { next } = await watcher(name);
  await Promise.all(users(10).map((user) => claim(name, user)));
  passClock(SECOND);
  expect(await next()).toMatchObject({ id: "11", data: { remaining_amount: 10 } });
  await claim(name, "late");
  passClock(SECOND);
  expect(await next()).toMatchObject({ id: "12", data: { remaining_amount: 9 } });
});

test("a viewer gets one message a second while claims continue", async () => {
  setClock(Date.now());
  const name = await created(20);
  const over = platform();
  const { until } = await viewerOver(over, name);
  await until(1);
  for (const second of [1, 2, 3]) {
    for (const user of users(4, `user-${second}`)) {
      passClock(SECOND / 4);
      await claim(name, user);
    }
    await until(1 + 4 * second);
    expect(over.calls).toHaveLength(1 + second);
  }
});

test("a viewer gets no message for reads and refused claims", async () => {
  setClock(Date.now());
  const name = await created(1);
  await claim(name, "ada");
  const { next } = await watcher(name);
  await Promise.all([claim(name, "ada"), claim(name, "bob"), read(name)]);
  await change(name, { amount: 2 });
  passClock(SECOND);
  expect(await next()).toEqual({ event: "state", id: "3", data: { from: "sold_out", to: "open", seq: 3 } });
});

test.for<[string, (name: string) => Promise<unknown>]>([
  ["paused", (name) => change(name, { paused: true })],
  ["sold_out", (name) => claim(name, "ada")],
  ["ended", (name) => change(name, { ends_at: "2020-01-01T00:00:00Z" })],
  ["scheduled", (name) => change(name, { starts_at: "2999-01-01T00:00:00Z" })],
])("a state event comes before the message when an open sale becomes %s", async ([to, happen]) => {
  setClock(Date.now());
  const name = await created(1);
  const { next } = await watcher(name);
  await happen(name);
  passClock(SECOND);
  expect(await next()).toEqual({ event: "state", id: "2", data: { from: "open", to, seq: 2 } });
  expect(await next()).toMatchObject({ id: "2", data: { state: to, seq: 2 } });
});

test("a state event comes when time alone starts and ends the sale", async () => {
  setClock(T0 - MINUTE);
  const name = await created(5, { starts_at: iso(T0), ends_at: iso(T0 + MINUTE) });
  const { next } = await watcher(name);
  setClock(T0);
  expect(await next()).toEqual({ event: "state", id: "1", data: { from: "scheduled", to: "open", seq: 1 } });
  expect(await next()).toMatchObject({ id: "1", data: { state: "open", server_time: iso(T0) } });
  setClock(T0 + MINUTE);
  expect(await next()).toEqual({ event: "state", id: "1", data: { from: "open", to: "ended", seq: 1 } });
  expect(await next()).toMatchObject({ id: "1", data: { state: "ended" } });
});

test("a pause that ends within the second sends no state event", async () => {
  setClock(Date.now());
  const name = await created(5);
  const { next } = await watcher(name);
  await change(name, { paused: true });
  await change(name, { paused: false });
  passClock(SECOND);
  const block = await next();
  expect(block).toMatchObject({ id: "3", data: { state: "open" } });
  expect(block).not.toHaveProperty("event");
});

test("a silent stream sends a comment every fifteen seconds after its last message", async () => {
  setClock(Date.now());
  const name = await created(5);
  const over = platform();
  const { next, until } = await viewerOver(over, name);
  await until(1);
  passClock(15 * SECOND - 1);
  await eventually(() => over.calls.length === 2);
  // A comment that was sent too early comes before this claim.
  await claim(name, "ada");
  passClock(SECOND);
  expect(await next()).toMatchObject({ id: "2" });
  passClock(14 * SECOND);
  await eventually(() => over.calls.length === 4);
  // A comment that is counted from the first message comes before this claim.
  await claim(name, "bob");
  passClock(SECOND);
  expect(await next()).toMatchObject({ id: "3" });
  for (let count = 1; count <= 2; count += 1) {
    passClock(15 * SECOND);
    expect(await next()).toEqual({ comment: "still here" });
  }
});

test("a delete sends an event and ends every stream", async () => {
  const name = await created(5);
  const watchers = await Promise.all(users(3).map(() => watcher(name)));
  await remove(name);
  for (const { next } of watchers) {
    expect(await next()).toEqual({ event: "deleted", data: {} });
    expect(await next()).toBeNull();
  }
});

test("a delete and a create within a second are one message", async () => {
  setClock(Date.now());
  const name = await created(5);
  await claim(name, "ada");
  const { next } = await watcher(name);
  await remove(name);
  await create(name, 7);
  passClock(SECOND);
  expect(await next()).toMatchObject({ id: "1", data: { amount: 7, remaining_amount: 7 } });
});
