// What viewers cost: the object one read a second however many they are, and nothing after they left.

import { afterEach, describe, expect, onTestFinished, test } from "vitest";

import { SNAPSHOT_TAKEOVER_MS } from "../../../src/domain/limits.ts";
import { claim, created, freshName, send, users } from "../../support/api.ts";
import { passClock, setClock } from "../../support/clock.ts";
import { lost, platform, platformError, silence, type Delivery } from "../../support/platform-faults.ts";
import { endStreams, eventually, viewer, viewerOver, watcher } from "./viewer.ts";

const SECOND = 1000;
const delivered: Delivery = (deliver) => deliver();

afterEach(endStreams);

describe("500 viewers of one coupon", () => {
  test("cost one read a second, and all see what it brings", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const over = platform();
    const earliest = await viewerOver(over, name);
    // Those who arrive within a second of a look share it.
    const audience = [earliest, ...(await Promise.all(users(499).map(() => viewerOver(over, name))))];
    await Promise.all(audience.map(({ until }) => until(1)));
    expect(over.calls).toHaveLength(1);

    for (const second of [1, 2, 3]) {
      await claim(name, `user-${second}`);
      passClock(SECOND);
      const seen = await Promise.all(audience.map(({ until }) => until(second + 1)));
      expect(seen.filter(([first]) => first?.data?.["remaining_amount"] !== 1000 - second)).toEqual([]);
      expect(over.calls).toHaveLength(1 + second);
    }
    expect(new Set(over.calls.map(({ method }) => method))).toEqual(new Set(["read"]));
  });

  test("who arrive at once cost one read, and all see what it brings", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const over = platform();
    const audience = await Promise.all(users(500).map(() => viewerOver(over, name)));
    const seen = await Promise.all(audience.map(({ until }) => until(1)));
    expect(seen.every((blocks) => blocks.at(-1)?.data?.["remaining_amount"] === 1000)).toBe(true);
    expect(over.calls).toHaveLength(1);
  });

  test("who arrive while the object is read share that read", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const gate = Promise.withResolvers<void>();
    const slow: Delivery = async (deliver) => (await gate.promise, deliver());
    const over = platform(delivered, slow);
    const earliest = await viewerOver(over, name);
    await earliest.until(1);
    passClock(SECOND);
    await eventually(() => over.calls.length === 2);
    const late = users(100).map(() => viewerOver(over, name));
    gate.resolve();
    await Promise.all((await Promise.all(late)).map(({ until }) => until(1)));
    expect(over.calls).toHaveLength(2);
  });

  test("with a Last-Event-ID beyond the head cost less than four reads", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const over = platform();
    const audience = await Promise.all(users(200).map(() => viewerOver(over, name, { "Last-Event-ID": "9007199254740991" })));
    await Promise.all(audience.map(({ until }) => until(1)));
    expect(over.calls.length).toBeLessThan(4);
  });

  test("get the coupon by another read after the first hung", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const isAnswered = Promise.withResolvers<void>();
    const over = platform(async (deliver) => (await isAnswered.promise, deliver()));
    const gone = viewerOver(over, name);
    await over.called;
    const waiting = users(20).map(() => viewerOver(over, name));
    passClock(SNAPSHOT_TAKEOVER_MS);
    await Promise.all((await Promise.all(waiting)).map(({ until }) => until(1)));
    expect(over.calls).toHaveLength(2);
    isAnswered.resolve();
    expect((await gone).response.status).toBe(200);
  });

  test("without any answer are asked to come back within the deadline of a call", async () => {
    setClock(Date.now());
    const name = await created(1000);
    const over = platform(...Array.from({ length: 20 }, () => silence));
    const waiting = users(20).map(() => viewerOver(over, name));
    const passing = setInterval(() => passClock(SNAPSHOT_TAKEOVER_MS), 1000);
    onTestFinished(() => clearInterval(passing));
    const answers = await Promise.all(waiting);
    for (const { response, next } of answers) {
      expect([response.status, await next(), await next()]).toEqual([200, { retry: "2000" }, null]);
    }
    expect(over.calls.length).toBeGreaterThan(2);
  });

  test("of no coupon are answered 404 by two reads at most", async () => {
    const [name, over] = [freshName(), platform()];
    const answers = await Promise.all(users(50).map(() => viewerOver(over, name)));
    expect(new Set(answers.map(({ response }) => response.status))).toEqual(new Set([404]));
    expect(over.calls.length).toBeLessThan(3);
  });

  test("do not share with those of another coupon", async () => {
    const [one, other] = [await created(5), await created(7)];
    const [ofOne, ofOther] = [await watcher(one), await watcher(other)];
    await claim(one, "ada");
    await claim(other, "bob");
    expect(await ofOne.next()).toMatchObject({ id: "2", data: { name: one, remaining_amount: 4 } });
    expect(await ofOther.next()).toMatchObject({ id: "2", data: { name: other, remaining_amount: 6 } });
  });
});

describe("a viewer who reads slowly", () => {
  test("gets the latest once there is room, and nothing of what was between", async () => {
    setClock(Date.now());
    const name = await created(10);
    const over = platform();
    const slow = await viewerOver(over, name);
    const fast = await viewerOver(over, name);
    await fast.until(1);
    for (const seq of [2, 3, 4, 5, 6]) {
      await claim(name, `user-${seq}`);
      passClock(SECOND);
      expect(await fast.next()).toMatchObject({ id: String(seq) });
    }
    expect(await slow.next()).toEqual({ retry: "2000" });
    expect(await slow.next()).toMatchObject({ id: "1" });
    expect(await slow.next()).toMatchObject({ id: "6", data: { remaining_amount: 5 } });
  });

  test("is sent a change of the state since the last snapshot", async () => {
    setClock(Date.now());
    const name = await created(2);
    const over = platform();
    const slow = await viewerOver(over, name);
    const fast = await viewerOver(over, name);
    await fast.until(1);
    for (const seq of [2, 3]) {
      await claim(name, `user-${seq}`);
      passClock(SECOND);
      await fast.until(seq);
    }
    const [, , state, message] = await slow.until(3);
    expect(state).toEqual({ event: "state", id: "3", data: { from: "open", to: "sold_out", seq: 3 } });
    expect(message).toMatchObject({ id: "3", data: { state: "sold_out" } });
  });

  test("who never reads is sent the deletion and holds up no other stream", async () => {
    const name = await created(2);
    const slow = await viewerOver(platform(), name);
    const fast = await viewerOver(platform(), name);
    await fast.until(1);
    await send("DELETE", `/api/coupons/${name}`);
    expect(await fast.next()).toEqual({ event: "deleted", data: {} });
    expect([await slow.next(), await slow.next(), await slow.next(), await slow.next()]).toEqual([
      { retry: "2000" },
      expect.objectContaining({ id: "1" }),
      { event: "deleted", data: {} },
      null,
    ]);
  });
});

describe("Last-Event-ID", () => {
  test.for(["3", "1", "0", "999", "-1", "three", ""])("%j is answered with the coupon as it is now", async (lastEventId) => {
    const name = await created(5);
    await claim(name, "ada");
    const seq = (await claim(name, "bob")).headers.get("Coupon-Seq");
    const { next } = await viewer(name, { "Last-Event-ID": lastEventId });
    expect(await next()).toEqual({ retry: "2000" });
    expect(await next()).toMatchObject({ id: seq, data: { remaining_amount: 3 } });
  });

  test("beyond the isolate's snapshot brings a newer one at once", async () => {
    setClock(Date.now());
    const name = await created(5);
    const early = await watcher(name);
    await claim(name, "ada");
    const { headers } = await claim(name, "bob");
    const late = await viewer(name, { "Last-Event-ID": headers.get("Coupon-Seq") ?? "" });
    await late.next();
    expect(await late.next()).toMatchObject({ id: "3" });
    // What one read brought, the others see as well.
    passClock(SECOND);
    expect(await early.next()).toMatchObject({ id: "3" });
    await claim(name, "cid");
    passClock(SECOND);
    expect([await early.next(), await late.next()]).toEqual([expect.objectContaining({ id: "4" }), expect.objectContaining({ id: "4" })]);
  });
});

describe("a read that fails", () => {
  test("ends no stream; the next second's read brings the change", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform(delivered, lost(platformError({ overloaded: true })), lost(platformError({ remote: true })));
    const audience = [await viewerOver(over, name), await viewerOver(over, name)];
    await Promise.all(audience.map(({ until }) => until(1)));
    await claim(name, "ada");
    for (const callCount of [2, 3]) {
      passClock(SECOND);
      await eventually(() => over.calls.length === callCount);
    }
    passClock(SECOND);
    for (const { next } of audience) expect(await next()).toMatchObject({ id: "2", data: { remaining_amount: 4 } });
  });

  test("without answer is taken over by another viewer after SNAPSHOT_TAKEOVER_MS", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform(delivered, silence);
    const [one, other] = [await viewerOver(over, name), await viewerOver(over, name)];
    await Promise.all([one.until(1), other.until(1)]);
    await claim(name, "ada");
    passClock(SECOND);
    await eventually(() => over.calls.length === 2);
    passClock(SNAPSHOT_TAKEOVER_MS);
    expect(await Promise.race([one.next(), other.next()])).toMatchObject({ id: "2" });
    expect(over.calls).toHaveLength(3);
  });
});
