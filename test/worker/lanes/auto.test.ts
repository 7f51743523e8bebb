// LANES=auto: a busy coupon makes isolates use lanes, before the start of its sale too, and only as long as it is busy.

import { afterEach, beforeEach, expect, test, vi, type MockInstance } from "vitest";

import { LANE_HINT_MS, OPEN_CALLS_PER_LANE } from "../../../src/domain/lane-limits.ts";
import { countOutcomes, created, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { iso, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { workerWith } from "../../support/worker.ts";

let logged: MockInstance<typeof console.log>;
let works: Promise<unknown>[];

beforeEach(() => {
  logged = vi.spyOn(console, "log");
  works = [];
});

afterEach(() => {
  logged.mockRestore();
});

/** Claims for these users at once. Returns the answers, and how many claims went through lanes. */
async function claimed(name: string, names: readonly string[]) {
  logged.mockClear();
  const ask = workerWith({ LANES: "auto" }, works);
  const bodies = names.map((user) => ({ user_id: user, coupon_name: name }));
  const answers = await Promise.all(bodies.map((body) => ask("POST", "/api/coupons/claim", { body })));
  const lines = logged.mock.calls.map(([line]) => JSON.parse(String(line)) as { readonly event: string; readonly lane?: string });
  return { answers, laneCount: lines.filter(({ event, lane }) => event === "request" && lane !== undefined).length };
}

test("a rush of claims moves to lanes, and after the rush claims go directly again", async () => {
  setClock(T0);
  const name = await created(1000);
  const before = [];
  for (let group = 0; group < 10; group += 1) before.push(await claimed(name, users(7, `before-${group}`)));
  expect(before.map(({ laneCount }) => laneCount)).toEqual(before.map(() => 0));
  const turning = await claimed(name, users(OPEN_CALLS_PER_LANE, "turning"));
  const during = await claimed(name, users(300, "during"));
  expect([turning.laneCount, during.laneCount]).toEqual([0, 300]);
  passClock(LANE_HINT_MS - 1);
  const last = await claimed(name, ["last"]);
  passClock(LANE_HINT_MS);
  const after = await claimed(name, users(3, "after"));
  expect([last.laneCount, after.laneCount]).toEqual([1, 0]);
  const answers = [...before, turning, during, last, after].flatMap((one) => one.answers);
  expect(countOutcomes(answers)).toEqual({ 201: 382 });
  await expectConserved(name, answers);
});

test("in a sudden rush, eight claims of an isolate go directly, others through lanes", async () => {
  setClock(T0);
  const name = await created(100);
  const { answers, laneCount } = await claimed(name, users(150));
  expect(laneCount).toBe(150 - OPEN_CALLS_PER_LANE);
  expect(countOutcomes(answers)).toEqual({ 201: 100, "400 out_of_stock": 50 });
  await expectConserved(name, answers);
});

test("a crowd refused at the edge before the start goes through lanes from the first claim on", async () => {
  setClock(T0);
  const name = await created(400, { starts_at: iso(T0 + 2 * SECOND) });
  await claimed(name, ["first"]);
  await Promise.all(works);
  const early = await claimed(name, users(600, "early"));
  expect(new Set(early.answers.map(({ headers }) => headers.get("Served-By")))).toEqual(new Set(["edge"]));
  // The next refusal renews the certificate, reports the crowd, and brings the hint.
  passClock(900);
  await claimed(name, ["early-again"]);
  await Promise.all(works);
  passClock(1200);
  const { answers, laneCount } = await claimed(name, users(600));
  expect(laneCount).toBe(600);
  expect(countOutcomes(answers)).toEqual({ 201: 400, "400 out_of_stock": 200 });
  await expectConserved(name, answers);
});
