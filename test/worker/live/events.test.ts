// A coupon's events as a viewer sees them. The clock is held where seconds are counted.

import { afterEach, describe, expect, test } from "vitest";

import { claim, create, created, freshName, send, users } from "../../support/api.ts";
import { passClock, setClock } from "../../support/clock.ts";
import { platform } from "../../support/platform-faults.ts";
import { endStreams, eventually, viewer, viewerOver, watcher } from "./viewer.ts";

const SECOND = 1000;

function change(name: string, body: unknown) {
  return send("PATCH", `/api/coupons/${name}`, { body });
}

afterEach(endStreams);

describe("a viewer", () => {
  test("is answered with an event stream that no proxy may keep", async () => {
    const name = await created(5);
    const { response } = await viewer(name);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("X-Accel-Buffering")).toBe("no");
    expect(response.headers.get("Coupon-Seq")).toBe("1");
    expect(response.headers.get("X-Request-Id")).toMatch(/^[\x21-\x7e]{1,255}$/);
  });

  test("sees at once when to come back after a break, and the snapshot of /status, named by its seq", async () => {
    setClock(Date.now());
    const name = await created(5, { ends_at: "2999-01-01T00:00:00Z" });
    await claim(name, "ada");
    const { next } = await viewer(name);
    expect(await next()).toEqual({ retry: "2000" });
    expect(await next()).toEqual({ id: "2", data: (await send("GET", `/api/coupons/${name}/status`)).body });
  });

  test("sees a claim, and no user id", async () => {
    const name = await created(5);
    const { next } = await watcher(name);
    await claim(name, "zoe");
    const block = await next();
    expect(block).toMatchObject({ id: "2", data: { name, state: "open", amount: 5, remaining_amount: 4, seq: 2 } });
    expect(JSON.stringify(block)).not.toContain("zoe");
  });

  test.for(["a/b", "100%", "用户 🎉", 'two\u2028lines "quoted"'])("sees a coupon of any name: %s", async (name) => {
    await create(name, 2);
    const { next } = await viewer(name);
    await next();
    expect(await next()).toMatchObject({ id: "1", data: { name } });
  });

  test.for([
    ["does not exist", () => Promise.resolve(freshName())],
    [
      "was deleted",
      async () => {
        const name = await created(1);
        await send("DELETE", `/api/coupons/${name}`);
        return name;
      },
    ],
  ] as const)("of a coupon that %s is answered 404 in JSON", async ([, named]) => {
    const answer = await send("GET", `/api/coupons/${await named()}/events`);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ error: "coupon not found", code: "coupon_not_found" });
    expect(answer.headers.get("Content-Type")).toBe("application/json");
  });
});

describe("what happens within a second", () => {
  test("is one message, of the latest", async () => {
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

  test("makes no more than one message a second, however much goes on", async () => {
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

  test("is no message where nothing changed", async () => {
    setClock(Date.now());
    const name = await created(1);
    await claim(name, "ada");
    const { next } = await watcher(name);
    await Promise.all([claim(name, "ada"), claim(name, "bob"), send("GET", `/api/coupons/${name}`)]);
    await change(name, { amount: 2 });
    passClock(SECOND);
    expect(await next()).toEqual({ event: "state", id: "3", data: { from: "sold_out", to: "open", seq: 3 } });
  });
});

describe("a change of the state is an event of its own before the message", () => {
  test.for<[string, string, (name: string) => Promise<unknown>]>([
    ["paused", "open", (name) => change(name, { paused: true })],
    ["sold_out", "open", (name) => claim(name, "ada")],
    ["ended", "open", (name) => change(name, { ends_at: "2020-01-01T00:00:00Z" })],
    ["scheduled", "open", (name) => change(name, { starts_at: "2999-01-01T00:00:00Z" })],
  ])("to %s", async ([to, from, happen]) => {
    setClock(Date.now());
    const name = await created(1);
    const { next } = await watcher(name);
    await happen(name);
    passClock(SECOND);
    expect(await next()).toEqual({ event: "state", id: "2", data: { from, to, seq: 2 } });
    expect(await next()).toMatchObject({ id: "2", data: { state: to, seq: 2 } });
  });

  test("also where time alone opens and ends the sale, without a new seq", async () => {
    setClock(Date.parse("2030-06-01T11:59:00Z"));
    const name = await created(5, { starts_at: "2030-06-01T12:00:00Z", ends_at: "2030-06-01T13:00:00Z" });
    const { next } = await watcher(name);
    setClock(Date.parse("2030-06-01T12:00:00Z"));
    expect(await next()).toEqual({ event: "state", id: "1", data: { from: "scheduled", to: "open", seq: 1 } });
    expect(await next()).toMatchObject({ id: "1", data: { state: "open", server_time: "2030-06-01T12:00:00.000Z" } });
    setClock(Date.parse("2030-06-01T13:00:00Z"));
    expect(await next()).toEqual({ event: "state", id: "1", data: { from: "open", to: "ended", seq: 1 } });
    expect(await next()).toMatchObject({ id: "1", data: { state: "ended" } });
  });

  test("but what was over again within the second is none", async () => {
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
});

describe("a silent stream", () => {
  test("says that it is there every fifteen seconds, in a comment", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform();
    const { next, until } = await viewerOver(over, name);
    await until(1);
    passClock(15 * SECOND - 1);
    await eventually(() => over.calls.length === 2);
    // Had a comment been sent by then, it would come before the claim.
    await claim(name, "ada");
    passClock(SECOND);
    expect(await next()).toMatchObject({ id: "2" });
    passClock(15 * SECOND);
    expect(await next()).toEqual({ comment: "still here" });
    passClock(15 * SECOND);
    expect(await next()).toEqual({ comment: "still here" });
  });

  test("counts them from what it said last", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform();
    const { next, until } = await viewerOver(over, name);
    await until(1);
    await claim(name, "ada");
    passClock(14 * SECOND);
    expect(await next()).toMatchObject({ id: "2" });
    passClock(14 * SECOND);
    await eventually(() => over.calls.length === 3);
    // Had a comment been counted from the first message, it would come before the claim.
    await claim(name, "bob");
    passClock(SECOND);
    expect(await next()).toMatchObject({ id: "3" });
    passClock(15 * SECOND);
    expect(await next()).toEqual({ comment: "still here" });
  });
});

describe("the end of a coupon", () => {
  test("is an event, and the end of every stream", async () => {
    const name = await created(5);
    const watchers = await Promise.all(users(3).map(() => watcher(name)));
    await send("DELETE", `/api/coupons/${name}`);
    for (const { next } of watchers) {
      expect(await next()).toEqual({ event: "deleted", data: {} });
      expect(await next()).toBeNull();
    }
  });

  test("that has begun again by the next look is a message of the new one, though its seq is lower", async () => {
    setClock(Date.now());
    const name = await created(5);
    await claim(name, "ada");
    const { next } = await watcher(name);
    await send("DELETE", `/api/coupons/${name}`);
    await create(name, 7);
    passClock(SECOND);
    expect(await next()).toMatchObject({ id: "1", data: { amount: 7, remaining_amount: 7 } });
  });
});
