// The verification of a real server's files: while it serves, after a kill, and after tampering.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import { couponClient, type CouponClient } from "../../verification/client/coupon-client.ts";
import { build, OBJECTS_FOLDER, PRODUCT, serve, type Served } from "../../scripts/server/workerd.ts";
import { fileOf } from "../../verification/verify/state-folder.ts";
import { verify, type Check, type Receipt } from "../../verification/verify/verify.ts";

const NAME = "verified 🎉/1";
const AMOUNT = 300;
const TOKEN = "operator-token";

let folder: string;
let state: string;
let server: Served;
let pool: Pool;
let client: CouponClient;
const receipts: Receipt[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doorbuster-verify-"));
  state = join(folder, "state");
  server = await serve(await build(PRODUCT, folder), { state, vars: { ADMIN_AUTH: "on", ADMIN_TOKEN: TOKEN } });
  pool = new Pool(server.url, { connections: 32 });
  client = couponClient(pool, { adminToken: TOKEN });
  for (const name of [NAME, "deleted"]) await client.create(name, AMOUNT);
  await client.remove("deleted");
  await client.claim("never created", "user");
});

afterAll(async () => {
  await pool.destroy();
  await server.kill();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

/**
 * The requests of one user. Every third user holds first, and every fifth is revoked. Some holds stay or
 * expire.
 */
async function visit(index: number): Promise<void> {
  const userId = `user-${index}`;
  if (index % 3 === 0) await client.hold(NAME, userId, index % 2 === 0 ? 1 : 600);
  if (index % 9 === 0) return;
  const { status, body } = await client.claim(NAME, userId);
  if (status === 201) receipts.push({ coupon: NAME, userId, position: Number(body["position"]), claimedAt: String(body["claimed_at"]) });
  if (index % 5 === 0) await client.revoke(NAME, userId);
}

/** The checks of the coupon that exists, and all that fail. The deleted one has a check until its deletion is delivered. */
function verdicts(checks: readonly Check[]): string[] {
  const shown = checks.filter(({ coupon, verdict }) => coupon === NAME || verdict === "FAIL");
  return shown.map(({ coupon, number, verdict, detail }) => `${coupon} ${number} ${verdict}${verdict === "FAIL" ? ` ${detail}` : ""}`);
}

const ALL_PASS = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `${NAME} ${number} PASS`);

test("all checks pass while claims go on", async () => {
  const api = { url: server.url, adminToken: TOKEN };
  for (let index = 0; index < 800; index += 160) {
    const visits = Promise.all(Array.from({ length: 160 }, (_, place) => visit(index + place)));
    expect(verdicts(await verify({ state, api, receipts: [...receipts] }))).toEqual(ALL_PASS);
    await visits;
  }

  expect(receipts.length).toBeGreaterThanOrEqual(AMOUNT / 2);
  expect(verdicts(await verify({ state, api, receipts }))).toEqual(ALL_PASS);
  expect(verdicts(await verify({ state, coupon: NAME, api, receipts }))).toEqual(ALL_PASS);
});

test("the read model gets every event of the ledger", async () => {
  const all = ALL_PASS.with(3, `${NAME} 4 SKIP`).with(7, `${NAME} 8 SKIP`);
  await expect.poll(async () => verdicts(await verify({ state, isDelivered: true })), { timeout: 60_000 }).toEqual(all);
});

test("all checks pass on a coupon that is restored from a backup, and its read model is whole", async () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const backup = await pool.request({ method: "GET", path: `/api/coupons/${encodeURIComponent(NAME)}/backup`, headers });
  const sent = { method: "POST", path: "/api/coupons/restored/restore", headers, body: await backup.body.text() } as const;
  expect((await pool.request(sent)).statusCode).toBe(201);
  await client.change("restored", { amount: 2 * AMOUNT });
  const { claims } = (await client.claims("restored")).body as { readonly claims: readonly { readonly position: number }[] };
  const { body } = await client.claim("restored", "one more");
  expect(body["position"]).toBeGreaterThan(Math.max(...claims.map(({ position }) => position)));
  const expected = ALL_PASS.map((_, index) => (index === 3 || index === 7 ? "SKIP" : "PASS"));
  const poll = async () => (await verify({ state, coupon: String(body["coupon_name"]), isDelivered: true })).map(({ verdict }) => verdict);
  await expect.poll(poll, { timeout: 60_000 }).toEqual(expected);
});

test("verification without a token compares only public fields, and rejects a wrong token", async () => {
  const check = (await verify({ state, api: { url: server.url } })).find(({ number }) => number === 4);
  expect(check?.detail).toMatch(/^event \d+: remaining_amount \d+, claimed_by not compared: only the operator gets it$/);
  await expect(verify({ state, api: { url: server.url, adminToken: "wrong" } })).rejects.toThrow("does not accept this admin token");
});

test("all checks pass on the files of a killed server", async () => {
  await server.kill();
  expect(verdicts(await verify({ state, receipts }))).toEqual(ALL_PASS.with(3, `${NAME} 4 SKIP`));
});

test("a claim that is deleted from the file fails the checks of counters and receipts", async () => {
  const last = receipts.findLast(({ userId }) => Number(userId.slice(5)) % 5 !== 0);
  const database = new DatabaseSync(join(state, OBJECTS_FOLDER, fileOf(NAME)));
  database.prepare("DELETE FROM claims WHERE user_id = ?").run(last?.userId ?? "");
  database.exec("UPDATE coupon SET claimed = claimed - 1");
  database.close();

  const failed = (await verify({ state, receipts })).filter(({ verdict }) => verdict === "FAIL");

  expect(failed.map(({ number }) => number)).toEqual([7, 8]);
  expect(failed[1]?.detail).toBe(
    `"${last?.userId}" at position ${last?.position} at ${last?.claimedAt} was acknowledged, but stored is nothing of this user`,
  );
});
