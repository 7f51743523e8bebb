// When a sale is open: its states in their order, both edges to the millisecond, and a clock that never goes back.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { expectRefused } from "../contract/wire.ts";
import { claim, created, look, tally, users, type Answer } from "../../support/api.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { change, expectSound, hold, iso, list, MINUTE, outcome, seqOf, setClock, status, T0 } from "./sale.ts";

const START = T0;
const END = T0 + 10 * MINUTE;
const WINDOW = { starts_at: iso(START), ends_at: iso(END) };

const PHASES = { before: START - 1, within: START, after: END } as const;

/** A coupon of one unit, created well before its window; sold out and paused on demand. */
async function coupon({ soldOut = false, paused = false } = {}): Promise<string> {
  setClock(START - MINUTE);
  const name = await created(1);
  for (const user of soldOut ? ["winner"] : []) await claim(name, user);
  await change(name, { ...WINDOW, paused });
  return name;
}

/** A sale of `amount` units in {@link WINDOW}, at `at`. */
async function saleAt(at: number, amount = 200): Promise<string> {
  setClock(START - MINUTE);
  const name = await created(amount, WINDOW);
  setClock(at);
  return name;
}

describe("where several states fit, the first of ended, scheduled, paused, sold_out, open is told", () => {
  test.for([
    ["after", { paused: true, soldOut: true }, "ended", "403 sale_ended"],
    ["after", { paused: true }, "ended", "403 sale_ended"],
    ["after", { soldOut: true }, "ended", "403 sale_ended"],
    ["after", {}, "ended", "403 sale_ended"],
    ["before", { paused: true, soldOut: true }, "scheduled", "403 sale_not_started"],
    ["before", { paused: true }, "scheduled", "403 sale_not_started"],
    ["before", { soldOut: true }, "scheduled", "403 sale_not_started"],
    ["before", {}, "scheduled", "403 sale_not_started"],
    ["within", { paused: true, soldOut: true }, "paused", "403 sale_paused"],
    ["within", { paused: true }, "paused", "403 sale_paused"],
    ["within", { soldOut: true }, "sold_out", "400 out_of_stock"],
    ["within", {}, "open", "201"],
  ] as const)("%s the window, %o: %s, and a newcomer is told %s", async ([phase, facts, state, told]) => {
    const name = await coupon(facts);
    setClock(PHASES[phase]);
    expect((await look(name)).body["state"]).toBe(state);
    expect((await status(name)).body["state"]).toBe(state);
    expect(outcome(await hold(name, "newcomer"))).toBe(told);
    expect(outcome(await claim(name, "newcomer"))).toBe(told);
    await expectSound(name);
  });
});

describe("the window is half-open", () => {
  test.for([
    ["1 ms before the start", START - 1, "scheduled", "403 sale_not_started"],
    ["at the start", START, "open", "201"],
    ["1 ms after the start", START + 1, "open", "201"],
    ["1 ms before the end", END - 1, "open", "201"],
    ["at the end", END, "ended", "403 sale_ended"],
    ["1 ms after the end", END + 1, "ended", "403 sale_ended"],
  ] as const)("%s", async ([, at, state, told]) => {
    const name = await saleAt(at);
    expect((await status(name)).body).toMatchObject({ state, server_time: iso(at), ...WINDOW });
    expect(outcome(await claim(name, "claimer"))).toBe(told);
    expect(outcome(await hold(name, "holder"))).toBe(told);
    await expectSound(name);
  });

  test.for([
    [3_600_000, "3600"],
    [1001, "2"],
    [1000, "1"],
    [999, "1"],
    [1, "1"],
  ] as const)("%i ms before the start a claim and a hold are told to come back in %s s", async ([earlyMs, seconds]) => {
    setClock(START - 3_600_000);
    const name = await created(5, WINDOW);
    setClock(START - earlyMs);
    for (const answer of [await claim(name, "early"), await hold(name, "early")]) {
      expectRefused(answer, "403 sale_not_started", "the sale has not started: see starts_at");
      expect([answer.body["starts_at"], answer.headers.get("Retry-After")]).toEqual([iso(START), seconds]);
      expect(seqOf(answer)).toBe(1);
    }
  });

  test("after the end there is nothing to wait for", async () => {
    const answer = await claim(await saleAt(END), "late");
    expectRefused(answer, "403 sale_ended", "the sale has ended");
    expect([answer.headers.get("Retry-After"), answer.body["starts_at"]]).toEqual([null, undefined]);
  });
});

/** The seqs of those answers that are `told`. */
function seqs(answers: readonly Answer[], told: string): number[] {
  return answers.filter((answer) => outcome(answer) === told).map(seqOf);
}

describe("claims in flight while an edge passes", () => {
  test("the end: after the first sale_ended nobody new wins", async () => {
    const name = await saleAt(END - 1, 1000);
    const early = users(80, "early").map((user) => claim(name, user));
    expect(outcome((await early[0]) as Answer)).toBe("201");
    setClock(END);
    const late = await Promise.all(users(80, "late").map((user) => claim(name, user)));
    const answers = [...(await Promise.all(early)), ...late];

    expect(tally(late)).toEqual({ "403 sale_ended": 80 });
    const counts = tally(answers);
    expect((counts["201"] ?? 0) + (counts["403 sale_ended"] ?? 0)).toBe(160);
    expect(Math.max(...seqs(answers, "201"))).toBeLessThanOrEqual(Math.min(...seqs(answers, "403 sale_ended")));
    const { claims } = await expectSound(name);
    expect(new Set(claims.map(({ claimed_at }) => claimed_at))).toEqual(new Set([END - 1]));
    expect(claims).toHaveLength(counts["201"] ?? 0);
  });

  test("the end, and the clock trembles around it: who comes after the first sale_ended is told the same", async () => {
    const name = await saleAt(END - 1);
    expect((await claim(name, "in-time")).status).toBe(201);
    setClock(END);
    expect(outcome(await claim(name, "late"))).toBe("403 sale_ended");
    setClock(END - 1);
    const answers = await Promise.all(users(50).map((user) => claim(name, user)));
    expect(tally(answers)).toEqual({ "403 sale_ended": 50 });
    await expectSound(name);
  });

  test("the start: after the first 201 nobody is told that it has not started", async () => {
    const name = await saleAt(START - 1, 1000);
    const early = users(80, "early").map((user) => claim(name, user));
    expect(outcome((await early[0]) as Answer)).toBe("403 sale_not_started");
    setClock(START);
    const onTime = await Promise.all(users(80, "on-time").map((user) => claim(name, user)));
    const answers = [...(await Promise.all(early)), ...onTime];

    expect(tally(onTime)).toEqual({ 201: 80 });
    // Nothing had happened but the creation when they were refused.
    expect(new Set(seqs(answers, "403 sale_not_started"))).toEqual(new Set([1]));
    expect(new Set((await expectSound(name)).claims.map(({ claimed_at }) => claimed_at))).toEqual(new Set([START]));
  });

  test("each is dated within the window, though the clock moves with every claim", async () => {
    const name = await saleAt(END - 40, 1000);
    const asking: Promise<Answer>[] = [];
    for (const [index, user] of users(80).entries()) {
      setClock(END - 40 + index);
      asking.push(claim(name, user));
      await (index % 8 === 0 ? asking[index] : undefined);
    }
    const answers = await Promise.all(asking);
    expect(Object.keys(tally(answers)).sort()).toEqual(["201", "403 sale_ended"]);
    expect(Math.max(...seqs(answers, "201"))).toBeLessThanOrEqual(Math.min(...seqs(answers, "403 sale_ended")));
    const instants = (await expectSound(name)).claims.map(({ claimed_at }) => claimed_at);
    expect(instants.filter((at) => at < START || at >= END)).toEqual([]);
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
  });
});

const TELLERS = {
  claim: (name: string) => claim(name, "teller"),
  hold: (name: string) => hold(name, "teller"),
  status: (name: string) => status(name),
  look: (name: string) => look(name),
} as const;
const TOLD_BY = ["claim", "hold", "status", "look"] as const;

describe("the clock steps back, and the object is evicted", () => {
  test.for(TOLD_BY)("what a %s was told has ended stays ended", async (teller) => {
    const name = await saleAt(END);
    await TELLERS[teller](name);
    expect((await stored(name)).coupon.clock_at).toBe(END);

    setClock(START + 1);
    await evictDurableObject(stubOf(name));
    expect((await status(name)).body).toMatchObject({ state: "ended", server_time: iso(END) });
    expect(outcome(await claim(name, "newcomer"))).toBe("403 sale_ended");
    expect(outcome(await hold(name, "newcomer"))).toBe("403 sale_ended");
    await expectSound(name);
  });

  test.for(TOLD_BY)("what a %s was told has started stays started", async (teller) => {
    const name = await saleAt(START);
    await TELLERS[teller](name);
    expect((await stored(name)).coupon.clock_at).toBe(START);

    setClock(START - MINUTE);
    await evictDurableObject(stubOf(name));
    expect((await status(name)).body).toMatchObject({ state: "open", server_time: iso(START) });
    expect((await claim(name, "newcomer")).body["claimed_at"]).toBe(iso(START));
    await expectSound(name);
  });

  test("claimed_at never decreases with the position, whatever the clock does", async () => {
    setClock(T0);
    const name = await created(1000);
    for (const [index, moveMs] of [5000, 3000, 9000, -60_000, 8999, 20_000, 0].entries()) {
      setClock(T0 + moveMs);
      await Promise.all(users(7, `round-${index}`).map((user) => claim(name, user)));
      await evictDurableObject(stubOf(name));
    }
    const instants = ((await list(name)).body["claims"] as { readonly claimed_at: string }[]).map(({ claimed_at }) => claimed_at);
    expect(instants).toEqual([5000, 5000, 9000, 9000, 9000, 20_000, 20_000].flatMap((ms) => Array<string>(7).fill(iso(T0 + ms))));
    await expectSound(name);
  });
});

describe("a sale that was over", () => {
  test("is open again once it is restocked", async () => {
    const name = await created(1);
    await claim(name, "first");
    expectRefused(await claim(name, "second"), "400 out_of_stock", "coupon out of stock");
    expect((await change(name, { amount: 2 })).body).toMatchObject({ state: "open", amount: 2, remaining_amount: 1 });
    expect((await claim(name, "second")).body).toMatchObject({ position: 2, remaining_amount: 0 });
    expect((await look(name)).body["state"]).toBe("sold_out");
    await expectSound(name);
  });

  test.for([
    ["moved", END + MINUTE],
    ["taken away", null],
  ] as const)("because it had ended is open again once ends_at is %s", async ([, endsAt]) => {
    const name = await saleAt(END);
    expect(outcome(await claim(name, "late"))).toBe("403 sale_ended");
    const moved = endsAt === null ? null : iso(endsAt);
    expect((await change(name, { ends_at: moved })).body).toMatchObject({ state: "open", ends_at: moved });
    expect((await claim(name, "late")).body).toMatchObject({ position: 1, claimed_at: iso(END) });
    await expectSound(name);
  });
});
