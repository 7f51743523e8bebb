// A courier over its real storage, a real coupon and a real database: nothing is lost, and an idle one has no alarm.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";

import { iso, SECOND, setClock, T0 } from "../../support/clock.ts";
import { claim, create, created, freshName, remove, send as ask, pathOf, users } from "../../support/api.ts";
import { expectNothingStored, runSql, stubOf } from "../../support/storage.ts";
import { changeEndpoint } from "../../../src/read-model/webhooks.ts";
import { workerWith } from "../../support/worker.ts";
import { send } from "../../../src/webhooks/send.ts";
import { onStage, receiver, register, stopCouriers } from "./courier-stage.ts";

beforeEach(async () => {
  await env.DB.exec("DELETE FROM webhooks");
});

async function metricsOf(path: string): Promise<string> {
  return String((await workerWith({})("GET", path)).body["text"]);
}

/** A coupon whose grants an endpoint of its own gets. */
async function subscribed(amount = 1): Promise<{ readonly name: string; readonly id: string }> {
  const name = freshName();
  const id = await register(name, { events: ["claim.granted"] });
  await create(name, amount);
  return { name, id };
}

/** The users whose claims of a coupon the read model has. */
async function claimants(name: string): Promise<unknown[]> {
  const select = `SELECT user_id FROM claims JOIN coupons USING (epoch) WHERE name = ? AND deleted_at IS NULL ORDER BY position`;
  return (await env.DB.prepare(select).bind(name).raw()).flat();
}

test("a claim reaches the read model, and the courier that has delivered all has no alarm", async () => {
  const name = await created(2);
  await claim(name, "ada");
  await expect.poll(() => claimants(name), { timeout: 20_000 }).toEqual(["ada"]);
  const { body } = await ask("GET", pathOf(name, "delivery"));
  expect(body).toMatchObject({ head_seq: 2, sinks: [{ lag_events: 0 }] });
  await expect.poll(() => onStage(name, {}, ({ storage }) => storage.getAlarm()), { timeout: 20_000 }).toBe(null);
  await remove(name);
  await expectNothingStored(name);
  await expect.poll(() => onStage(name, {}, async ({ storage }) => (await storage.list()).size), { timeout: 20_000 }).toBe(0);
});

test("a database that fails is tried again by alarm, and gets what it missed", async () => {
  stopCouriers();
  const name = await created(2);
  await claim(name, "ada");
  const isDown = { refuses: () => true };
  expect(await onStage(name, isDown, async ({ run }) => [await run(), await run()])).toEqual([expect.any(Number), expect.any(Number)]);
  expect(await claimants(name)).toEqual([]);
  setClock(Date.now() + 60 * SECOND);
  await claim(name, "bob");
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  expect(await claimants(name)).toEqual(["ada", "bob"]);
});

test("after an interruption with nothing to deliver, the courier comes to rest", async () => {
  stopCouriers();
  setClock(T0);
  const name = await created(1);
  await onStage(name, {}, ({ run }) => run());
  expect(await onStage(name, { deliver: () => Promise.reject(new Error("reset")) }, ({ run }) => run())).toBe(SECOND);
  setClock(T0 + SECOND);
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
});

test("where the list of webhooks can't be read, events and a deleted ledger are kept for unknown ones", async () => {
  stopCouriers();
  setClock(T0);
  const name = freshName();
  await register(name);
  await create(name, 1);
  await claim(name, "ada");
  await remove(name);
  const received = receiver();
  const noList = { refuses: (statement: string) => statement.includes("webhooks") };
  expect(await onStage(name, noList, ({ run }) => run())).toEqual(expect.any(Number));
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  expect(received).toEqual(["coupon.created 1", "coupon.started 1", "claim.granted 2", "coupon.sold_out 2", "coupon.deleted 3"]);
  await expectNothingStored(name);
});

test("a webhook with the longest list of coupons is stored, also with 49 others", async () => {
  stopCouriers();
  const name = await created(1);
  const names = Array.from({ length: 99 }, (_, index) => `${index}-`.padEnd(509, "😀"));
  for (let count = 0; count < 50; count += 1) await register(name, { coupons: [name, ...names] });
  const received = receiver();
  await claim(name, "ada");
  await onStage(name, {}, async ({ run, storage }) => {
    await run();
    expect(JSON.stringify([...(await storage.list()).values()]).length).toBeLessThan(100_000);
  });
  expect(received.length).toBe(100);
});

test("a replay from a later event keeps what the endpoint has not received yet", async () => {
  stopCouriers();
  setClock(T0);
  const { name, id } = await subscribed(4);
  let isDown = false;
  const received = receiver(() => (isDown ? 500 : 204));
  const [first = "", ...others] = users(4);
  await claim(name, first);
  await onStage(name, {}, ({ run }) => run());
  isDown = true;
  for (const user of others) await claim(name, user);
  await onStage(name, {}, ({ run }) => run());
  isDown = false;
  await onStage(name, {}, async ({ courier, run }) => {
    expect(await courier.replay(id, 4)).toBe(true);
    await run();
  });
  expect(received).toEqual(["claim.granted 2", "claim.granted 3", "claim.granted 4", "claim.granted 5"]);
  await onStage(name, {}, async ({ courier, run }) => {
    expect(await courier.replay(id, 4)).toBe(true);
    await run();
  });
  expect(received.slice(4)).toEqual(["claim.granted 4", "claim.granted 5"]);
});

test("a replay that a new incarnation overtakes does not silence the endpoint", async () => {
  stopCouriers();
  setClock(T0);
  const { name, id } = await subscribed();
  await claim(name, "ada");
  const received = receiver();
  await onStage(name, {}, ({ run }) => run());
  await changeEndpoint(env.DB, id, { paused: true }, T0);
  await onStage(name, {}, async ({ courier, run }) => {
    expect(await courier.replay(id, 2)).toBe(true);
    await run();
  });
  await remove(name);
  await create(name, 1);
  await onStage(name, {}, ({ run }) => run());
  await claim(name, "bob");
  await changeEndpoint(env.DB, id, { paused: false }, T0);
  await onStage(name, {}, ({ run }) => run());
  expect(received).toEqual(["claim.granted 2", "claim.granted 2"]);
});

test("a webhook that is unpaused gets its events without a new one", async () => {
  stopCouriers();
  setClock(T0);
  const { name, id } = await subscribed();
  const received = receiver();
  await onStage(name, {}, ({ run }) => run());
  await changeEndpoint(env.DB, id, { paused: true }, T0 + 1);
  await claim(name, "ada");
  setClock(T0 + SECOND);
  expect(await onStage(name, {}, ({ run }) => run())).toEqual(expect.any(Number));
  await changeEndpoint(env.DB, id, { paused: false }, T0 + 2 * SECOND);
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  expect(received).toEqual(["claim.granted 2"]);
});

test.for(["one coupon", "all coupons"])("an endpoint for %s that is unpaused over the API gets what it missed at once", async (which) => {
  const name = freshName();
  const id = await register(name, { events: ["claim.granted"], ...(which === "all coupons" ? { coupons: null } : {}) });
  const received = receiver();
  await workerWith({})("PATCH", `/api/webhooks/${id}`, { body: { paused: true } });
  await create(name, 1);
  await claim(name, "ada");
  await expect.poll(() => claimants(name), { timeout: 20_000 }).toEqual(["ada"]);
  await expect
    .poll(() => onStage(name, {}, ({ storage }) => storage.getAlarm()), { timeout: 20_000 })
    .toBeGreaterThan(Date.now() + 40 * SECOND);
  const works: Promise<unknown>[] = [];
  await workerWith({}, works)("PATCH", `/api/webhooks/${id}`, { body: { paused: false } });
  await Promise.all(works);
  await expect.poll(() => received, { timeout: 20_000 }).toContain("claim.granted 2");
});

test("a coupon that can't answer is not held against the endpoint", async () => {
  stopCouriers();
  setClock(T0);
  const { name } = await subscribed();
  await claim(name, "ada");
  const received = receiver();
  const busy = { coupon: () => ({ ok: false, code: "unavailable", seq: 0 }) as const };
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const nextMs = await onStage(name, busy, ({ run }) => run());
    expect(nextMs).toBeLessThanOrEqual(60 * SECOND);
    setClock(Date.now() + 60 * SECOND);
  }
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  expect(received).toEqual(["claim.granted 2"]);
});

test("a ledger that the coupon could not discard is discarded later", async () => {
  stopCouriers();
  const name = await created(1);
  await remove(name);
  const busy = { coupon: (method: string) => (method === "forget" ? ({ ok: false, code: "unavailable", seq: 0 } as const) : null) };
  expect(await onStage(name, busy, ({ run }) => run())).toEqual(expect.any(Number));
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  await expectNothingStored(name);
});

test("a rebuild repairs a damaged row", async () => {
  stopCouriers();
  const name = await created(3);
  for (const user of ["ada", "bob"]) await claim(name, user);
  await onStage(name, {}, ({ run }) => run());
  await env.DB.exec(
    "UPDATE claims SET user_id = 'eve' WHERE user_id = 'ada'; DELETE FROM claims WHERE user_id = 'bob'; DELETE FROM events WHERE seq = 3",
  );
  expect(
    await onStage(name, {}, async ({ courier, run }) => {
      await courier.rebuild();
      return run();
    }),
  ).toBe(null);
  expect(await claimants(name)).toEqual(["ada", "bob"]);
});

test.for(["gone", "created again"])("a damaged coupon that is deleted and %s leaves no living row", async (fate) => {
  stopCouriers();
  const name = await created(1);
  await onStage(name, {}, ({ run }) => run());
  await runSql(name, "UPDATE coupon SET seq = 9");
  await evictDurableObject(stubOf(name));
  await remove(name);
  if (fate === "created again") await create(name, 2);
  await onStage(name, {}, ({ run }) => run());
  const { results } = await env.DB.prepare("SELECT amount FROM coupons WHERE name = ? AND deleted_at IS NULL").bind(name).all();
  expect(results).toEqual(fate === "gone" ? [] : [{ amount: 2 }]);
  if (fate === "gone") await expectNothingStored(name);
});

test("an endpoint that answered 410 gets what it missed after it is enabled again, without a new event", async () => {
  stopCouriers();
  setClock(T0);
  const { name, id } = await subscribed();
  await claim(name, "ada");
  let status = 410;
  const received = receiver(() => status);
  const isUnwritable = { refuses: (statement: string) => statement.startsWith("UPDATE webhooks") };
  expect(await onStage(name, isUnwritable, ({ run }) => run())).toEqual(expect.any(Number));
  setClock(T0 + 10 * SECOND);
  expect(await onStage(name, {}, ({ run }) => run())).toEqual(expect.any(Number));
  const { body } = await ask("GET", `/api/webhooks/${id}`);
  expect(body["disabled_at"]).toBe(iso(Date.now()));
  const failing = `doorbuster_delivery_failed_attempts{coupon="${name}",sink="${id}",status="disabled"} 2`;
  expect([await metricsOf("/metrics"), await metricsOf(pathOf(name, "metrics"))]).toEqual([
    expect.stringContaining(failing),
    expect.stringContaining(failing),
  ]);
  expect(await metricsOf(pathOf(name, "metrics"))).toContain(
    `doorbuster_delivery_lag_events{coupon="${name}",sink="${id}",status="disabled"} 1`,
  );
  status = 204;
  await changeEndpoint(env.DB, id, { paused: false }, T0 + 11 * SECOND);
  expect(await onStage(name, {}, ({ run }) => run())).toBe(null);
  expect(received).toEqual(["claim.granted 2"]);
  expect(await metricsOf("/metrics")).not.toContain(id);
});

test("10,001 answered webhooks leave no timer, of which workerd allows 10,000", async () => {
  receiver();
  const recipient = { url: "https://shop.example/", secrets: ["whsec_c2VjcmV0"] };
  const message = { id: "msg_1", type: "webhook.test", at: T0 } as const;
  for (let count = 0; count < 10_000; count += 1) await send(recipient, message, T0);
  expect(await send(recipient, message, T0)).toMatchObject({ ok: true });
});

test("ten endpoints that have the same events cost the coupon one read", async () => {
  stopCouriers();
  setClock(T0);
  const name = freshName();
  for (let count = 0; count < 10; count += 1) await register(name, { events: ["coupon.deleted"] });
  await create(name, 1);
  const calls: string[] = [];
  const counting = { coupon: (method: string) => (calls.push(method), null) };
  expect(await onStage(name, counting, ({ run }) => run())).toBe(null);
  // The read model begins before the list of endpoints is read. If its read is still under way then, they share it.
  expect(new Set(calls)).toEqual(new Set(["outbox"]));
  expect(calls.length).toBeLessThan(3);
});
