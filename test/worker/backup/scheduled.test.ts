// Backups that a courier takes by itself, in a real bucket of R2.

import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";

import { BACKUP_EVERY_MS, BACKUP_LOOK_MS, BACKUP_PART_BYTES } from "../../../src/domain/backup-limits.ts";
import { change, claim, created, freshName, remove } from "../../support/api.ts";
import { iso, setClock, T0 } from "../../support/clock.ts";
import { stored } from "../../support/storage.ts";
import { onStage, stopCouriers } from "../delivery/courier-stage.ts";
import { plant } from "../sale/export.ts";
import { restore, sendPart } from "./files.ts";

const HOUR = 3_600_000;

beforeEach(() => {
  stopCouriers();
  setClock(T0);
});

/** Runs the courier. Returns when it runs next, in milliseconds from now, or null. */
function run(name: string, bucket: R2Bucket = env.BUCKET): Promise<number | null> {
  return onStage(name, { bucket }, (staged) => staged.run());
}

async function keysOf(name: string): Promise<string[]> {
  const { objects } = await env.BUCKET.list({ prefix: `${encodeURIComponent(name)}/` });
  return objects.map(({ key }) => key);
}

async function textOf(key = ""): Promise<string> {
  return (await env.BUCKET.get(key))?.text() ?? "";
}

test("a coupon is backed up at the end of its sale, then a day later if its ledger has grown", async () => {
  const name = await created(3, { ends_at: iso(T0 + 2 * HOUR) });
  await claim(name, "ada");
  expect([await run(name), await keysOf(name)]).toEqual([BACKUP_LOOK_MS, []]);
  setClock(T0 + 2 * HOUR);
  expect(await run(name)).toBe(null);
  const { epoch } = (await stored(name)).coupon;
  const [key] = await keysOf(name);
  expect(key).toBe(`${name}/${epoch}/2.ndjson`);
  expect(await sendPart(freshName(), await textOf(key))).toMatchObject({ status: 201, body: { remaining_amount: 2 } });

  setClock(T0 + 3 * HOUR);
  await change(name, { amount: 4 });
  expect([await run(name), (await keysOf(name)).length]).toEqual([BACKUP_LOOK_MS, 1]);
  setClock(T0 + 2 * HOUR + BACKUP_EVERY_MS);
  expect([await run(name), await keysOf(name)]).toEqual([null, [key, `${name}/${epoch}/3.ndjson`]]);
});

test("a large backup is uploaded in parts and restores", async () => {
  const name = await created(200_000);
  await plant(name, 100_000);
  setClock(T0 + BACKUP_EVERY_MS);
  await run(name);
  const [key = ""] = await keysOf(name);
  expect((await env.BUCKET.head(key))?.size).toBeGreaterThan(BACKUP_PART_BYTES);
  expect(await restore(freshName(), await textOf(key))).toMatchObject({ status: 201, body: { remaining_amount: 100_000 } });
});

test("a bucket that fails is shown in the delivery state, and tried again", async () => {
  const name = await created(3);
  setClock(T0 + BACKUP_EVERY_MS);
  const failing = { put: () => Promise.reject(new Error("bucket is full")) } as unknown as R2Bucket;
  expect(await run(name, failing)).toBeLessThanOrEqual(60_000);
  const sinks = await onStage(name, { bucket: failing }, ({ courier }) => courier.state());
  const failed = { id: "r2", status: "active", attemptCount: 1, lastError: "Error: bucket is full", lagEvents: 1 };
  expect(sinks?.find(({ id }) => id === "r2")).toMatchObject(failed);
  setClock(Date.now() + 60_000);
  expect([await run(name), (await keysOf(name)).length]).toEqual([null, 1]);
  const after = await onStage(name, {}, ({ courier }) => courier.state());
  expect(after?.find(({ id }) => id === "r2")).toMatchObject({ attemptCount: 0, lastError: null, lagEvents: 0 });
});

test("a deleted coupon is not backed up, and waits for no backup", async () => {
  const name = await created(3);
  await run(name);
  await remove(name);
  expect([await run(name), await keysOf(name)]).toEqual([null, []]);
  expect(await onStage(name, {}, async ({ storage }) => (await storage.list()).size)).toBe(0);
});
