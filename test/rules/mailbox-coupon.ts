// A real coupon behind a mailbox, in virtual time: the disk takes as long as the test says. Fake timers have to be on.

import { vi } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { ClaimResult } from "../../src/domain/rpc.ts";
import { isExclusive, type Answer, type Deferred, type Message } from "../../src/engine/message.ts";
import { Mailbox, type MailboxOptions } from "../../src/object/mailbox.ts";
import { EngineCalls, newCoupon, NO_LEASE, T0 } from "./coupon.ts";
import { faultySql, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

/** What a flush takes, and how it fails, from the next one on. */
export type Disk = {
  flushMs: number;
  failure: "none" | "rejects" | "throws";
  /** Flushes begun and ended so far. */
  begun: number;
  ended: number;
};

export type MailboxCoupon = {
  readonly mailbox: Mailbox<Message, Answer | Deferred>;
  readonly engine: EngineCalls;
  readonly sql: FaultySql;
  readonly disk: Disk;
  /** What was judged together, in the order of the tries: when, counted from {@link T0}, and each message by its user or its kind. */
  readonly batches: { readonly afterMs: number; readonly of: readonly string[] }[];
  /** The stamps of all messages that were judged, counted from {@link T0}. */
  readonly stamps: number[];
  /** Who was refused by the mailbox, and why. */
  readonly refused: (readonly [who: string, cause: string])[];
  /** Why the object was ended, once for each time. */
  readonly aborts: string[];
  readonly claim: (request: ClaimRequest) => Promise<ClaimResult>;
};

type Bounds = Partial<Pick<MailboxOptions<never, never>, "batchSizeMax" | "lengthMax">> & { readonly doesAbortThrow?: boolean };

/** Lets virtual time pass, and everything happen that is due by then. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Tests put in what is no string, too. */
function nameOf(message: Message): string {
  if (message.kind !== "claim" && message.kind !== "hold") return message.kind;
  const { userId }: { readonly userId: unknown } = message.request;
  return String(userId);
}

/** A coupon of `amount` units behind a mailbox; null: a coupon that was never created. */
export function mailboxCoupon(amount: number | null, bounds: Bounds = {}): MailboxCoupon {
  const { batchSizeMax = 512, lengthMax = 8192, doesAbortThrow = false } = bounds;
  const sql = faultySql(nodeSql());
  const engine = new EngineCalls(sql);
  if (amount !== null) engine.create(newCoupon(amount), "epoch-1", T0);
  const disk: Disk = { flushMs: 40, failure: "none", begun: 0, ended: 0 };
  const batches: MailboxCoupon["batches"] = [];
  const stamps: number[] = [];
  const refused: (readonly [string, string])[] = [];
  const aborts: string[] = [];

  const mailbox = new Mailbox<Message, Answer | Deferred>({
    clock: () => Date.now(),
    apply(batch) {
      batches.push({ afterMs: Date.now() - T0, of: batch.map(({ message }) => nameOf(message)) });
      stamps.push(...batch.map(({ at }) => at - T0));
      return engine.engine.apply(batch, NO_LEASE);
    },
    isExclusive,
    restore: () => engine.reload(),
    flushed() {
      disk.begun += 1;
      const { failure, flushMs } = disk;
      if (failure === "throws") throw new Error("no disk");
      return new Promise<void>((resolve, reject) => {
        setTimeout(() => {
          disk.ended += 1;
          if (failure === "rejects") reject(new Error("the disk is full"));
          else resolve();
        }, flushMs);
      });
    },
    refuse(message, cause) {
      refused.push([nameOf(message), cause instanceof Error ? cause.message : String(cause)]);
      return { ok: false, code: "unavailable", seq: engine.seq };
    },
    abort(cause) {
      aborts.push(cause instanceof Error ? cause.message : String(cause));
      if (doesAbortThrow) throw new Error("the object is ended");
    },
    batchSizeMax,
    lengthMax,
  });
  const claim = async (request: ClaimRequest) => (await mailbox.submit({ kind: "claim", request })) as ClaimResult;
  return { mailbox, engine, sql, disk, batches, stamps, refused, aborts, claim };
}
