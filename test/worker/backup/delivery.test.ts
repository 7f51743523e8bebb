// What sinks get of a restored coupon: webhooks of new events alone, and a read model with all of them.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { change, claim, create, freshName, remove } from "../../support/api.ts";
import { iso, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { stubOf } from "../../support/storage.ts";
import { onStage, receiver, register, stopCouriers } from "../delivery/courier-stage.ts";
import { backup, partsOf, sendPart } from "./files.ts";

/** The users whose claims the read model has of living coupons with this name. */
async function claimants(name: string): Promise<unknown[]> {
  const select = `SELECT user_id FROM claims JOIN coupons USING (epoch) WHERE name = ? AND deleted_at IS NULL ORDER BY coupons.epoch, position`;
  return (await env.DB.prepare(select).bind(name).raw()).flat();
}

function deliver(name: string): Promise<unknown> {
  return onStage(name, {}, ({ run }) => run());
}

test("a restored coupon sends webhooks of what happens after the backup, and all of it if replayed", async () => {
  stopCouriers();
  const received = receiver();
  setClock(T0);
  const name = freshName();
  const id = await register(name);
  await create(name, 3, { ends_at: iso(T0 + 10 * SECOND) });
  await claim(name, "ada");
  const file = await backup(name);
  await claim(name, "bob");
  await deliver(name);
  await remove(name);
  // The object discards the delivered ledger, and not what is restored meanwhile.
  const [begin = "", rest = ""] = partsOf(file, 2);
  expect((await sendPart(name, begin)).status).toBe(202);
  await deliver(name);
  expect(received.splice(0)).toEqual(["coupon.created 1", "coupon.started 1", "claim.granted 2", "claim.granted 3", "coupon.deleted 4"]);

  expect((await sendPart(name, rest, 2)).status).toBe(201);
  await deliver(name);
  expect([received, await claimants(name)]).toEqual([[], ["ada"]]);
  await claim(name, "cid");
  passClock(11 * SECOND);
  await deliver(name);
  expect([received.splice(0), await claimants(name)]).toEqual([
    ["claim.granted 3", "coupon.ended 3"],
    ["ada", "cid"],
  ]);
  await onStage(name, {}, async ({ courier, run }) => [await courier.replay(id, 1), await run()]);
  expect(received).toEqual(["coupon.created 1", "coupon.started 1", "claim.granted 2", "claim.granted 3", "coupon.ended 3"]);
});

test("after the loss of an object, its restored coupon is the one that the read model lists", async () => {
  stopCouriers();
  const name = freshName();
  await create(name, 3);
  await claim(name, "ada");
  const file = await backup(name);
  await claim(name, "lost");
  await deliver(name);
  await runInDurableObject(stubOf(name), (_object, { storage }) => storage.deleteAll());
  await evictDurableObject(stubOf(name));
  expect((await sendPart(name, file)).status).toBe(201);
  await change(name, { paused: true });
  await deliver(name);
  expect(await claimants(name)).toEqual(["ada"]);
});
