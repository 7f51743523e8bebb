// When a sale is open: both edges to the millisecond, by the object's clock, which never goes back.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, hold, outcomeOf, read, readStatus, seqOf, users, type Answer } from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, platform } from "../../support/platform-faults.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

const START = T0;
const END = T0 + 10 * MINUTE;
const WINDOW = { starts_at: iso(START), ends_at: iso(END) };

/** A sale of `amount` units in {@link WINDOW}, at `at`. */
async function saleAt(at: number, amount = 200): Promise<string> {
  setClock(START - 61 * MINUTE);
  const name = await created(amount, WINDOW);
  setClock(at);
  return name;
}

test.for([
  [3_600_000, "3600"],
  [1001, "2"],
  [1000, "1"],
  [1, "1"],
] as const)("a claim or hold %i ms before the start gets starts_at and Retry-After %s", async ([earlyMs, seconds]) => {
  const name = await saleAt(START - earlyMs);
  for (const answer of [await claim(name, "early"), await hold(name, "early")]) {
    expectRefused(answer, "403 sale_not_started");
    expect([answer.body["starts_at"], answer.headers.get("Retry-After"), seqOf(answer)]).toEqual([iso(START), seconds, 1]);
  }
  // A user who comes back when Retry-After says is in time.
  setClock(START - earlyMs + Number(seconds) * 1000);
  expect((await claim(name, "early")).status).toBe(201);
});

test("a claim centuries before the start gets a Retry-After of one day", async () => {
  const name = await created(1, { starts_at: "2999-01-01T00:00:00Z" });
  expect((await claim(name, "early")).headers.get("Retry-After")).toBe("86400");
});

test("a claim after the end has no Retry-After and no starts_at", async () => {
  const answer = await claim(await saleAt(END), "late");
  expectRefused(answer, "403 sale_ended");
  expect([answer.headers.get("Retry-After"), answer.body["starts_at"]]).toEqual([null, undefined]);
});

test.for([
  ["at the end", END - 1, END, "403 sale_ended", undefined],
  ["at the start", START - 1, START, "201", iso(START)],
  ["20 s before the start", START - 50_000, START - 20_000, "403 sale_not_started", undefined],
  // The Worker's clock is ahead.
  ["1 ms before the end", END + MINUTE, END - 1, "201", iso(END - 1)],
] as const)("a claim that reaches the object %s is judged and dated at that instant", async ([, sentAt, arrivedAt, outcome, claimedAt]) => {
  const name = await saleAt(sentAt);
  const over = platform((deliver) => {
    setClock(arrivedAt);
    return deliver();
  });
  const answer = await claimOver(over, name, "ann");
  expect([outcomeOf(answer), answer.body["claimed_at"]]).toEqual([outcome, claimedAt]);
  expect(answer.headers.get("Retry-After")).toBe(outcome === "403 sale_not_started" ? "20" : null);
  await expectConserved(name, [answer]);
});

/** The seqs of the answers with `outcome`. */
function seqs(answers: readonly Answer[], outcome: string): number[] {
  return answers.filter((answer) => outcomeOf(answer) === outcome).map(seqOf);
}

test("no claim in flight at the end is granted after the first sale_ended", async () => {
  const name = await saleAt(END - 1, 1000);
  const early = users(80, "early").map((user) => claim(name, user));
  expect(outcomeOf((await early[0]) as Answer)).toBe("201");
  setClock(END);
  const late = await Promise.all(users(80, "late").map((user) => claim(name, user)));
  const answers = [...(await Promise.all(early)), ...late];

  expect(countOutcomes(late)).toEqual({ "403 sale_ended": 80 });
  expect(Object.keys(countOutcomes(answers)).toSorted()).toEqual(["201", "403 sale_ended"]);
  expect(Math.max(...seqs(answers, "201"))).toBeLessThanOrEqual(Math.min(...seqs(answers, "403 sale_ended")));
  const { claims } = await expectConserved(name, answers);
  expect(new Set(claims.map(({ claimed_at }) => claimed_at))).toEqual(new Set([END - 1]));
  expect(claims).toHaveLength(seqs(answers, "201").length);
});

describe("a clock that steps back", () => {
  const READERS = {
    claim: (name: string) => claim(name, "reader"),
    hold: (name: string) => hold(name, "reader"),
    status: (name: string) => readStatus(name),
    read: (name: string) => read(name),
  } as const;

  test.for(["claim", "hold", "status", "read"] as const)(
    "a sale that a %s showed ended stays ended while the clock steps back",
    async (reader) => {
      const name = await saleAt(END);
      await READERS[reader](name);
      expect((await stored(name)).coupon.clock_at).toBe(END);

      setClock(START + 1);
      expect(outcomeOf(await claim(name, "warm"))).toBe("403 sale_ended");
      await evictDurableObject(stubOf(name));
      expect((await readStatus(name)).body).toMatchObject({ state: "ended", server_time: iso(END) });
      expect(outcomeOf(await claim(name, "cold"))).toBe("403 sale_ended");
      expect(outcomeOf(await hold(name, "cold"))).toBe("403 sale_ended");
      await expectConserved(name);
    },
  );
});
