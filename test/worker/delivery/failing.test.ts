// The list of the sinks that fail now, of all coupons.

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { changeEndpoint } from "../../../src/read-model/webhooks.ts";
import { create, freshName, remove, send as ask } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { onStage, receiver, register, stopCouriers } from "./courier-stage.ts";

/** The failing sinks of a coupon, as the API lists them. */
async function failingOf(name: string): Promise<unknown[]> {
  const { body } = await ask("GET", "/api/delivery/failing?limit=1000");
  return (body["failing"] as readonly { coupon_name: string }[]).filter((sink) => sink.coupon_name === name);
}

test("a failing sink is listed until its coupon is deleted, also where its endpoint is paused", async () => {
  stopCouriers();
  setClock(T0);
  const name = freshName();
  const id = await register(name);
  await create(name, 1);
  receiver(() => 500);
  await onStage(name, {}, ({ run }) => run());
  expect(await failingOf(name)).toEqual([{ coupon_name: name, sink: id, status: "active", failed_attempts: 1 }]);
  await changeEndpoint(env.DB, id, { paused: true }, T0 + 1);
  await remove(name);
  await onStage(name, {}, ({ run }) => run());
  expect(await failingOf(name)).toEqual([]);
});

test("a webhook that is deleted while it fails is listed no more, at once", async () => {
  stopCouriers();
  setClock(T0);
  const name = freshName();
  const id = await register(name);
  await create(name, 1);
  receiver(() => 410);
  await onStage(name, {}, ({ run }) => run());
  expect(await failingOf(name)).toEqual([{ coupon_name: name, sink: id, status: "disabled", failed_attempts: 1 }]);
  expect((await ask("DELETE", `/api/webhooks/${id}`)).status).toBe(204);
  expect(await failingOf(name)).toEqual([]);
});
