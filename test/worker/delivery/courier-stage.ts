// A coupon's courier in its real storage, with a test's faults between it and its coupon, its database and itself.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { onTestFinished, vi } from "vitest";

import { CourierObject } from "../../../src/courier/courier-object.ts";
import type { OutboxResult } from "../../../src/domain/rpc.ts";
import { WEBHOOK_EVENTS } from "../../../src/domain/webhook-events.ts";
import { createEndpoint, type EndpointSettings } from "../../../src/read-model/webhooks.ts";

/** A courier whose work a test awaits. */
export type StagedCourier = {
  readonly courier: CourierObject;
  readonly storage: DurableObjectStorage;
  /** Runs what a notice or an alarm begins, to its end. Returns when the next alarm is due, in milliseconds from now, or null. */
  readonly run: () => Promise<number | null>;
};

export type Faults = {
  /** Whether the database refuses a statement. */
  readonly refuses?: (statement: string) => boolean;
  /** Where backups go. */
  readonly bucket?: R2Bucket;
  readonly deliver?: (deliver: () => Promise<"more" | "done">) => Promise<"more" | "done">;
  /** The answer of the coupon's object to `outbox` and `forget`, if it is not the real one. */
  readonly coupon?: (method: "outbox" | "forget") => { readonly ok: false; readonly code: "unavailable"; readonly seq: number } | null;
};

/** Keeps the real couriers idle until the end of the test, so that only a staged one delivers. */
export function stopCouriers(): void {
  const notices = vi.spyOn(CourierObject.prototype, "notify").mockResolvedValue();
  onTestFinished(() => notices.mockRestore());
}

/** Runs `act` in the object of the courier of coupon `name`. Each call is a new instance over the same storage. */
export function onStage<Result>(name: string, faults: Faults, act: (staged: StagedCourier) => Promise<Result>): Promise<Result> {
  return runInDurableObject(env.COURIERS.get(env.COURIERS.idFromName(name)), async (_real, ctx) => {
    const works: Promise<unknown>[] = [];
    const waiting = vi.spyOn(ctx, "waitUntil").mockImplementation((work) => void works.push(work));
    const couriers = { get: () => ({ deliver: (id: string) => (faults.deliver ?? ((real) => real()))(() => courier.deliver(id)) }) };
    const courier = new CourierObject(ctx, {
      COUPONS: coupons(faults),
      COURIERS: couriers,
      DB: database(faults),
      BACKUPS: faults.bucket,
    } as never);
    const run = async (): Promise<number | null> => {
      await courier.alarm();
      while (works.length > 0) await works.shift();
      const alarmAt = await ctx.storage.getAlarm();
      return alarmAt === null ? null : alarmAt - Date.now();
    };
    try {
      return await act({ courier, storage: ctx.storage, run });
    } finally {
      waiting.mockRestore();
    }
  });
}

function database({ refuses = () => false }: Faults): unknown {
  return {
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    prepare(statement: string) {
      if (refuses(statement)) throw new Error("D1_ERROR: overloaded");
      return env.DB.prepare(statement);
    },
  };
}

function coupons({ coupon = () => null }: Faults): unknown {
  const over = (id: DurableObjectId) => {
    const real = env.COUPONS.get(id) as unknown as Record<
      "outbox" | "forget" | "read" | "backup",
      (...args: unknown[]) => Promise<OutboxResult>
    >;
    const call =
      (method: "outbox" | "forget") =>
      async (...args: unknown[]) =>
        coupon(method) ?? (await real[method](...args));
    const [read, backup] = (["read", "backup"] as const).map(
      (method) =>
        (...args: unknown[]) =>
          real[method](...args),
    );
    return { outbox: call("outbox"), forget: call("forget"), read, backup };
  };
  return { idFromName: (name: string) => env.COUPONS.idFromName(name), get: over };
}

/** Registers an endpoint for one coupon. */
export async function register(name: string, settings: Partial<EndpointSettings> = {}): Promise<string> {
  const id = `wh_${crypto.randomUUID()}`;
  const of = { url: "https://shop.example/", events: WEBHOOK_EVENTS, coupons: [name], ...settings };
  const created = await createEndpoint(env.DB, { id, key: null, secret: "whsec_c2VjcmV0", ...of }, Date.now());
  if (!created.ok) throw new Error(created.code);
  return id;
}

/** Receives all webhooks until the end of the test, as `claim.granted 3`. `answer` decides the status. */
export function receiver(answer: (message: string) => number = () => 204): string[] {
  const received: string[] = [];
  const elsewhere = globalThis.fetch;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const { type, data } = await new Request(input, init).json<{ type: string; data: { seq: number } }>();
    const status = answer(`${type} ${data.seq}`);
    if (status < 300) received.push(`${type} ${data.seq}`);
    return new Response(null, { status });
  };
  onTestFinished(() => {
    globalThis.fetch = elsewhere;
  });
  return received;
}
