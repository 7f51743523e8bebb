// A claim is judged by the object's clock when the object takes it up, whatever the time was when the Worker sent it.

import { describe, expect, test } from "vitest";

import { claim, created, outcomeOf } from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, platform, type Delivery } from "../../support/platform-faults.ts";

const START = T0;
const END = T0 + MINUTE;

/** The way to the object takes until `at`. */
function arrivingAt(at: number): Delivery {
  return (deliver) => {
    setClock(at);
    return deliver();
  };
}

/** A sale that is asked at `sentAt` for a unit, and hears of it at `arrivedAt`. */
async function asked(sentAt: number, arrivedAt: number) {
  setClock(START - MINUTE);
  const name = await created(5, { starts_at: iso(START), ends_at: iso(END) });
  setClock(sentAt);
  const answer = await claimOver(platform(arrivingAt(arrivedAt)), name, "ann");
  return { name, answer };
}

describe("a claim on its way", () => {
  test("while the sale ends is too late", async () => {
    const { name, answer } = await asked(END - 1, END);
    expect(outcomeOf(answer)).toBe("403 sale_ended");
    expect((await expectConserved(name)).claims).toEqual([]);
  });

  test("while the sale starts is in time, and dated by its arrival", async () => {
    const { name, answer } = await asked(START - 1, START);
    expect(outcomeOf(answer)).toBe("201");
    expect(answer.body["claimed_at"]).toBe(iso(START));
    await expectConserved(name);
  });

  test("is told how long the rest is from its arrival on", async () => {
    const { answer } = await asked(START - 50_000, START - 20_000);
    expect([outcomeOf(answer), answer.headers.get("Retry-After")]).toEqual(["403 sale_not_started", "20"]);
  });

  test("by a Worker whose clock is ahead is not judged by that clock", async () => {
    const { name, answer } = await asked(END + MINUTE, END - 1);
    expect([outcomeOf(answer), answer.body["claimed_at"]]).toEqual(["201", iso(END - 1)]);
    expect(outcomeOf(await claim(name, "bob"))).toBe("201");
    await expectConserved(name);
  });
});
