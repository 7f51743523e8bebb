// Two isolates in front of the same objects: neither contradicts an acknowledgement of the other.

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import { couponClient, type Answer, type CouponClient } from "../../verification/client/coupon-client.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../scripts/server/workerd.ts";

let folder: string;
let server: Served;
let pools: Pool[];
let first: CouponClient;
let other: CouponClient;

beforeAll(async () => {
  folder = await scratchFolder("two-isolates");
  server = await serve(await build(PRODUCT, folder), { state: `${folder}/state`, isolates: 2, vars: { REQUEST_LOG: "off" } });
  const [firstPool, otherPool] = [server.url, server.urls[1] ?? ""].map((url) => new Pool(url, { connections: 64 }));
  if (firstPool === undefined || otherPool === undefined) throw new Error("there are two isolates");
  pools = [firstPool, otherPool];
  first = couponClient(firstPool);
  other = couponClient(otherPool);
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.destroy()));
  await server.kill();
  await removeScratch(folder);
});

/** The status, and the code of a refusal. */
function outcomeOf({ status, body }: Answer): string {
  return status < 400 ? `${status}` : `${status} ${String(body["code"])}`;
}

let loserCount = 0;

/** A new user claims on a closed sale. Returns whether a certificate refused the claim. */
async function isRefusedAtEdge(isolate: CouponClient, name: string): Promise<boolean> {
  loserCount += 1;
  const answer = await isolate.claim(name, `loser-${loserCount}`);
  expect(outcomeOf(answer)).toMatch(/^40[03] (out_of_stock|sale_not_started|sale_paused|sale_ended)$/);
  return answer.headers["served-by"] === "edge";
}

async function untilRefusedAtEdge(isolate: CouponClient, name: string): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) if (await isRefusedAtEdge(isolate, name)) return;
  throw new Error("no certificate has come");
}

async function sellOut(name: string): Promise<void> {
  await first.create(name, 1);
  await first.claim(name, "winner");
}

async function holdAll(name: string): Promise<void> {
  await first.create(name, 1);
  expect((await first.hold(name, "holder", 600)).status).toBe(201);
}

async function pause(name: string): Promise<void> {
  await first.create(name, 1);
  await first.change(name, { paused: true });
}

async function schedule(name: string): Promise<void> {
  await first.create(name, 1, { starts_at: "2099-01-01T00:00:00Z" });
}

async function recreate(name: string): Promise<Answer> {
  expect((await first.remove(name)).status).toBe(204);
  return first.create(name, 1);
}

type Change = readonly [what: string, close: (name: string) => Promise<void>, open: (name: string) => Promise<Answer>, status: number];

/** Each change makes one unit of a closed sale available. */
const CHANGES: readonly Change[] = [
  ["a restock", sellOut, (name) => first.change(name, { amount: 2 }), 200],
  ["a revoked claim", sellOut, (name) => first.revoke(name, "winner"), 200],
  ["a released hold", holdAll, (name) => first.releaseHold(name, "holder"), 204],
  ["the release of all holds", holdAll, (name) => first.send("DELETE", `/api/coupons/${name}/holds`), 200],
  ["a recreated coupon", sellOut, recreate, 201],
  ["the end of a pause", pause, (name) => first.change(name, { paused: false }), 200],
  ["an earlier start", schedule, (name) => first.change(name, { starts_at: null }), 200],
];

test.for(CHANGES)(
  "after %s on one isolate the other grants the next claim, 12 times",
  { timeout: 120_000 },
  async ([what, close, open, status]) => {
    const rounds = Array.from({ length: 12 }, (_, round) => `${what.replaceAll(" ", "-")}-${round}`);
    const outcomes = await Promise.all(
      rounds.map(async (name) => {
        await close(name);
        await Promise.all([first, other].map((isolate) => untilRefusedAtEdge(isolate, name)));
        expect((await open(name)).status).toBe(status);
        const granted = await other.claim(name, "second");
        const again = await Promise.all([first.claim(name, "second"), other.claim(name, "second")]);
        return [granted, ...again].map(outcomeOf);
      }),
    );
    expect(outcomes).toEqual(rounds.map(() => ["201", "409 already_claimed", "409 already_claimed"]));
  },
);

test("a unit revoked 50 times on the other isolate gets one new winner each time", { timeout: 240_000 }, async () => {
  const name = "last-unit";
  await first.create(name, 1);
  await first.claim(name, "winner-0");
  for (let round = 1; round <= 50; round += 1) {
    await untilRefusedAtEdge(other, name);
    expect((await first.revoke(name, `winner-${round - 1}`)).status).toBe(200);
    const winner = await other.claim(name, `winner-${round}`);
    const rivals = await Promise.all([other, first, other, first].map((isolate, index) => isolate.claim(name, `rival-${round}-${index}`)));
    const outcomes = [winner, ...rivals].map(outcomeOf);
    expect({ round, outcomes }).toEqual({ round, outcomes: ["201", ...rivals.map(() => "400 out_of_stock")] });
  }
});

/** The part of 400 claims that an isolate refuses by itself. */
async function edgeShare(name: string, between: (index: number) => Promise<unknown> = async () => undefined): Promise<number> {
  await untilRefusedAtEdge(other, name);
  let atEdge = 0;
  // One after the other, so that renewals come in between.
  for (let index = 0; index < 400; index += 1) {
    await between(index);
    if (await isRefusedAtEdge(other, name)) atEdge += 1;
  }
  return atEdge / 400;
}

test.for([
  ["before the start", schedule],
  ["while the sale is paused", pause],
] as const)("an isolate refuses half of 400 claims by itself %s", async ([when, close]) => {
  const name = when.replaceAll(" ", "-");
  await close(name);
  expect(await edgeShare(name)).toBeGreaterThanOrEqual(0.5);
});

test("an isolate refuses half of 400 claims by itself while missing holds are released", async () => {
  const name = "releases-without-effect";
  await sellOut(name);
  const statuses: number[] = [];
  const share = await edgeShare(name, async (index) => {
    if (index < 30) statuses.push((await other.releaseHold(name, `unknown-${index}`)).status);
  });
  expect(share).toBeGreaterThanOrEqual(0.5);
  expect(statuses).toEqual(Array<number>(30).fill(204));
});
