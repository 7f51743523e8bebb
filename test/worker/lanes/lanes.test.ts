// Claims and holds through lanes: the same answers as without, exactly the stock, and no harm from a lane's end.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import type { ClaimRequest } from "../../../src/domain/claim.ts";
import { laneName } from "../../../src/domain/lanes.ts";
import { CALL_RETRIES_MAX, TEXT_CODE_POINTS_MAX } from "../../../src/domain/limits.ts";
import type { LaneNamespace } from "../../../src/edge/env.ts";
import { countOutcomes, create, created, outcomeOf, pathOf, read, send, users, type Answer } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { hangObject, platform, platformError } from "../../support/platform-faults.ts";
import { runSql, stored, stubOf } from "../../support/storage.ts";
import { fetchWith, workerWith, type Settings } from "../../support/worker.ts";

const LANES_4: Settings = { LANES: "4" };
const throughLanes = workerWith(LANES_4);

function claim(name: string, user: string, headers: Record<string, string> = {}): Promise<Answer> {
  return throughLanes("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name }, headers });
}

const LABELS = ["0", "1", "2", "3"];

function lanesOf(name: string) {
  return LABELS.map((lane) => env.LANE_OBJECTS.getByName(laneName(name, lane)));
}

test("1,000 claims at once through 4 lanes give exactly the stock", async () => {
  const logged = vi.spyOn(console, "log");
  const name = await created(300);
  const answers = await Promise.all(users(1000).map((user) => claim(name, user)));
  const lines = logged.mock.calls.map(([line]) => JSON.parse(String(line)) as { readonly coupon: string; readonly lane?: string });
  logged.mockRestore();
  expect(countOutcomes(answers)).toEqual({ 201: 300, "400 out_of_stock": 700 });
  expect(new Set(lines.filter(({ coupon, lane }) => coupon === name && lane !== undefined).map(({ lane }) => lane))).toEqual(
    new Set(LABELS),
  );
  const { claims } = await expectConserved(name, answers);
  expect(claims.map(({ position }) => position)).toEqual(claims.map((_, index) => index + 1));
});

test("claims go through lanes of their continent, and its users share the stock", async () => {
  const name = await created(2);
  const placed: (readonly [name: string | undefined, locationHint: unknown])[] = [];
  const namespace = {
    idFromName: (lane: string) => env.LANE_OBJECTS.idFromName(lane),
    get: (id: DurableObjectId, options?: { readonly locationHint?: string }) => {
      placed.push([id.name, options?.locationHint]);
      return env.LANE_OBJECTS.get(id);
    },
  } as unknown as LaneNamespace;
  const ask = workerWith({ LANES: "1", LOCATION_HINT: "weur", LANE_OBJECTS: namespace });
  const from = (continent: string, user: string) =>
    ask("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name }, cf: { continent } });
  const answers = [await from("OC", "ada"), await from("SA", "ada"), await from("AN", "bob"), await from("OC", "cy")];
  expect(countOutcomes(answers)).toEqual({ 201: 2, "409 already_claimed": 1, "400 out_of_stock": 1 });
  expect(placed).toEqual([
    [`${name}#oc0`, "oc"],
    [`${name}#sam0`, "sam"],
    [`${name}#0`, "weur"],
    [`${name}#oc0`, "oc"],
  ]);
});

test("a claim of a coupon whose lane's name is too long for an object to learn gets a unit", async () => {
  const unique = Array.from(crypto.randomUUID(), (digit) => String.fromCodePoint(0x1f300 + digit.charCodeAt(0)));
  const name = unique.join("").padEnd(2 * TEXT_CODE_POINTS_MAX, "🎉");
  expect(new TextEncoder().encode(laneName(name, "apac0")).length).toBeGreaterThan(1024);
  expect((await create(name, 1)).status).toBe(201);
  const body = { user_id: "ada", coupon_name: name };
  const answer = await throughLanes("POST", "/api/coupons/claim", { body, cf: { continent: "AS" } });
  expect(outcomeOf(answer)).toBe("201");
});

/** Claims and holds with every kind of answer, one after the other. */
const REQUESTS: readonly (readonly [what: string, user: string, key?: string])[] = [
  ["claim", "ada", "key-1"],
  ["claim", "ada", "key-1"],
  ["claim", "ada", "key-2"],
  ["claim", "bob", "key-1"],
  ["hold", "bob"],
  ["hold", "bob"],
  ["hold", "ada"],
  ["claim", "bob", "key-3"],
  ["claim", " "],
  ["claim", "用户 🎉"],
  ["claim", "late"],
  ["hold", "late"],
  ["missing", "ada"],
];

async function textsOf(settings: Settings): Promise<string[]> {
  const name = await created(3);
  const texts: string[] = [];
  for (const [index, [what, user, key]] of REQUESTS.entries()) {
    const headers = { "X-Request-Id": `request-${index}`, ...(key === undefined ? {} : { "Idempotency-Key": key }) };
    const path = what === "hold" ? pathOf(name, "holds") : "/api/coupons/claim";
    const body = { user_id: user, coupon_name: what === "missing" ? `no-${name}` : name, ttl_seconds: 60 };
    const answer = await fetchWith({ ...settings, SOLD_OUT_CACHE: "off" }, "POST", path, { body, headers });
    const text = `${answer.status} ${JSON.stringify(Array.from(answer.headers))} ${await answer.text()}`;
    texts.push(text.replaceAll(name, "the-coupon"));
  }
  return texts;
}

test("every answer through lanes is the direct one, byte for byte", async () => {
  setClock(T0);
  const direct = await textsOf({ LANES: "off" });
  expect(await textsOf(LANES_4)).toEqual(direct);
  expect(direct.map((text) => text.slice(0, 3)).join(" ")).toBe("201 201 409 422 201 200 409 201 400 201 400 400 404");
});

test("without the binding of lanes, claims go to the coupon directly", async () => {
  const over = platform();
  const direct = workerWith({ ...LANES_4, LANE_OBJECTS: undefined, COUPONS: over.coupons });
  const name = await created(1);
  expect((await direct("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name } })).status).toBe(201);
  expect(over.calls.map(({ method }) => method)).toEqual(["claim"]);
});

test("a claim that can't be stored fails alone among 40 through lanes", async () => {
  const name = await created(100);
  await runSql(name, "CREATE TRIGGER poison BEFORE INSERT ON claims WHEN NEW.user_id = 'user-7' BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const answers = await Promise.all(users(40).map((user) => claim(name, user)));
  expect(countOutcomes(answers)).toEqual({ 201: 39, "503 unavailable": 1 });
  expect(outcomeOf(answers[6] ?? (Response.error() as never))).toBe("503 unavailable");
  expect((await stored(name)).claims).toHaveLength(39);
});

test("the metrics of a coupon count claims that a full lane has refused", async () => {
  const name = await created(9);
  const request = { userId: "ada", key: null, attemptId: "attempt" };
  await stubOf(name).batch([{ kind: "claim", request }], 7);
  const { body } = await send("GET", pathOf(name, "metrics"), { headers: { accept: "application/json" } });
  expect(body["outcomes"]).toMatchObject({ granted: 1, unavailable: 7 });
});

test("claims of a lane that is aborted get their units from retries", async () => {
  const name = await created(200);
  const over = platform();
  const ask = workerWith({ ...LANES_4, COUPONS: over.coupons });
  const { resume } = await hangObject(name);
  const claims = users(200).map((user) => ask("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name } }));
  // The coupon hangs, so every claim waits in a lane until the lane ends. Its last attempt calls the coupon itself.
  while (over.calls.length < 200) {
    await Promise.all(
      lanesOf(name).map((lane) => runInDurableObject(lane, (_lane, state) => state.abort("ended by a test")).catch(String)),
    );
    await scheduler.wait(1);
  }
  await resume();
  const answers = await Promise.all(claims);
  expect(countOutcomes(answers)).toEqual({ 201: 200 });
  expect(new Set(answers.map(({ body }) => body["position"])).size).toBe(200);
  await expectConserved(name, answers);
});

/** The real lanes. A claim's attempt is lost together with its answer if `isLost` says so of its number. */
function losingLanes(isLost: (attempt: number) => boolean) {
  const attemptCounts = new Map<string, number>();
  const namespace = {
    idFromName: (lane: string) => env.LANE_OBJECTS.idFromName(lane),
    get: (id: DurableObjectId) => ({
      async claim(request: ClaimRequest) {
        const attempt = (attemptCounts.get(request.attemptId) ?? 0) + 1;
        attemptCounts.set(request.attemptId, attempt);
        const result = await env.LANE_OBJECTS.get(id).claim(request);
        if (isLost(attempt)) throw platformError({ remote: true });
        return result;
      },
    }),
  } as unknown as LaneNamespace;
  return { namespace, attemptCounts };
}

test("a hundred callers whose answers are lost ask through their lane again, and none asks the coupon itself", async () => {
  const name = await created(100);
  const over = platform();
  const { namespace, attemptCounts } = losingLanes((attempt) => attempt === 1);
  const ask = workerWith({ LANES: "1", LANE_OBJECTS: namespace, COUPONS: over.coupons });
  const answers = await Promise.all(
    users(100).map((user) => ask("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name } })),
  );
  expect(countOutcomes(answers)).toEqual({ 201: 100 });
  expect(Array.from(attemptCounts.values())).toEqual(answers.map(() => 2));
  expect(over.calls).toEqual([]);
  await expectConserved(name, answers);
});

test("the last attempt of a claim whose lane is broken asks the coupon itself", async () => {
  const name = await created(1);
  const over = platform();
  const { namespace, attemptCounts } = losingLanes(() => true);
  const ask = workerWith({ LANES: "1", LANE_OBJECTS: namespace, COUPONS: over.coupons });
  expect(outcomeOf(await ask("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name } }))).toBe("201");
  expect(Array.from(attemptCounts.values())).toEqual([CALL_RETRIES_MAX]);
  expect(over.calls.map(({ method }) => method)).toEqual(["claim"]);
});

test("a claim that was lost on the direct way takes a lane if the coupon is busy by then", async () => {
  const name = await created(1);
  const over = platform(async () => {
    await stubOf(name).countRefused({ sale_not_started: 3000 });
    // This isolate learns from the answer that the coupon is busy.
    await read(name);
    throw platformError({ remote: true });
  });
  const { namespace, attemptCounts } = losingLanes(() => false);
  const ask = workerWith({ LANES: "auto", LANE_OBJECTS: namespace, COUPONS: over.coupons });
  expect(outcomeOf(await ask("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name } }))).toBe("201");
  expect(over.calls.map(({ method }) => method)).toEqual(["claim"]);
  expect(Array.from(attemptCounts.values())).toEqual([1]);
});

test("an evicted lane starts again with the next claim", async () => {
  const name = await created(20);
  const answers = await Promise.all(users(10).map((user) => claim(name, user)));
  await Promise.all(lanesOf(name).map((lane) => evictDurableObject(lane)));
  answers.push(...(await Promise.all(users(10, "later").map((user) => claim(name, user)))));
  expect(countOutcomes(answers)).toEqual({ 201: 20 });
  await expectConserved(name, answers);
});

test("callers who leave while their claims wait in lanes disturb no other caller", async () => {
  const name = await created(400);
  // The coupon is busy, and this isolate learns it from a read.
  await stubOf(name).countRefused({ sale_not_started: 3000 });
  await read(name);
  const logged = vi.spyOn(console, "log");
  const outcomes = users(100).flatMap((user) => {
    const caller = new AbortController();
    const leaving = send("POST", "/api/coupons/claim", { body: { user_id: `leaver-${user}`, coupon_name: name }, signal: caller.signal });
    queueMicrotask(() => caller.abort());
    void leaving.catch(() => undefined);
    return send("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name } });
  });
  const answers = await Promise.all(outcomes);
  const laneCount = logged.mock.calls.filter(([line]) => String(line).includes(`"lane":`)).length;
  logged.mockRestore();
  expect(countOutcomes(answers)).toEqual({ 201: 100 });
  expect(laneCount).toBeGreaterThanOrEqual(100);
  await expectConserved(name, answers);
});
