// Snapshots: an isolate reads a coupon once a second, and shows nothing older than what it acknowledged.

import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { SNAPSHOT_MS_MAX, SNAPSHOT_TAKEOVER_MS, SNAPSHOTS_MAX } from "../../../src/domain/limits.ts";
import { claim, create, created, freshName, outcomeOf, send, users, type Answer } from "../../support/api.ts";
import { iso, passClock, setClock, T0 } from "../../support/clock.ts";
import { newCoupon } from "../../support/new-coupon.ts";
import { gated, hangObject, lost, platform, platformError, type Delivery, type Platform } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { workerWith, type Ask } from "../../support/worker.ts";

/** A Worker with an operator's token, which visitors do not send. */
function visitorsOf({ coupons }: Platform): Ask {
  return workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator", COUPONS: coupons, REQUEST_LOG: "off" });
}

/** What an answer shows: `4/5 open`, or its outcome. */
function shownBy(answer: Answer): string {
  const { amount, remaining_amount: remaining, state } = answer.body;
  return answer.status === 200 ? `${Number(remaining)}/${Number(amount)} ${String(state)}` : outcomeOf(answer);
}

describe.for([
  ["a status snapshot", "/status"],
  ["a coupon snapshot", ""],
] as const)("%s", ([what, view]) => {
  /** A visitor's read of a coupon over `over`. */
  function visitor(over: Platform = platform()): (name: string) => Promise<string> {
    const ask = visitorsOf(over);
    return async (name) => shownBy(await ask("GET", `/api/coupons/${name}${view}`));
  }

  test(`${what} costs one read a second for 100 visitors at once`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform();
    const show = visitor(over);
    for (const second of [1, 2, 3]) {
      await stubOf(name).claim({ userId: `user-${second}`, key: null, attemptId: "elsewhere" });
      const answers = await Promise.all(users(100).map(() => show(name)));
      expect(new Set(answers)).toEqual(new Set([`${5 - second}/5 open`]));
      expect(over.calls.map(({ method }) => method)).toEqual(Array.from({ length: second }, () => "read"));
      passClock(SNAPSHOT_MS_MAX);
    }
  });

  test(`${what} is at most a second old`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const show = visitor();
    await show(name);
    await stubOf(name).claim({ userId: "ada", key: null, attemptId: "elsewhere" });
    passClock(SNAPSHOT_MS_MAX - 1);
    expect(await show(name)).toEqual("5/5 open");
    passClock(1);
    expect(await show(name)).toEqual("4/5 open");
  });

  test(`${what} shows at once what its isolate acknowledged`, async () => {
    setClock(Date.now());
    const name = await created(1);
    const show = visitor();
    expect(await show(name)).toEqual("1/1 open");
    expect((await claim(name, "ada")).status).toBe(201);
    expect(await show(name)).toEqual("0/1 sold_out");
    expect((await send("DELETE", `/api/coupons/${name}`)).status).toBe(204);
    expect(await show(name)).toBe("404 coupon_not_found");
    expect((await create(name, 7)).status).toBe(201);
    expect(await show(name)).toEqual("7/7 open");
  });

  test(`${what} shows a recreated coupon at the same seq`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const show = visitor();
    expect(await show(name)).toEqual("5/5 open");
    await send("DELETE", `/api/coupons/${name}`);
    expect((await create(name, 7)).headers.get("Coupon-Seq")).toBe("1");
    expect(await show(name)).toEqual("7/7 open");
  });

  test(`${what} after a claim shows the coupon that another isolate recreated`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const show = visitor();
    for (const user of ["ada", "bob"]) await claim(name, user);
    expect(await show(name)).toEqual("3/5 open");
    await stubOf(name).remove();
    await stubOf(name).create(newCoupon(7, { name }));
    expect((await claim(name, "cid")).headers.get("Coupon-Seq")).toBe("2");
    expect(await show(name)).toEqual("6/7 open");
  });

  test(`${what} is 404 after a delete that a read overtook`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const show = visitor();
    const overtaken: Delivery = async (deliver) => {
      await claim(name, "ada");
      await show(name);
      return deliver();
    };
    const { coupons } = platform(overtaken);
    expect((await workerWith({ COUPONS: coupons })("DELETE", `/api/coupons/${name}`)).status).toBe(204);
    expect(await show(name)).toBe("404 coupon_not_found");
  });

  test(`${what} never goes back after a claim during its read`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const late: Delivery = async (deliver) => {
      const answer = await deliver();
      await claim(name, "ada");
      return answer;
    };
    const show = visitor(platform(late));
    await show(name);
    expect(await show(name)).toEqual("4/5 open");
  });

  test(`${what} changes at both edges of the window`, async () => {
    setClock(T0 - 100);
    const name = await created(5, { starts_at: iso(T0), ends_at: iso(T0 + 300) });
    const over = platform();
    const show = visitor(over);
    const shown: unknown[] = [];
    for (const ms of [-100, -1, 0, 299, 300]) {
      setClock(T0 + ms);
      shown.push([ms, await show(name), over.calls.length]);
    }
    expect(shown).toEqual([
      [-100, "5/5 scheduled", 1],
      [-1, "5/5 scheduled", 1],
      [0, "5/5 open", 2],
      [299, "5/5 open", 2],
      [300, "5/5 ended", 3],
    ]);
  });

  test(`${what} of a missing coupon costs two reads at most`, async () => {
    setClock(Date.now());
    const [name, over] = [freshName(), platform()];
    const show = visitor(over);
    const answers = await Promise.all(users(100).map(() => show(name)));
    expect(new Set(answers)).toEqual(new Set(["404 coupon_not_found"]));
    expect(over.calls.length).toBeLessThanOrEqual(2);
  });

  test(`${what} is read again after a failed read`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform(lost(platformError({ overloaded: true })));
    const show = visitor(over);
    const [first, ...others] = await Promise.all(users(100).map(() => show(name)));
    expect(first).toBe("503 unavailable");
    expect(new Set(others)).toEqual(new Set(["5/5 open"]));
    expect(over.calls).toHaveLength(2);
  });

  test(`${what} is read by another visitor when a read takes SNAPSHOT_TAKEOVER_MS`, async () => {
    setClock(Date.now());
    const name = await created(5);
    const { delivery, open } = gated();
    const over = platform(delivery);
    const show = visitor(over);
    const first = show(name);
    await over.called;
    const waiting = users(20).map(() => show(name));
    passClock(SNAPSHOT_TAKEOVER_MS);
    const answers = await Promise.all(waiting);
    expect(new Set(answers)).toEqual(new Set(["5/5 open"]));
    expect(over.calls).toHaveLength(2);
    open();
    expect(await first).toEqual("5/5 open");
  });
});

test("the operator reads the coupon from its object, which renews the snapshot", async () => {
  setClock(Date.now());
  const name = await created(5);
  const ask = visitorsOf(platform());
  await ask("GET", `/api/coupons/${name}`);
  await stubOf(name).claim({ userId: "ada", key: null, attemptId: "elsewhere" });
  expect((await ask("GET", `/api/coupons/${name}`)).body["remaining_amount"]).toBe(5);
  const { body } = await ask("GET", `/api/coupons/${name}`, { authorization: "Bearer operator" });
  expect(body).toMatchObject({ remaining_amount: 4, claimed_by: ["ada"] });
  expect((await ask("GET", `/api/coupons/${name}`)).body["remaining_amount"]).toBe(4);
});

test("server_time in a status is current while the snapshot is older", async () => {
  setClock(T0);
  const name = await created(5);
  const ask = visitorsOf(platform());
  await ask("GET", `/api/coupons/${name}/status`);
  passClock(600);
  const { body } = await ask("GET", `/api/coupons/${name}/status`);
  expect(body["server_time"]).toBe(iso(T0 + 600));
});

test("a visitor who aborts during the read leaves its answer to the others", async () => {
  setClock(Date.now());
  const name = await created(5);
  const path = `https://doorbuster.test/api/coupons/${name}/status`;
  const { resume } = await hangObject(name);
  const leaving = new AbortController();
  const gone = exports.default.fetch(path, { signal: leaving.signal }).catch(() => null);
  // Requests begin in order. Once this one is answered, the first has begun.
  await send("GET", "/health");
  const waiting = users(20).map(() => exports.default.fetch(path));
  await send("GET", "/health");
  leaving.abort();
  expect(await gone).toBeNull();
  await resume();
  // The clock stands still, so no other visitor takes over the read.
  for (const response of await Promise.all(waiting)) expect(await response.json()).toMatchObject({ remaining_amount: 5 });
});

test("an isolate keeps SNAPSHOTS_MAX snapshots and reads a dropped one again", async () => {
  setClock(Date.now());
  const over = platform();
  const ask = visitorsOf(over);
  const names = users(SNAPSHOTS_MAX + 1, freshName());
  for (const name of names) expect((await ask("GET", `/api/coupons/${name}/status`)).status).toBe(404);
  expect(over.calls).toHaveLength(SNAPSHOTS_MAX + 1);
  await ask("GET", `/api/coupons/${String(names.at(-1))}/status`);
  expect(over.calls).toHaveLength(SNAPSHOTS_MAX + 1);
  await ask("GET", `/api/coupons/${String(names[0])}/status`);
  expect(over.calls).toHaveLength(SNAPSHOTS_MAX + 2);
});
