// Two isolates of the Worker in front of the same objects: what one has acknowledged, the other never contradicts.

import { Pool } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../verification/server/workerd.ts";

type Answer = { readonly outcome: string; readonly isFromEdge: boolean; readonly body: Record<string, unknown> };
type Isolate = 0 | 1;

let folder: string;
let server: Served;
let pools: Pool[];

beforeAll(async () => {
  folder = await scratchFolder("two-isolates");
  server = await serve(await build(PRODUCT, folder), { state: `${folder}/state`, isolates: 2, vars: { REQUEST_LOG: "off" } });
  pools = server.urls.map((url) => new Pool(url, { connections: 64 }));
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.destroy()));
  await server.kill();
  await removeScratch(folder);
});

async function send(isolate: Isolate, method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<Answer> {
  const pool = pools[isolate];
  if (pool === undefined) throw new Error("there are two isolates");
  const answer = await pool.request({ method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.body.text();
  const values = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { statusCode: status, headers } = answer;
  return {
    outcome: status < 400 ? `${status}` : `${status} ${String(values["code"])}`,
    isFromEdge: headers["served-by"] === "edge",
    body: values,
  };
}

function claim(isolate: Isolate, name: string, userId: string): Promise<Answer> {
  return send(isolate, "POST", "/api/coupons/claim", { user_id: userId, coupon_name: name });
}

const create = (name: string, amount: number, more = {}): Promise<Answer> => send(0, "POST", "/api/coupons", { name, amount, ...more });
const change = (name: string, body: unknown): Promise<Answer> => send(0, "PATCH", `/api/coupons/${name}`, body);

let loserCount = 0;

/** New users claim through an isolate until its certificate refuses one of them. */
async function untilRefusedAtEdge(isolate: Isolate, name: string): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    loserCount += 1;
    const answer = await claim(isolate, name, `loser-${loserCount}`);
    expect(answer.outcome).toMatch(/^40[03] (out_of_stock|sale_not_started|sale_paused|sale_ended)$/);
    if (answer.isFromEdge) return;
  }
  throw new Error("no certificate has come");
}

async function untilBothRefuse(name: string): Promise<void> {
  await Promise.all([untilRefusedAtEdge(0, name), untilRefusedAtEdge(1, name)]);
}

/** Each change returns one unit of a sold-out coupon that `first` has; what the new claims are answered, and who wins. */
const CHANGES: readonly (readonly [string, (name: string) => Promise<void>])[] = [
  [
    "a restock",
    async (name) => {
      await create(name, 1);
      await claim(0, name, "first");
      await untilBothRefuse(name);
      expect((await change(name, { amount: 2 })).outcome).toBe("200");
    },
  ],
  [
    "a revoked claim",
    async (name) => {
      await create(name, 1);
      await claim(0, name, "first");
      await untilBothRefuse(name);
      expect((await send(0, "DELETE", `/api/coupons/${name}/claims/first`)).outcome).toBe("200");
    },
  ],
  [
    "a released hold",
    async (name) => {
      await create(name, 1);
      expect((await send(0, "POST", `/api/coupons/${name}/holds`, { user_id: "holder", ttl_seconds: 600 })).outcome).toBe("201");
      await untilBothRefuse(name);
      expect((await send(0, "DELETE", `/api/coupons/${name}/holds/holder`)).outcome).toBe("204");
    },
  ],
  [
    "the end of all holds",
    async (name) => {
      await create(name, 1);
      expect((await send(0, "POST", `/api/coupons/${name}/holds`, { user_id: "holder", ttl_seconds: 600 })).outcome).toBe("201");
      await untilBothRefuse(name);
      expect((await send(0, "DELETE", `/api/coupons/${name}/holds`)).body).toMatchObject({ ended_count: 1, remaining_amount: 1 });
    },
  ],
  [
    "a deleted and created coupon",
    async (name) => {
      await create(name, 1);
      await claim(0, name, "first");
      await untilBothRefuse(name);
      expect((await send(0, "DELETE", `/api/coupons/${name}`)).outcome).toBe("204");
      expect((await create(name, 1)).outcome).toBe("201");
    },
  ],
  [
    "the end of a pause",
    async (name) => {
      await create(name, 1);
      await change(name, { paused: true });
      await untilBothRefuse(name);
      expect((await change(name, { paused: false })).outcome).toBe("200");
    },
  ],
  [
    "an earlier start",
    async (name) => {
      await create(name, 1, { starts_at: "2099-01-01T00:00:00Z" });
      await untilBothRefuse(name);
      expect((await change(name, { starts_at: null })).outcome).toBe("200");
    },
  ],
];

describe.for(CHANGES)("after %s through one isolate", ([what, act]) => {
  test("12 times, the other grants the next claim and recognizes its winner", { timeout: 120_000 }, async () => {
    const rounds = Array.from({ length: 12 }, (_, round) => `${what.replaceAll(" ", "-")}-${round}`);
    const outcomes = await Promise.all(
      rounds.map(async (name) => {
        await act(name);
        const granted = await claim(1, name, "second");
        const again = await Promise.all([claim(0, name, "second"), claim(1, name, "second")]);
        return [granted, ...again].map(({ outcome }) => outcome);
      }),
    );
    expect(outcomes).toEqual(rounds.map(() => ["201", "409 already_claimed", "409 already_claimed"]));
  });
});

test("the last unit that returns 50 times through the other isolate has one new winner each time", { timeout: 240_000 }, async () => {
  const name = "last-unit";
  await create(name, 1);
  await claim(0, name, "winner-0");
  for (let round = 1; round <= 50; round += 1) {
    await untilRefusedAtEdge(1, name);
    expect((await send(0, "DELETE", `/api/coupons/${name}/claims/winner-${round - 1}`)).outcome).toBe("200");
    const isolates: readonly Isolate[] = [1, 0, 1, 0];
    const first = await claim(1, name, `winner-${round}`);
    const others = await Promise.all(isolates.map((isolate, index) => claim(isolate, name, `rival-${round}-${index}`)));
    expect({ round, outcomes: [first, ...others].map(({ outcome }) => outcome) }).toEqual({
      round,
      outcomes: ["201", ...isolates.map(() => "400 out_of_stock")],
    });
  }
});

/** The part of 400 claims of new users that an isolate refuses by itself, one after the other so that renewals come in between. */
async function edgeShare(name: string, between: (index: number) => Promise<void> = async () => undefined): Promise<number> {
  let atEdge = 0;
  for (let index = 0; index < 400; index += 1) {
    await between(index);
    loserCount += 1;
    const answer = await claim(1, name, `loser-${loserCount}`);
    if (answer.isFromEdge) atEdge += 1;
  }
  return atEdge / 400;
}

describe("an isolate refuses at least half of the claims by itself", () => {
  test.for([
    ["before the start", { starts_at: "2099-01-01T00:00:00Z" }, {}],
    ["while the sale is paused", {}, { paused: true }],
  ] as const)("%s", async ([about, more, changed]) => {
    const name = about.replaceAll(" ", "-");
    await create(name, 5, more);
    if ("paused" in changed) await change(name, changed);
    await untilRefusedAtEdge(1, name);
    expect(await edgeShare(name)).toBeGreaterThanOrEqual(0.5);
  });

  test("while 30 holds that do not exist are released", async () => {
    const name = "releases-without-effect";
    await create(name, 1);
    await claim(0, name, "first");
    await untilRefusedAtEdge(1, name);
    const share = await edgeShare(name, async (index) => {
      if (index >= 30) return;
      expect((await send(1, "DELETE", `/api/coupons/${name}/holds/unknown-${index}`)).outcome).toBe("204");
    });
    expect(share).toBeGreaterThanOrEqual(0.5);
  });
});
