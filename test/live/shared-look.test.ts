// A viewer who leaves in the middle of the look that others wait for keeps nobody from the news.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, expect, onTestFinished, test } from "vitest";

import { SNAPSHOT_TAKEOVER_MS } from "../../src/domain/limits.ts";
import { watching } from "../../src/edge/live-snapshots.ts";
import { heldClock } from "../access/clock.ts";
import { claim, created } from "../support/api.ts";
import { stubOf } from "../support/storage.ts";
import { eventually, expectEverybodyToLeave, viewer, watcher } from "./viewer.ts";

const SECOND = 1000;
/** Longer than a stream takes to look for news in its isolate. */
const A_FEW_TICKS_MS = 700;

afterEach(expectEverybodyToLeave);

/** Makes the object of coupon `name` hang. Awaits nothing of the object's: who does goes on in its context, and can't leave a stream. */
function hanging(name: string): { readonly letGo: () => Promise<void> } {
  const gate = { isOpen: false };
  const holding = runInDurableObject(stubOf(name), (_object, state) =>
    state.blockConcurrencyWhile(async () => {
      while (!gate.isOpen) await scheduler.wait(1);
    }),
  );
  const letGo = () => {
    gate.isOpen = true;
    return holding;
  };
  onTestFinished(letGo);
  return { letGo };
}

test("a viewer who leaves before the first look has come does not leave those waiting who arrived after it", async () => {
  const clock = heldClock();
  const name = await created(5);
  const { letGo } = hanging(name);
  const leaving = new AbortController();
  const gone = exports.default.fetch(`https://doorbuster.test/api/coupons/${name}/events`, { signal: leaving.signal }).catch(() => null);
  await scheduler.wait(A_FEW_TICKS_MS);
  const waiting = [viewer(name), viewer(name)];
  await scheduler.wait(A_FEW_TICKS_MS);
  leaving.abort();
  expect(await gone).toBeNull();
  await letGo();
  clock.pass(SNAPSHOT_TAKEOVER_MS);
  for (const { until } of await Promise.all(waiting)) expect((await until(1)).at(-1)).toMatchObject({ data: { remaining_amount: 5 } });
});

test("a viewer who leaves while its look hangs does not leave the others waiting for it", async () => {
  const clock = heldClock();
  const name = await created(5);
  const goes = await watcher(name);
  const { letGo } = hanging(name);
  await scheduler.wait(A_FEW_TICKS_MS);
  clock.pass(SECOND);
  await scheduler.wait(A_FEW_TICKS_MS);

  const stays = await viewer(name);
  await stays.until(1);
  await scheduler.wait(A_FEW_TICKS_MS);
  await goes.leave();
  await eventually(() => watching().viewers === 1);
  await letGo();
  await claim(name, "ada");
  clock.pass(SNAPSHOT_TAKEOVER_MS);
  expect(await stays.next()).toMatchObject({ id: "2", data: { remaining_amount: 4 } });
});
