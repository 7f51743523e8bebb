// How an isolate renews certificates: after its answers, one at a time, and with each refusal counted once.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import {
  BULK_CLAIMS_MAX,
  CERTIFICATE_MS_MAX,
  CERTIFICATE_RENEWAL_MIN,
  CERTIFICATE_RETRY_MS,
  CERTIFICATE_TAKEOVER_MS,
  CERTIFICATES_BYTES_MAX,
  CERTIFICATES_MAX,
} from "../../../src/domain/limits.ts";
import { CLOSED_CODES, type ClosedCode } from "../../../src/domain/claim.ts";
import { cacheSize } from "../../../src/edge/certificates.ts";
import type { CouponNamespace } from "../../../src/edge/env.ts";
import { claim, created, freshName, pathOf, send, users } from "../../support/api.ts";
import { iso, setClock, T0 } from "../../support/clock.ts";
import { answerLost, delivered, gated, lost, platform, platformError, type Platform } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { certified, CLOSED, isolate, outcomeBy } from "./isolate.ts";

const BY_EDGE = "400 out_of_stock by the edge";
const BY_OBJECT = "400 out_of_stock by the object";
const FAULT = platformError({ retryable: true });

/** A sold-out coupon of which this isolate has no certificate. */
async function soldOut(more: Record<string, unknown> = {}): Promise<string> {
  setClock(T0);
  const name = await created(1, more);
  await claim(name, "winner");
  return name;
}

/** How many refusals with `code` the object of coupon `name` has counted. The metrics' route would report more. */
async function countOf(name: string, code: ClosedCode): Promise<number> {
  const result = await stubOf(name).metrics();
  return result.ok ? (result.outcomes.claims[code] ?? 0) : NaN;
}

/** Leads every name to the object of coupon `name`. */
function alias(name: string, over: Platform): Platform {
  const coupons = { idFromName: () => env.COUPONS.idFromName(name), get: (id: DurableObjectId) => over.coupons.get(id) };
  return { ...over, coupons: coupons as unknown as CouponNamespace };
}

/** Has this isolate get certificates of `count` new names of the coupon `name`. */
async function flood(name: string, count: number): Promise<void> {
  const { claim: claimNow, settled } = isolate(alias(name, platform()));
  for (let index = 0; index < count; index += 1) {
    expect(outcomeBy(await claimNow(freshName(), "loser"))).toBe(BY_OBJECT);
    await settled();
  }
}

beforeEach(() => {
  // The earliest renewal and the shortest pause.
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("a certificate's renewal is one call under waitUntil, however many claims are refused meanwhile", async () => {
  const name = await soldOut();
  const { delivery, open } = gated();
  const { claim: claimNow, works, settled, renewals } = isolate(platform(delivered, delivery));
  expect(outcomeBy(await claimNow(name, "a"))).toBe(BY_OBJECT);
  const ways = await Promise.all(users(20).map(async (user) => outcomeBy(await claimNow(name, user))));
  expect(ways).toEqual(users(20).map(() => BY_OBJECT));
  expect([renewals(), works.length]).toEqual([1, 1]);
  open();
  await settled();
  expect(outcomeBy(await claimNow(name, "b"))).toBe(BY_EDGE);
});

test("a refusal after half of the certificate's time begins its renewal", async () => {
  const name = await certified();
  const { claim: claimNow, settled, renewals } = isolate();
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN - 1);
  expect(outcomeBy(await claimNow(name, "a"))).toBe(BY_EDGE);
  expect(renewals()).toBe(0);
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN);
  expect(outcomeBy(await claimNow(name, "b"))).toBe(BY_EDGE);
  expect(renewals()).toBe(1);
  await settled();
  setClock(T0 + CERTIFICATE_MS_MAX * (1 + CERTIFICATE_RENEWAL_MIN) - 1);
  expect(outcomeBy(await claimNow(name, "c"))).toBe(BY_EDGE);
});

test("a certificate's renewal transfers an unchanged bypass set only once", async () => {
  const name = await certified();
  const answers: unknown[] = [];
  const { claim: claimNow, settled } = isolate(
    platform(async (deliver) => {
      answers.push(await deliver());
      return answers[0];
    }),
  );
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN);
  await claimNow(name, "a");
  await settled();
  expect(answers).toMatchObject([{ ok: true, certificate: { code: "out_of_stock", bypass: null } }]);
  setClock(T0 + CERTIFICATE_MS_MAX);
  expect(outcomeBy(await claimNow(name, "b"))).toBe(BY_EDGE);
  expect(outcomeBy(await claimNow(name, "winner"))).toBe("409 already_claimed by the object");
});

test("a certificate's renewal without an answer is repeated after CERTIFICATE_TAKEOVER_MS", async () => {
  const name = await soldOut();
  const { delivery, open } = gated();
  const { claim: claimNow, works, settled, renewals } = isolate(platform(delivered, delivery));
  await claimNow(name, "a");
  setClock(T0 + CERTIFICATE_TAKEOVER_MS - 1);
  await claimNow(name, "b");
  expect(renewals()).toBe(1);
  setClock(T0 + CERTIFICATE_TAKEOVER_MS);
  await claimNow(name, "c");
  expect(renewals()).toBe(2);
  await works[1];
  expect(outcomeBy(await claimNow(name, "d"))).toBe(BY_EDGE);
  open();
  await settled();
  expect(outcomeBy(await claimNow(name, "e"))).toBe(BY_EDGE);
  expect(renewals()).toBe(2);
});

test("a certificate's renewal that fails is repeated after CERTIFICATE_RETRY_MS", async () => {
  const name = await soldOut();
  const { claim: claimNow, settled, renewals } = isolate(platform(delivered, lost(FAULT)));
  await claimNow(name, "a");
  await settled();
  setClock(T0 + CERTIFICATE_RETRY_MS - 1);
  expect(outcomeBy(await claimNow(name, "b"))).toBe(BY_OBJECT);
  expect(renewals()).toBe(1);
  setClock(T0 + CERTIFICATE_RETRY_MS);
  expect(outcomeBy(await claimNow(name, "c"))).toBe(BY_OBJECT);
  await settled();
  expect(renewals()).toBe(2);
  expect(outcomeBy(await claimNow(name, "d"))).toBe(BY_EDGE);
});

test("a renewal that brings no certificate is repeated after CERTIFICATE_RETRY_MS", async () => {
  // The sale ends within the lease's margin, so no certificate can be issued before its end.
  const name = await soldOut({ ends_at: iso(T0 + 50) });
  const { claim: claimNow, settled, renewals } = isolate();
  expect(outcomeBy(await claimNow(name, "a"))).toBe(BY_OBJECT);
  await settled();
  setClock(T0 + CERTIFICATE_RETRY_MS - 1);
  expect(outcomeBy(await claimNow(name, "b"))).toBe("403 sale_ended by the object");
  expect(renewals()).toBe(1);
  setClock(T0 + CERTIFICATE_RETRY_MS);
  expect(outcomeBy(await claimNow(name, "c"))).toBe("403 sale_ended by the object");
  await settled();
  expect(renewals()).toBe(2);
  expect(outcomeBy(await claimNow(name, "d"))).toBe("403 sale_ended by the edge");
});

test("a granted claim or a winner's retry begins no certificate renewal", async () => {
  setClock(T0);
  const name = await created(2);
  const { claim: claimNow, works } = isolate();
  expect(outcomeBy(await claimNow(name, "a"))).toBe("201 by the object");
  expect(outcomeBy(await claimNow(name, "a"))).toBe("409 already_claimed by the object");
  expect(works).toEqual([]);
});

test("refusals at the edge after the last renewal are reported within two seconds", async () => {
  const name = await certified();
  const before = await countOf(name, "out_of_stock");
  const { claim: claimNow, renewals } = isolate();
  for (const user of users(7)) expect(outcomeBy(await claimNow(name, user))).toBe(BY_EDGE);
  // One was refused when the certificate had come.
  await vi.waitFor(async () => expect(await countOf(name, "out_of_stock")).toBe(before + 8), { timeout: 2_000 });
  expect(renewals()).toBe(0);
});

test("an object that was evicted counts the refusals at the edge", async () => {
  const name = await created(1);
  await evictDurableObject(stubOf(name));
  await stubOf(name).countRefused({ sale_paused: 3 });
  expect(await countOf(name, "sale_paused")).toBe(3);
});

test.for(Object.keys(CLOSED))("refusals at the edge with %s are counted once, at the renewal", async (refusal) => {
  const name = await certified(refusal);
  const code = CLOSED_CODES.find((one) => refusal.endsWith(one)) ?? "out_of_stock";
  const before = await countOf(name, code);
  const { claim: claimNow, settled, hold } = isolate();
  for (const user of users(7)) expect(outcomeBy(await claimNow(name, user))).toBe(`${refusal} by the edge`);
  expect(outcomeBy(await hold(name, "no-claim"))).toBe(`${refusal} by the edge`);
  expect(await countOf(name, code)).toBe(before);
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN);
  await claimNow(name, "renews");
  await settled();
  // One that was refused when the certificate had come, and eight more.
  expect(await countOf(name, code)).toBe(before + 9);
  setClock(T0 + 2 * CERTIFICATE_MS_MAX);
  await claimNow(name, "by-the-object");
  await settled();
  expect(await countOf(name, code)).toBe(before + 10);
});

test("refusals at the edge are counted once where the renewal's answer is lost", async () => {
  const name = await certified();
  const before = await countOf(name, "out_of_stock");
  const { claim: claimNow, settled, renewals } = isolate(platform(answerLost(FAULT)));
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN);
  await claimNow(name, "a");
  await settled();
  setClock(T0 + CERTIFICATE_MS_MAX * CERTIFICATE_RENEWAL_MIN + CERTIFICATE_RETRY_MS);
  await claimNow(name, "b");
  await settled();
  expect(renewals()).toBe(2);
  expect(await countOf(name, "out_of_stock")).toBe(before + 3);
});

test("an isolate keeps certificates of at most CERTIFICATES_MAX coupons", { timeout: 60_000 }, async () => {
  await flood(await soldOut(), CERTIFICATES_MAX + 20);
  expect(cacheSize().coupons).toBe(CERTIFICATES_MAX);
});

test("an isolate keeps bypass sets of at most CERTIFICATES_BYTES_MAX", { timeout: 60_000 }, async () => {
  setClock(T0);
  const amount = 8 * BULK_CLAIMS_MAX;
  const name = await created(amount);
  for (let from = 0; from < amount; from += BULK_CLAIMS_MAX) {
    const body = { user_ids: users(BULK_CLAIMS_MAX, `winner-${from}`) };
    expect((await send("POST", pathOf(name, "claims"), { body })).status).toBe(200);
  }
  // The bypass set of so many winners takes 64 KiB.
  const coupons = CERTIFICATES_BYTES_MAX / (64 * 1024);
  await flood(name, coupons + 20);
  expect(cacheSize()).toEqual({ coupons, bytes: CERTIFICATES_BYTES_MAX });
});
