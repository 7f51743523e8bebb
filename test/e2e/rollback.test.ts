// Two versions of the bundle on the same files: forward, back, and forward again. The newer one is made here.

import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { objectFile, OBJECTS_FOLDER } from "../../scripts/server/config.ts";
import { migrate, servedDatabase } from "../../scripts/server/migrations.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve } from "../../scripts/server/workerd.ts";
import { SCHEMA_VERSION } from "../../src/engine/schema.ts";
import { couponClient, type Answer, type CouponClient } from "../../verification/client/coupon-client.ts";
import { putVersion1 } from "../rules/version-1.ts";

const NEXT = SCHEMA_VERSION + 1;

let folder: string;
let today: string;
let next: string;

beforeAll(async () => {
  folder = await scratchFolder("rollback");
  today = await build(PRODUCT, folder);
  next = join(dirname(today), "next.js");
  const version = `var SCHEMA_VERSION = ${SCHEMA_VERSION};`;
  const migrations = "var MIGRATIONS = {";
  const parts = (await readFile(today, "utf8")).split(version);
  if (parts.length !== 2 || parts[1]?.split(migrations).length !== 2) throw new Error("the bundle has its tables elsewhere");
  const migration = [`ALTER TABLE coupon ADD COLUMN news TEXT`, `UPDATE coupon SET schema_version = ${NEXT}`];
  const text = parts
    .join(`var SCHEMA_VERSION = ${NEXT};`)
    .replace(migrations, `${migrations} ${SCHEMA_VERSION}: ${JSON.stringify(migration)},`);
  await writeFile(next, text);
});

afterAll(() => removeScratch(folder));

/** Serves a version while `work` runs. Its processes end before it resolves, so the next one finds what is on disk. */
async function running(bundle: string, state: string, work: (client: CouponClient) => Promise<void>): Promise<void> {
  const server = await serve(bundle, { state });
  const pool = new Pool(server.url);
  try {
    await work(couponClient(pool));
  } finally {
    await pool.destroy();
    await server.kill();
  }
}

function coupon(state: string, name: string): DatabaseSync {
  const file = join(state, OBJECTS_FOLDER, objectFile(OBJECTS_FOLDER, name));
  mkdirSync(dirname(file), { recursive: true });
  return new DatabaseSync(file);
}

/** Every row of a coupon's tables. */
function rowsOf(state: string, name: string): unknown {
  const database = coupon(state, name);
  const rows = ["coupon", "claims", "holds", "ledger"].map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY 1`).all());
  database.close();
  return rows;
}

const outcomeOf = ({ status, body }: Answer) => [status, body["code"] ?? body["position"] ?? body["name"]];

/** Resolves once the database has all events of a coupon. */
async function delivered(client: CouponClient, name: string): Promise<void> {
  const sinks = async () => (await client.send("GET", `/api/coupons/${name}/delivery`)).body["sinks"];
  await vi.waitFor(async () => expect(await sinks()).toMatchObject([{ sink: "d1", lag_events: 0 }]), { timeout: 60_000, interval: 100 });
}

test("a version with newer tables goes on after a rollback that refused every call and lost nothing", async () => {
  const state = join(folder, "rollback");
  await running(today, state, async (client) => {
    expect([await client.create("S", 5), await client.claim("S", "ann", { key: "order-1" })].map(outcomeOf)).toEqual([
      [201, "S"],
      [201, 1],
    ]);
    await client.create("untouched", 2);
    await delivered(client, "S");
  });

  await running(next, state, async (client) => {
    expect([await client.claim("S", "ann", { key: "order-1" }), await client.claim("S", "bob")].map(outcomeOf)).toEqual([
      [201, 1],
      [201, 2],
    ]);
    expect((await client.hold("S", "cid", 600)).status).toBe(201);
    await client.create("born-later", 1);
  });

  const before = rowsOf(state, "S");
  await running(today, state, async (client) => {
    const calls = [
      () => client.claim("S", "dan", { key: "order-4" }),
      () => client.claim("S", "ann", { key: "order-1" }),
      () => client.hold("S", "eve", 60),
      () => client.releaseHold("S", "cid"),
      () => client.status("S"),
      () => client.create("S", 9),
      () => client.send("GET", "/api/coupons/S/delivery"),
      () => client.send("POST", "/api/coupons/S/delivery/rebuild"),
      () => client.claim("born-later", "dan"),
    ];
    for (const call of calls) expect(outcomeOf(await call())).toEqual([503, "unavailable"]);
    expect(outcomeOf(await client.claim("untouched", "dan"))).toEqual([201, 1]);
    const { body } = await client.send("GET", "/api/coupons?q=S");
    expect(body).toMatchObject({ coupons: expect.arrayContaining([expect.objectContaining({ name: "S", amount: 5 })]) });
  });
  expect(rowsOf(state, "S")).toEqual(before);

  await running(next, state, async (client) => {
    const claims = [
      await client.claim("S", "ann", { key: "order-1" }),
      await client.claim("S", "cid"),
      await client.claim("S", "dan", { key: "order-4" }),
      await client.claim("untouched", "eve"),
      await client.claim("born-later", "dan"),
    ];
    expect(claims.map(outcomeOf)).toEqual([1, 3, 4, 2, 1].map((position) => [201, position]));
    await Promise.all(["S", "born-later", "untouched"].map((name) => delivered(client, name)));
  });
});

test("today's version migrates a coupon's file of version 1, and delivers its ledger", async () => {
  const state = join(folder, "version-1");
  const file = coupon(state, "PROMO");
  putVersion1(file);
  file.close();
  await running(today, state, async (client) => {
    const claims = [await client.claim("PROMO", "ann", { key: "order-1" }), await client.claim("PROMO", "fay")];
    expect(claims.map(outcomeOf)).toEqual([
      [201, 1],
      [201, 3],
    ]);
    await delivered(client, "PROMO");
  });
  expect(rowsOf(state, "PROMO")).toMatchObject([
    [{ schema_version: SCHEMA_VERSION, claimed: 2, held: 0 }],
    [{}, {}],
    [],
    Array.from({ length: 10 }, () => ({})),
  ]);
});

test("today's version runs on a database that later migrations have extended", async () => {
  const state = join(folder, "extended");
  const file = servedDatabase(state);
  migrate(file);
  const database = new DatabaseSync(file);
  for (const table of ["coupons", "claims", "events", "webhooks"]) database.exec(`ALTER TABLE ${table} ADD COLUMN news TEXT`);
  database.close();
  await running(today, state, async (client) => {
    await client.create("S", 1);
    expect((await client.claim("S", "ann")).status).toBe(201);
    await delivered(client, "S");
    expect((await client.send("GET", "/api/users/ann/claims")).body).toMatchObject({ claims: [{ coupon_name: "S", position: 1 }] });
    expect(
      (await client.send("POST", "/api/webhooks", { body: { url: "https://shop.example/hook", events: ["claim.granted"] } })).status,
    ).toBe(201);
  });
});
