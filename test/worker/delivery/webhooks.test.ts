// The operator's routes of webhooks, over a real database. The endpoints and the courier are stand-ins.

import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { WEBHOOK_ROTATION_MS, WEBHOOKS_MAX } from "../../../src/domain/delivery-limits.ts";
import type { CourierNamespace } from "../../../src/edge/env.ts";
import { disableEndpoint, listEndpoints } from "../../../src/read-model/webhooks.ts";
import { claim, created, freshName, outcomeOf, seqOf, type Answer } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { bindings, workerWith, type Settings } from "../../support/worker.ts";

const URL = "https://shop.example/webhooks";
const CREATE = { url: URL, events: ["coupon.sold_out", "claim.granted"] };
const ask = workerWith({});
const db = bindings.DB ?? expect.fail("DB is not bound");

beforeEach(async () => {
  await db.exec("DELETE FROM webhooks");
});

function create(body: object = CREATE, headers: Record<string, string> = {}): Promise<Answer> {
  return ask("POST", "/api/webhooks", { body, headers });
}

/** Creates a webhook and returns its path. */
async function pathOfNew(body: object = CREATE): Promise<string> {
  return String((await create(body)).headers.get("Location"));
}

/** The secrets of the only webhook that sign at an instant. */
async function signing(at: number): Promise<readonly string[] | undefined> {
  return (await listEndpoints(db, at))[0]?.secrets;
}

/** Answers every webhook until the end of the test. Returns the requests. */
function endpoint(answer: () => Response | Promise<Response>): Request[] {
  const sent: Request[] = [];
  const elsewhere = globalThis.fetch;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    sent.push(new Request(input, init));
    return answer();
  };
  onTestFinished(() => {
    globalThis.fetch = elsewhere;
  });
  return sent;
}

test("a webhook is created, read, listed, changed and deleted, and its secret is shown once", async () => {
  setClock(T0);
  const { status, body, headers } = await create({ ...CREATE, coupons: ["A"] });
  const { secret, ...webhook } = body;
  const path = `/api/webhooks/${String(body["id"])}`;
  expect([status, headers.get("Location"), headers.get("Idempotent-Replayed")]).toEqual([201, path, null]);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const at = new Date(T0).toISOString();
  const events = ["claim.granted", "coupon.sold_out"];
  const times = { disabled_at: null, created_at: at, updated_at: at };
  expect(webhook).toEqual({ id: expect.stringMatching(/^wh_[\da-f-]{36}$/), url: URL, events, coupons: ["A"], paused: false, ...times });
  expect((await ask("GET", path)).body).toEqual(webhook);
  expect((await ask("GET", "/api/webhooks")).body).toEqual({ webhooks: [webhook], next_after: null });
  const changed = { coupons: null, paused: true };
  expect((await ask("PATCH", path, { body: changed })).body).toEqual({ ...webhook, ...changed });
  expect(outcomeOf(await ask("DELETE", path))).toBe("204");
  for (const [method, more] of [
    ["GET", ""],
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/rotate"],
    ["POST", "/test"],
    ["POST", "/replay?coupon=A"],
  ] as const)
    expect([method, more, outcomeOf(await ask(method, path + more, method === "PATCH" ? { body: changed } : {}))]).toEqual([
      method,
      more,
      "404 webhook_not_found",
    ]);
});

test("a retried create makes one webhook, and the key with other settings gets 422", async () => {
  const key = { "Idempotency-Key": "order-1" };
  const [first, second] = await Promise.all([create(CREATE, key), create({ ...CREATE, events: CREATE.events.toReversed() }, key)]);
  expect(second.body).toEqual(first.body);
  expect([first, second].filter(({ headers }) => headers.get("Idempotent-Replayed") === "true").length).toBe(1);
  expect(outcomeOf(await create({ ...CREATE, coupons: ["A"] }, key))).toBe("422 idempotency_key_reused");
  expect((await listEndpoints(db, T0)).length).toBe(1);
});

test("50 webhooks are allowed, listed in pages, and one more gets 409", async () => {
  const ids: string[] = [];
  for (let index = 0; index < WEBHOOKS_MAX; index += 1)
    ids.push(String((await create(CREATE, { "Idempotency-Key": `key-${index}` })).body["id"]));
  expect(outcomeOf(await create())).toBe("409 webhook_limit_reached");
  expect((await create(CREATE, { "Idempotency-Key": "key-0" })).headers.get("Idempotent-Replayed")).toBe("true");
  type Page = { readonly webhooks: readonly { readonly id: string }[]; readonly next_after: string | null };
  const listed: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page: Page = (await ask("GET", `/api/webhooks?limit=20&after=${after}`)).body as Page;
    listed.push(...page.webhooks.map(({ id }) => id));
    after = page.next_after;
  }
  expect(listed).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
});

test.for([
  ["url is required", { events: CREATE.events }],
  ["url must begin with https://", { ...CREATE, url: "ftp://shop.example" }],
  ["url must begin with https://", { ...CREATE, url: "http://shop.example" }, { WEBHOOK_TARGETS: "public" }],
  ["url exceeds maximum length of 2048", { ...CREATE, url: URL.padEnd(2049, "x") }],
  ["events must be a list of events: claim.granted, ", { ...CREATE, events: [] }],
  ["events.0 must be a list of events: claim.granted, ", { ...CREATE, events: ["claim.made"] }],
  ["coupons must be a list of 1 to 100 coupon names, or null", { ...CREATE, coupons: [] }],
  ["coupons.1 cannot be whitespace only", { ...CREATE, coupons: ["A", " "] }],
  ["event is unknown: did you mean events?", { url: URL, event: "claim.granted" }],
] as const)("a webhook with a wrong setting gets 400: %s", async ([error, body, settings = {}]) => {
  const answer = await workerWith(settings)("POST", "/api/webhooks", { body });
  expect([outcomeOf(answer), answer.body["error"]]).toEqual(["400 invalid_request", expect.stringContaining(error)]);
});

test("a webhook is not changed to a URL that is not allowed, and no webhook has a malformed id", async () => {
  const path = await pathOfNew();
  expect((await ask("PATCH", path, { body: { url: "ftp://shop.example" } })).body["error"]).toBe(
    "invalid request: url must begin with https://",
  );
  expect(outcomeOf(await ask("PATCH", path, { body: {} }))).toBe("400 invalid_request");
  expect((await ask("GET", path)).body["url"]).toBe(URL);
  expect(outcomeOf(await ask("GET", "/api/webhooks/%zz"))).toBe("404 webhook_not_found");
});

test("after each rotation the secrets before sign too, each for 24 hours", async () => {
  setClock(T0);
  const path = await pathOfNew();
  const rotate = async (at: number) => {
    setClock(at);
    return (await ask("POST", `${path}/rotate`)).body;
  };
  const [first] = (await signing(T0)) ?? [];
  const { secret: second, previous_secret_expires_at: expiresAt } = await rotate(T0 + 1);
  const { secret: third } = await rotate(T0 + 1001);
  expect(expiresAt).toBe(new Date(T0 + 1 + WEBHOOK_ROTATION_MS).toISOString());
  expect(await signing(T0 + WEBHOOK_ROTATION_MS)).toEqual([third, second, first]);
  expect(await signing(T0 + WEBHOOK_ROTATION_MS + 1)).toEqual([third, second]);
  const { secret: fourth } = await rotate(T0 + WEBHOOK_ROTATION_MS + 1001);
  expect(await signing(T0 + WEBHOOK_ROTATION_MS + 1001)).toEqual([fourth, third]);
  const sent = endpoint(() => new Response(null, { status: 204 }));
  await ask("POST", `${path}/test`);
  expect(sent[0]?.headers.get("webhook-signature")?.split(" ").length).toBe(2);
});

test.for([
  ["204", () => new Response(null, { status: 204 }), { delivered: true, status: 204, error: null }],
  ["500", () => new Response("busy", { status: 500 }), { delivered: false, status: 500, error: expect.any(String) }],
  ["nothing", () => Promise.reject(new Error("refused")), { delivered: false, status: null, error: expect.stringContaining("refused") }],
] as const)("a test event whose endpoint answers %s returns what it answered", async ([, answer, result]) => {
  const path = await pathOfNew();
  await ask("PATCH", path, { body: { paused: true } });
  const sent = endpoint(answer);
  expect(await ask("POST", `${path}/test`)).toMatchObject({ status: 200, body: { ...result, duration_ms: expect.any(Number) } });
  expect(sent[0]?.headers.get("webhook-id")).toMatch(/^msg_test_/);
  expect(await sent[0]?.json()).toMatchObject({ type: "webhook.test" });
});

test("a test event is not sent to an address that is no longer allowed", async () => {
  const path = await pathOfNew({ ...CREATE, url: "http://127.0.0.1:9200/" });
  const sent = endpoint(() => new Response());
  const { body } = await workerWith({ WEBHOOK_TARGETS: "public" })("POST", `${path}/test`);
  expect([body["delivered"], sent.length]).toEqual([false, 0]);
});

test("a change of anything else leaves a disabled webhook disabled, and unpausing enables it", async () => {
  const path = await pathOfNew();
  await disableEndpoint(db, path.split("/").at(-1) ?? "", T0);
  const disabledAt = async (body: object) => (await ask("PATCH", path, { body })).body["disabled_at"];
  expect(await disabledAt({ url: `${URL}/2` })).toBe(new Date(T0).toISOString());
  expect(await disabledAt({ paused: true })).toBe(new Date(T0).toISOString());
  expect(await disabledAt({ paused: false })).toBeNull();
});

/** Couriers that record each replay, and answer it. */
function couriers(calls: unknown[], answer: () => Promise<boolean> = async () => true): Settings {
  const replay = (...args: unknown[]) => {
    calls.push(args);
    return answer();
  };
  const namespace = {
    idFromName: (name: string) => name,
    get: (name: string) => ({ replay: (...args: unknown[]) => replay(name, ...args) }),
  };
  return { COURIERS: namespace as unknown as CourierNamespace };
}

test("a replay sends the events from a seq on again, with the same ids", async () => {
  const name = await created(2);
  const path = await pathOfNew({ ...CREATE, events: ["claim.granted"], coupons: [name] });
  const sent = endpoint(() => new Response(null, { status: 204 }));
  const ids = async (count: number) => {
    await vi.waitFor(() => expect(sent.length).toBe(count), { timeout: 60_000 });
    return sent.map(({ headers }) => headers.get("webhook-id"));
  };
  await claim(name, "ada");
  const bob = await claim(name, "bob");
  const [ofAda, ofBob] = await ids(2);
  expect(outcomeOf(await ask("POST", `${path}/replay?coupon=${name}&from_seq=${seqOf(bob)}`))).toBe("202");
  expect(await ids(3)).toEqual([ofAda, ofBob, ofBob]);
});

test("a replay reaches the coupon's courier, and an invented coupon reaches none", async () => {
  const [name, missing] = [await created(1), freshName()];
  const path = await pathOfNew({ ...CREATE, coupons: [name, missing] });
  const calls: unknown[] = [];
  const replay = (query: string, settings = couriers(calls)) => workerWith(settings)("POST", `${path}/replay${query}`);
  expect(outcomeOf(await replay(`?coupon=${name}&from_seq=7`))).toBe("202");
  expect(calls).toEqual([[name, path.split("/").at(-1), 7]]);
  expect((await replay("")).body["error"]).toBe("invalid request: coupon is required");
  expect((await replay("?coupon=B")).body["error"]).toBe("invalid request: coupon is none of the coupons of this webhook");
  expect(outcomeOf(await replay(`?coupon=${missing}`))).toBe("404 coupon_not_found");
  expect(
    outcomeOf(
      await replay(
        `?coupon=${name}`,
        couriers([], () => Promise.reject(new Error("lost"))),
      ),
    ),
  ).toBe("503 outcome_unknown");
  expect(
    outcomeOf(
      await replay(
        `?coupon=${name}`,
        couriers([], async () => false),
      ),
    ),
  ).toBe("503 unavailable");
  expect(outcomeOf(await replay(`?coupon=${name}`, { COURIERS: undefined }))).toBe("503 unavailable");
  expect(calls.length).toBe(1);
});

const lose = (): Promise<never> => Promise.reject(new Error("D1_ERROR: Network connection lost."));
const STATEMENT = { first: lose, all: lose, run: lose };
/** A database whose answers are lost. */
const LOSSY = { prepare: () => ({ bind: () => STATEMENT }), batch: lose } as unknown as D1Database;

/** Takes the table of webhooks away until the end of the test. */
async function hideTable(): Promise<void> {
  await db.exec("ALTER TABLE webhooks RENAME TO hidden");
  onTestFinished(async () => void (await db.exec("ALTER TABLE hidden RENAME TO webhooks")));
}

test.for([
  ["is not bound", { DB: undefined }, "unavailable", "no database is bound: bind DB in wrangler.toml"],
  ["has no tables", {}, "unavailable", "the database can't answer right now"],
  ["loses its answers", { DB: LOSSY }, "outcome_unknown", "the database can't answer right now"],
] as const)("where the database %s, reads and changes get 503", async ([fault, settings, change, error]) => {
  const over = workerWith(settings);
  if (fault === "has no tables") await hideTable();
  const answer = await over("GET", "/api/webhooks");
  expect([outcomeOf(answer), answer.body["error"]]).toEqual(["503 unavailable", expect.stringContaining(error)]);
  const changes = [
    ["POST", "/api/webhooks", CREATE],
    ["PATCH", "/api/webhooks/a", { paused: true }],
    ["DELETE", "/api/webhooks/a"],
    ["POST", "/api/webhooks/a/rotate"],
  ] as const;
  for (const [method, path, body] of changes)
    expect([method, path, outcomeOf(await over(method, path, { body }))]).toEqual([method, path, `503 ${change}`]);
});

test("the operator alone may call the routes of webhooks", async () => {
  const closed = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "secret" });
  expect(outcomeOf(await closed("GET", "/api/webhooks"))).toBe("401 unauthorized");
  expect(outcomeOf(await closed("POST", "/api/webhooks", { body: CREATE }))).toBe("401 unauthorized");
});
