// What an isolate has shown to anybody, it does not contradict by an older certificate.

import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { CERTIFICATE_MS_MAX } from "../../src/domain/limits.ts";
import { change, outcome, pathOf, setClock, T0 } from "../sale/sale.ts";
import { claim, send } from "../support/api.ts";
import { claimOver, platform } from "../support/platform-faults.ts";
import { stubOf } from "../support/storage.ts";
import { certified, createdAgainElsewhere, overtakenBy, seenSoldOut, wonElsewhere } from "./certificates.ts";

/** Asks for what is no JSON, and takes none of it but the head. */
async function asked(name: string, what: string): Promise<void> {
  const response = await exports.default.fetch(`https://doorbuster.test${pathOf(name, what)}`);
  expect(response.status).toBe(200);
  await response.body?.cancel();
}

describe("whoever was shown here that the coupon is not as the certificate says", () => {
  /** Asks in every way in which nothing is changed. */
  const ways = [
    ["their own receipt", (name: string) => send("GET", pathOf(name, "claims", "second"))],
    ["the status", (name: string) => send("GET", pathOf(name, "status"))],
    ["the coupon", (name: string) => send("GET", pathOf(name))],
    ["the list of claims", (name: string) => send("GET", pathOf(name, "claims"))],
    ["the metrics", (name: string) => asked(name, "metrics")],
    ["the first event of a stream", (name: string) => asked(name, "events")],
  ] as const;

  test.for(ways)("by %s is judged by the object", async ([, shown]) => {
    const name = await certified();
    await wonElsewhere(name, "k");
    expect((await claim(name, "loser-4")).headers.get("Served-By")).toBe("edge");
    await shown(name);
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
  });

  // A list does not tell of which coupon it is.
  test.for(ways.filter(([what]) => what !== "the list of claims"))(
    "by %s, of the coupon that has its name now, is judged by that one's object",
    async ([, shown]) => {
      const name = await certified();
      await createdAgainElsewhere(name);
      await shown(name);
      expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
    },
  );

  test("by the object's word that there is no coupon is judged by the object", async () => {
    const name = await certified();
    await stubOf(name).remove();
    expect(outcome(await claim(name, "winner"))).toBe("404 coupon_not_found");
    expect(outcome(await claim(name, "loser-4"))).toBe("404 coupon_not_found");
  });

  test("by an answer at a lower seq, as only another coupon of the name gives it, is judged by that one's object", async () => {
    const name = await certified();
    // `second` has something of both coupons, so that nothing but the seq tells them apart.
    setClock(T0 + 1);
    for (const paused of [true, false]) await change(name, { paused });
    await change(name, { amount: 2 });
    expect(outcome(await claim(name, "second"))).toBe("201");
    setClock(T0 + 2);
    await claim(name, "loser-4");
    expect((await claim(name, "loser-5")).headers.get("Served-By")).toBe("edge");
    const elsewhere = stubOf(name);
    await elsewhere.remove();
    await elsewhere.create({ name, amount: 1, startsAt: null, endsAt: null });
    await elsewhere.claim({ userId: "first", key: null, attemptId: "elsewhere" });

    const overtaken = overtakenBy(async () => {
      await elsewhere.change({ amount: 2 }, null);
      expect(await elsewhere.claim({ userId: "second", key: null, attemptId: "elsewhere" })).toMatchObject({ ok: true });
      setClock(T0 + CERTIFICATE_MS_MAX + 3);
      expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
    });
    setClock(T0 + CERTIFICATE_MS_MAX + 2);
    expect(outcome(await claimOver(platform(overtaken), name, "loser-6"))).toBe("400 out_of_stock");
    expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
  });

  test("by a refusal of somebody else is judged by the object", async () => {
    const name = await certified();
    await wonElsewhere(name, "k");
    expect(outcome(await claim(name, "winner"))).toBe("409 already_claimed");
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
  });

  test("before a certificate that was on its way meanwhile is judged by the object", async () => {
    const name = await seenSoldOut();
    const overtaken = overtakenBy(async () => {
      await wonElsewhere(name, "k");
      setClock(T0 + 1);
      expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
    });
    expect(outcome(await claimOver(platform(overtaken), name, "loser-2"))).toBe("400 out_of_stock");
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
  });

  test("but the certificate stays where nothing has happened since", async () => {
    const name = await certified();
    for (const [, shown] of ways) await shown(name);
    expect(outcome(await claim(name, "winner"))).toBe("409 already_claimed");
    expect((await claim(name, "loser-4")).headers.get("Served-By")).toBe("edge");
  });
});
