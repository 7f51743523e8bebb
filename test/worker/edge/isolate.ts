// Requests to the Worker in this isolate, the work behind their answers, and certificates that it got.

import { expect } from "vitest";

import { change, claim, created, outcomeOf, pathOf, type Answer } from "../../support/api.ts";
import { iso, MINUTE, SECOND, setClock, T0 } from "../../support/clock.ts";
import { platform, type Platform } from "../../support/platform-faults.ts";
import { workerWith, type Settings } from "../../support/worker.ts";

export type Isolate = {
  readonly send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly claim: (name: string, userId: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly hold: (name: string, userId: string) => Promise<Answer>;
  /** Everything that was handed to `waitUntil`. */
  readonly works: readonly Promise<unknown>[];
  /** Resolves when all of that has ended. */
  readonly settled: () => Promise<void>;
  /** How often the object was asked for a certificate. */
  readonly renewals: () => number;
};

/** Requests to the coupons behind `over`, by a Worker with `settings`. */
export function isolate(over: Platform = platform(), settings: Settings = {}): Isolate {
  const works: Promise<unknown>[] = [];
  const ask = workerWith({ ...settings, COUPONS: over.coupons }, works);
  const send: Isolate["send"] = (method, path, body, headers) => ask(method, path, { body, ...(headers && { headers }) });
  return {
    send,
    claim: (name, userId, headers) => send("POST", "/api/coupons/claim", { user_id: userId, coupon_name: name }, headers),
    hold: (name, userId) => send("POST", pathOf(name, "holds"), { user_id: userId, ttl_seconds: 60 }),
    works,
    settled: async () => void (await Promise.all(works)),
    renewals: () => over.calls.filter(({ method }) => method === "certify").length,
  };
}

/** The outcome and what answered: `400 out_of_stock by the edge`, `201 by the object`. */
export function outcomeBy(answer: Answer): string {
  return `${outcomeOf(answer)} by the ${answer.headers.get("Served-By") ?? "object"}`;
}

/** The object refuses a claim of a new user, and this isolate gets a certificate. */
export async function certify(name: string, refusal: string): Promise<void> {
  const { claim: claimNow, settled } = isolate();
  expect(outcomeBy(await claimNow(name, "first-loser"))).toBe(`${refusal} by the object`);
  await settled();
  expect(outcomeBy(await claimNow(name, "second-loser"))).toBe(`${refusal} by the edge`);
}

/** Coupons that refuse new users, by the refusal. Each stops the clock at {@link T0}. */
export const CLOSED: Readonly<Record<string, () => Promise<string>>> = {
  "400 out_of_stock": async () => {
    setClock(T0);
    const name = await created(1);
    expect((await claim(name, "winner", { "Idempotency-Key": `key-of-${name}` })).status).toBe(201);
    return name;
  },
  "403 sale_ended": async () => {
    setClock(T0 - SECOND);
    const name = await created(1, { ends_at: iso(T0) });
    setClock(T0);
    return name;
  },
  "403 sale_not_started": async () => {
    setClock(T0);
    return created(1, { starts_at: iso(T0 + MINUTE) });
  },
  "403 sale_paused": async () => {
    setClock(T0);
    const name = await created(1);
    expect((await change(name, { paused: true })).status).toBe(200);
    return name;
  },
};

/** A closed coupon of which this isolate has a certificate, requested at {@link T0}. */
export async function certified(refusal: string = "400 out_of_stock"): Promise<string> {
  const make = CLOSED[refusal];
  if (make === undefined) throw new Error(`no coupon refuses with ${refusal}`);
  const name = await make();
  await certify(name, refusal);
  return name;
}
