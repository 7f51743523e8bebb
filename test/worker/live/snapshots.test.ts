// What an isolate shows of a coupon to visitors: read once a second at most, and never older than what it acknowledged.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, onTestFinished, test } from "vitest";

import { SNAPSHOT_MS_MAX, SNAPSHOT_TAKEOVER_MS, SNAPSHOTS_MAX } from "../../../src/domain/limits.ts";
import { claim, create, created, freshName, send, users, type Answer } from "../../support/api.ts";
import { passClock, setClock } from "../../support/clock.ts";
import { lost, platform, platformError, type Delivery, type Platform } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { workerWith, type Ask } from "../../support/worker.ts";
import { eventually } from "./viewer.ts";

/** A Worker with an operator's token, which its visitors do not send. */
function visitorsOf({ coupons }: Platform): Ask {
  return workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator", COUPONS: coupons, REQUEST_LOG: "off" });
}

/** Both public views of a coupon. */
const VIEWS = [
  ["the status", "/status"],
  ["the coupon", ""],
] as const;

function facts({ status, body }: Answer): unknown {
  return status === 200 ? [body["amount"], body["remaining_amount"], body["state"]] : `${status} ${String(body["code"])}`;
}

/** The different ones among `answers`. */
function kinds(answers: readonly Answer[]): string[] {
  return [...new Set(answers.map((answer) => JSON.stringify(facts(answer))))];
}

describe.for(VIEWS)("%s", ([, view]) => {
  const pathOf = (name: string) => `/api/coupons/${name}${view}`;

  test("costs one read a second for 100 requests at once", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform();
    const ask = visitorsOf(over);
    for (const second of [1, 2, 3]) {
      await stubOf(name).claim({ userId: `user-${second}`, key: null, attemptId: "elsewhere" });
      const answers = await Promise.all(users(100).map(() => ask("GET", pathOf(name))));
      expect(kinds(answers)).toEqual([JSON.stringify([5, 5 - second, "open"])]);
      expect(over.calls.map(({ method }) => method)).toEqual(Array.from({ length: second }, () => "read"));
      passClock(SNAPSHOT_MS_MAX);
    }
  });

  test("is at most a second old", async () => {
    setClock(Date.now());
    const name = await created(5);
    const ask = visitorsOf(platform());
    await ask("GET", pathOf(name));
    await stubOf(name).claim({ userId: "ada", key: null, attemptId: "elsewhere" });
    passClock(SNAPSHOT_MS_MAX - 1);
    expect(facts(await ask("GET", pathOf(name)))).toEqual([5, 5, "open"]);
    passClock(1);
    expect(facts(await ask("GET", pathOf(name)))).toEqual([5, 4, "open"]);
  });

  test("shows at once what this isolate acknowledged: a claim, a delete, a new coupon", async () => {
    setClock(Date.now());
    const name = await created(1);
    const ask = visitorsOf(platform());
    expect(facts(await ask("GET", pathOf(name)))).toEqual([1, 1, "open"]);
    expect((await claim(name, "ada")).status).toBe(201);
    expect(facts(await ask("GET", pathOf(name)))).toEqual([1, 0, "sold_out"]);
    expect((await send("DELETE", `/api/coupons/${name}`)).status).toBe(204);
    expect(facts(await ask("GET", pathOf(name)))).toBe("404 coupon_not_found");
    expect((await create(name, 7)).status).toBe(201);
    expect(facts(await ask("GET", pathOf(name)))).toEqual([7, 7, "open"]);
  });

  test("shows a coupon created again at the same seq", async () => {
    setClock(Date.now());
    const name = await created(5);
    const ask = visitorsOf(platform());
    expect(facts(await ask("GET", pathOf(name)))).toEqual([5, 5, "open"]);
    await send("DELETE", `/api/coupons/${name}`);
    expect((await create(name, 7)).headers.get("Coupon-Seq")).toBe("1");
    expect(facts(await ask("GET", pathOf(name)))).toEqual([7, 7, "open"]);
  });

  test("shows no coupon after its delete, whatever was read while it waited", async () => {
    setClock(Date.now());
    const name = await created(5);
    const ask = visitorsOf(platform());
    const overtaken: Delivery = async (deliver) => {
      await claim(name, "ada");
      await ask("GET", pathOf(name));
      return deliver();
    };
    const { coupons } = platform(overtaken);
    expect((await workerWith({ COUPONS: coupons })("DELETE", `/api/coupons/${name}`)).status).toBe(204);
    expect(facts(await ask("GET", pathOf(name)))).toBe("404 coupon_not_found");
  });

  test("never goes back, whatever is acknowledged while it is read", async () => {
    setClock(Date.now());
    const name = await created(5);
    const late: Delivery = async (deliver) => {
      const answer = await deliver();
      await claim(name, "ada");
      return answer;
    };
    const ask = visitorsOf(platform(late));
    await ask("GET", pathOf(name));
    expect(facts(await ask("GET", pathOf(name)))).toEqual([5, 4, "open"]);
  });

  test("ends with the window edge", async () => {
    setClock(Date.parse("2030-06-01T11:59:59.900Z"));
    const name = await created(5, { starts_at: "2030-06-01T12:00:00Z", ends_at: "2030-06-01T12:00:00.300Z" });
    const over = platform();
    const ask = visitorsOf(over);
    const shown: unknown[] = [];
    for (const ms of ["59.900", "59.999", "00.000", "00.299", "00.300"]) {
      setClock(Date.parse(`2030-06-01T${ms.startsWith("5") ? "11:59" : "12:00"}:${ms}Z`));
      shown.push([ms, (await ask("GET", pathOf(name))).body["state"], over.calls.length]);
    }
    expect(shown).toEqual([
      ["59.900", "scheduled", 1],
      ["59.999", "scheduled", 1],
      ["00.000", "open", 2],
      ["00.299", "open", 2],
      ["00.300", "ended", 3],
    ]);
  });

  test("of no coupon costs one read a second", async () => {
    setClock(Date.now());
    const [name, over] = [freshName(), platform()];
    const ask = visitorsOf(over);
    const answers = await Promise.all(users(100).map(() => ask("GET", pathOf(name))));
    expect(kinds(answers)).toEqual([JSON.stringify("404 coupon_not_found")]);
    expect(over.calls.length).toBeLessThanOrEqual(2);
  });

  test("is read anew by the next visitor after a read that failed", async () => {
    setClock(Date.now());
    const name = await created(5);
    const over = platform(lost(platformError({ overloaded: true })));
    const ask = visitorsOf(over);
    const [first, ...others] = await Promise.all(users(100).map(() => ask("GET", pathOf(name))));
    expect(first === undefined ? null : facts(first)).toBe("503 unavailable");
    expect(kinds(others)).toEqual([JSON.stringify([5, 5, "open"])]);
    expect(over.calls).toHaveLength(2);
  });

  test("is read by another visitor after SNAPSHOT_TAKEOVER_MS", async () => {
    setClock(Date.now());
    const name = await created(5);
    const isAnswered = Promise.withResolvers<void>();
    const over = platform(async (deliver) => (await isAnswered.promise, deliver()));
    const ask = visitorsOf(over);
    const first = ask("GET", pathOf(name));
    await over.called;
    const waiting = users(20).map(() => ask("GET", pathOf(name)));
    passClock(SNAPSHOT_TAKEOVER_MS);
    const answers = await Promise.all(waiting);
    expect(kinds(answers)).toEqual([JSON.stringify([5, 5, "open"])]);
    expect(over.calls).toHaveLength(2);
    isAnswered.resolve();
    expect(facts(await first)).toEqual([5, 5, "open"]);
  });
});

test("the operator reads the coupon from its object, not from the snapshot", async () => {
  setClock(Date.now());
  const name = await created(5);
  const ask = visitorsOf(platform());
  await ask("GET", `/api/coupons/${name}`);
  await stubOf(name).claim({ userId: "ada", key: null, attemptId: "elsewhere" });
  expect((await ask("GET", `/api/coupons/${name}`)).body["remaining_amount"]).toBe(5);
  const { body } = await ask("GET", `/api/coupons/${name}`, { authorization: "Bearer operator" });
  expect(body).toMatchObject({ remaining_amount: 4, claimed_by: ["ada"] });
  // And so is what the visitors see from then on.
  expect((await ask("GET", `/api/coupons/${name}`)).body["remaining_amount"]).toBe(4);
});

test("server_time in a status goes on while the snapshot stays", async () => {
  setClock(Date.parse("2030-06-01T12:00:00Z"));
  const name = await created(5);
  const ask = visitorsOf(platform());
  await ask("GET", `/api/coupons/${name}/status`);
  passClock(600);
  const { body } = await ask("GET", `/api/coupons/${name}/status`);
  expect(body["server_time"]).toBe("2030-06-01T12:00:00.600Z");
});

test("a visitor who leaves during the read leaves the others its answer", async () => {
  setClock(Date.now());
  const name = await created(5);
  const path = `https://doorbuster.test/api/coupons/${name}/status`;
  const gate = { isOpen: false, isHeld: false };
  const holding = runInDurableObject(stubOf(name), (_object, state) =>
    state.blockConcurrencyWhile(async () => {
      gate.isHeld = true;
      while (!gate.isOpen) await scheduler.wait(1);
    }),
  );
  onTestFinished(() => {
    gate.isOpen = true;
  });
  // A promise of the object's would go on in its context, which can't abort a request.
  await eventually(() => gate.isHeld);
  const leaving = new AbortController();
  const gone = exports.default.fetch(path, { signal: leaving.signal }).catch(() => null);
  // Requests begin in order: with the second one, the first has begun.
  await send("GET", "/health");
  const waiting = users(20).map(() => exports.default.fetch(path));
  await send("GET", "/health");
  leaving.abort();
  expect(await gone).toBeNull();
  gate.isOpen = true;
  await holding;
  // The clock stands: no other visitor reads instead.
  for (const response of await Promise.all(waiting)) expect(await response.json()).toMatchObject({ remaining_amount: 5 });
});

test("an isolate keeps SNAPSHOTS_MAX snapshots, and reads the one that was dropped again", async () => {
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
