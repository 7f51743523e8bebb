// The order in which a claim is judged. Of several refusals that fit, the contract's first one is answered.

import { describe, expect, test } from "vitest";

import {
  change,
  claim,
  created,
  freshName,
  getUserClaim,
  hold,
  outcomeOf,
  read,
  readStatus,
  receiptOf,
  send,
  seqOf,
  type Answer,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused } from "../../support/wire.ts";

function claimWith(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> {
  return send("POST", "/api/coupons/claim", { body, headers });
}

const MALFORMED_KEY = { "Idempotency-Key": "two words" };

test.for([
  ["no user", { user_id: undefined }, "user_id is required"],
  ["no coupon name", { coupon_name: undefined }, "coupon_name is required"],
  ["a user that is no string", { user_id: 5 }, "user_id is invalid"],
] as const)("a claim with %s gets 400, not coupon_not_found", async ([, fault, sentence]) => {
  const answer = await claimWith({ user_id: "user", coupon_name: freshName(), ...fault });
  expectRefused(answer, "400 invalid_request", `invalid request: ${sentence}`);
});

test("a claim with a malformed key gets 400 before a replay", async () => {
  const name = await created(1);
  await claim(name, "winner", { "Idempotency-Key": "key" });
  for (const answer of [await claim(freshName(), "user", MALFORMED_KEY), await claim(name, "winner", MALFORMED_KEY)]) {
    expectRefused(answer, "400 invalid_request", "invalid request: Idempotency-Key is invalid");
  }
});

test("a blank user's claim of a sold-out coupon gets invalid_request", async () => {
  const name = await created(1);
  await claim(name, "winner");
  expectRefused(await claim(name, "  "), "400 invalid_request", "invalid request: user_id cannot be whitespace only");
});

test("a body that is too large gets 413 before its fields are checked", async () => {
  expectRefused(await claimWith({ user_id: 5, junk: "x".repeat(17_000) }), "413 payload_too_large");
});

const KEY = { "Idempotency-Key": "key" };
const WINDOW = { starts_at: iso(T0), ends_at: iso(T0 + MINUTE) };
const PHASES = { "before the start": T0 - 1, "within the window": T0, "at the end": T0 + MINUTE } as const;
const ENDED = ["ended", "403 sale_ended"] as const;
const SCHEDULED = ["scheduled", "403 sale_not_started"] as const;
const PAUSED = ["paused", "403 sale_paused"] as const;

describe.for([
  ["before the start", { paused: true, isSoldOut: true }, SCHEDULED],
  ["before the start", { paused: true, isSoldOut: false }, SCHEDULED],
  ["before the start", { paused: false, isSoldOut: true }, SCHEDULED],
  ["before the start", { paused: false, isSoldOut: false }, SCHEDULED],
  ["within the window", { paused: true, isSoldOut: true }, PAUSED],
  ["within the window", { paused: true, isSoldOut: false }, PAUSED],
  ["within the window", { paused: false, isSoldOut: true }, ["sold_out", "400 out_of_stock"]],
  ["within the window", { paused: false, isSoldOut: false }, ["open", "201"]],
  ["at the end", { paused: true, isSoldOut: true }, ENDED],
  ["at the end", { paused: true, isSoldOut: false }, ENDED],
  ["at the end", { paused: false, isSoldOut: true }, ENDED],
  ["at the end", { paused: false, isSoldOut: false }, ENDED],
] as const)("a sale %s with %o", ([phase, { paused, isSoldOut }, [state, outcome]]) => {
  const subject = `a${paused ? " paused" : ""}${isSoldOut ? " sold-out" : ""} sale ${phase}`;

  /** `winner` has the first unit, under a key, and `holder` holds the second. The rest is free. */
  async function sale(): Promise<{ readonly name: string; readonly granted: Answer }> {
    setClock(T0 - 2);
    const name = await created(isSoldOut ? 2 : 4);
    const granted = await claim(name, "winner", KEY);
    await hold(name, "holder", 300);
    await change(name, { ...WINDOW, paused });
    setClock(PHASES[phase]);
    return { name, granted };
  }

  test(`${subject} is ${state} and answers ${outcome}`, async () => {
    const { name } = await sale();
    expect((await read(name)).body["state"]).toBe(state);
    expect((await readStatus(name)).body["state"]).toBe(state);
    expect(outcomeOf(await hold(name, "new-holder"))).toBe(outcome);
    expect(outcomeOf(await claim(name, "new-claimer"))).toBe(outcome);
    await expectConserved(name);
  });

  test(`${subject} answers winners and holders with their claims`, async () => {
    const { name, granted } = await sale();
    const head = seqOf(await read(name));
    const replay = await claim(name, "winner", KEY);
    expect([replay.status, replay.body, replay.headers.get("Idempotent-Replayed")]).toEqual([201, granted.body, "true"]);
    for (const headers of [{}, { "Idempotency-Key": "another" }]) {
      const again = await claim(name, "winner", headers);
      expectRefused(again, "409 already_claimed", "coupon already claimed by user");
      expect([again.body["claim"], again.headers.get("Idempotent-Replayed"), seqOf(again)]).toEqual([receiptOf(granted), null, head]);
    }
    expect((await getUserClaim(name, "winner")).body).toEqual(receiptOf(granted));
    expectRefused(await claim(name, "new-user", KEY), "422 idempotency_key_reused");
    expect((await hold(name, "holder")).status).toBe(200);
    expect((await claim(name, "holder")).body["position"]).toBe(2);
    await expectConserved(name);
  });
});
