// Requests to the Worker in this isolate, and the work that goes on behind their answers.

import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { createApp } from "../../../src/http/app.ts";
import { change, claim, created, type Answer } from "../../support/api.ts";
import { iso, MINUTE, SECOND, setClock, T0 } from "../../support/clock.ts";
import { platform, type Platform } from "../../support/platform-faults.ts";

const app = createApp();

export type Visits = {
  readonly send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly claim: (name: string, userId: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly hold: (name: string, userId: string) => Promise<Answer>;
  /** Everything that was handed to `waitUntil`. */
  readonly works: readonly Promise<unknown>[];
  /** Resolves when all of that has ended. */
  readonly settled: () => Promise<void>;
  /** How often the object has been asked for a certificate. */
  readonly renewals: () => number;
};

/** Visits of the coupons behind `over`, by a Worker with the variables `vars`. */
export function visits(over: Platform = platform(), vars: Record<string, string> = {}): Visits {
  const works: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => void works.push(work),
    passThroughOnException: () => undefined,
    props: {},
  } as unknown as ExecutionContext;

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await app.request(`https://doorbuster.test${path}`, init, { ...env, ...vars, COUPONS: over.coupons }, context);
    const text = await response.text();
    const isJson = response.headers.get("Content-Type") === "application/json";
    const values = isJson ? (JSON.parse(text) as Record<string, unknown>) : { text };
    return { status: response.status, body: values, headers: response.headers };
  }

  return {
    send,
    claim: (name, userId, headers) => send("POST", "/api/coupons/claim", { user_id: userId, coupon_name: name }, headers),
    hold: (name, userId) => send("POST", `/api/coupons/${name}/holds`, { user_id: userId, ttl_seconds: 60 }),
    works,
    settled: async () => void (await Promise.all(works)),
    renewals: () => over.calls.filter(({ method }) => method === "certify").length,
  };
}

/** Who answered, and what: `400 out_of_stock by the edge`, `201 by the object`. */
export function way({ status, body, headers }: Answer): string {
  const outcome = status < 400 ? `${status}` : `${status} ${String(body["code"])}`;
  return `${outcome} by the ${headers.get("Served-By") ?? "object"}`;
}

/** A claim of a new user is refused by the object, and then a certificate comes. */
export async function certify(name: string, refusal: string): Promise<void> {
  const { claim: claimNow, settled } = visits();
  expect(way(await claimNow(name, "first-loser"))).toBe(`${refusal} by the object`);
  await settled();
  expect(way(await claimNow(name, "second-loser"))).toBe(`${refusal} by the edge`);
}

/** Coupons that are closed to new users, by the refusal that they give. The clock stands when they are made. */
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
