// The client against a real server: behind a network that loses, cuts, repeats and delays, and through a whole sale.

import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createClient, type ClaimOutcome } from "../../packages/client/src/index.ts";
import { createOperator, type Operator } from "../../packages/client/src/operator.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../scripts/server/workerd.ts";
import { drawFaultPlan } from "../../verification/faults/fault-plan.ts";
import { FaultyNetwork, PASSAGE_HEADER } from "../../verification/faults/proxy.ts";
import { seeded } from "../../verification/random.ts";

/** 200, or what the environment says: the faults are of a fixed seed. */
const CLAIMS = Number(process.env["CLIENT_CLAIMS"] ?? 200);
const CONCURRENT = 20;
const random = seeded(1);

let folder: string;
let server: Served;
let network: FaultyNetwork;
let operator: Operator;

beforeAll(async () => {
  folder = await scratchFolder("client-test");
  server = await serve(await build(PRODUCT, folder), { state: join(folder, "state"), vars: { REQUEST_LOG: "off" }, isolates: 2 });
  network = await FaultyNetwork.open();
  network.targets = server.urls.map((url) => Number(new URL(url).port));
  operator = createOperator({ baseUrl: server.url });
});

afterAll(async () => {
  await network.close();
  await server.kill();
  await removeScratch(folder);
});

const counts: Record<string, number> = {};
function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

/** Sends a request through the faulty network. One in five is answered by 503, half of them behind the server. */
async function faultyFetch(url: string, init: RequestInit): Promise<Response> {
  const unavailable = random.below(10);
  if (unavailable === 0) {
    count("unavailable");
    return Response.json({ error: "", code: "unavailable", request_id: "" }, { status: 503 });
  }
  const plan = drawFaultPlan(random);
  count(plan.is);
  const headers = new Headers(init.headers);
  headers.set(PASSAGE_HEADER, network.passage(plan, random.below(2)).id);
  headers.set("Connection", "close");
  const answer = await fetch(url, { ...init, headers });
  if (unavailable > 1) return answer;
  count("outcome_unknown");
  return Response.json({ error: "", code: "outcome_unknown", request_id: "" }, { status: 503 });
}

test(`each unit of ${CLAIMS} claims through faults is granted for its user, and no outcome is unknown`, async () => {
  const amount = Math.floor((CLAIMS * 3) / 4);
  expect(await operator.create({ name: "faults", amount })).toMatchObject({ ok: true });
  const client = createClient({ baseUrl: network.url, fetch: faultyFetch, attemptMs: 400, deadlineMs: 60_000 });
  const users = Array.from({ length: CLAIMS }, (_, index) => `user-${index}`);
  const waiting = [...users];
  const outcomes = new Map<string, ClaimOutcome>();
  async function claimOnByOne(): Promise<void> {
    for (let user = waiting.shift(); user !== undefined; user = waiting.shift()) outcomes.set(user, await client.claim("faults", user));
  }
  await Promise.all(Array.from({ length: CONCURRENT }, claimOnByOne));

  const granted = Array.from(outcomes).flatMap(([user, claimed]) =>
    claimed.outcome === "granted" ? [[claimed.receipt.position, user]] : [],
  );
  const sale = await operator.get("faults");
  const winners = sale.ok ? (sale.value.claimed_by ?? []) : [];
  expect(granted.sort(([a], [b]) => Number(a) - Number(b))).toEqual(winners.map((user, index) => [index + 1, user]));
  expect(winners).toHaveLength(amount);
  const others = users.filter((user) => outcomes.get(user)?.outcome !== "granted");
  expect(new Set(others.map((user) => outcomes.get(user)?.outcome))).toEqual(new Set(["out_of_stock"]));
  // Each kind of fault did occur.
  expect(Object.keys(counts)).toHaveLength(12);
  expect(Array.from(outcomes.values()).some((claimed) => claimed.outcome === "granted" && claimed.replayed)).toBe(true);
});

test("a sale runs from its creation to its deletion by the client alone, and a watcher sees it", async () => {
  const client = createClient({ baseUrl: server.url });
  await operator.create({ name: "sale", amount: 2, starts_at: "2999-01-01T00:00:00Z" });
  expect(await client.claim("sale", "ada")).toMatchObject({ outcome: "not_started", startsAt: "2999-01-01T00:00:00.000Z" });
  const seen: string[] = [];
  const watcher = (async () => {
    for await (const event of client.watch("sale")) seen.push(event.type === "state" ? `to ${event.to}` : event.type);
  })();
  await expect.poll(() => seen).toEqual(["status"]);
  await operator.change("sale", { starts_at: null });
  await operator.pause("sale");
  expect(await client.claim("sale", "ada")).toMatchObject({ outcome: "paused" });
  await operator.resume("sale");
  expect(await client.hold("sale", "ada", 901)).toMatchObject({ outcome: "too_long", ttlSecondsMax: 900 });
  expect(await client.hold("sale", "ada", 60)).toMatchObject({ outcome: "held", hold: { user_id: "ada", remaining_amount: 1 } });
  expect(await client.releaseHold("sale", "ada")).toMatchObject({ ok: true });
  expect(await client.claim("sale", "ada", { key: "k" })).toMatchObject({ outcome: "granted", replayed: false });
  expect(await client.claim("sale", "ada", { key: "k" })).toMatchObject({ outcome: "granted", replayed: true });
  expect(await client.claim("sale", "ada")).toMatchObject({ outcome: "already_claimed", receipt: { position: 1 } });
  expect(await client.claim("sale", "bob", { key: "k" })).toMatchObject({ outcome: "key_reused" });
  expect(await operator.bulkClaim("sale", ["ada", "bob"])).toMatchObject({ ok: true, value: { granted_count: 1 } });
  expect(await client.claim("sale", "cy")).toMatchObject({ outcome: "out_of_stock" });
  await expect.poll(() => seen).toContain("to sold_out");
  expect(await operator.revoke("sale", "ada", { position: 1 })).toMatchObject({ ok: true, value: { user_id: "ada" } });
  expect(await client.claim("sale", "ada", { key: "k" })).toMatchObject({ outcome: "claim_released" });
  expect(await client.getUserClaim("sale", "ada")).toMatchObject({ ok: false, code: "claim_not_found" });
  const lines = await new Response(await operator.exportClaims("sale", "ndjson")).text();
  expect(lines.trim().split("\n")).toHaveLength(1);
  expect(await operator.archive("sale")).toMatchObject({ ok: true, value: { state: "archived" } });
  expect(await client.claim("sale", "cy")).toMatchObject({ outcome: "ended" });
  expect(await operator.delete("sale")).toMatchObject({ ok: true, value: null });
  await watcher;
  expect(seen.at(-1)).toBe("deleted");
  expect(await client.claim("sale", "cy")).toMatchObject({ outcome: "not_found" });
});
