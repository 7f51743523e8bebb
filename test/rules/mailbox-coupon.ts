// A real coupon behind a mailbox, in virtual time: the test sets how long a flush takes.

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { ClaimResult } from "../../src/domain/rpc.ts";
import { isExclusive, type Answer, type Deferred, type Message } from "../../src/engine/message.ts";
import { Mailbox, type MailboxOptions } from "../../src/object/mailbox.ts";
import { EngineCalls, newCoupon, NO_LEASE, T0 } from "./coupon.ts";
import { faultySql, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

/** How long the next flushes take, and how they fail. */
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
  /** Each try of a batch: when, counted from {@link T0}, and its messages by user or kind. */
  readonly batches: { readonly afterMs: number; readonly of: readonly string[] }[];
  /** The stamps of all messages judged, counted from {@link T0}. */
  readonly stamps: number[];
  /** The messages that the mailbox refused, and why. */
  readonly refused: (readonly [message: string, cause: string])[];
  /** Why the object was aborted, once for each time. */
  readonly aborts: string[];
  readonly claim: (request: ClaimRequest) => Promise<ClaimResult>;
};

type Options = Partial<Pick<MailboxOptions<never, never>, "batchSizeMax" | "lengthMax" | "nextTurn">> & {
  readonly doesAbortThrow?: boolean;
};

function nameOf(message: Message): string {
  if (message.kind !== "claim" && message.kind !== "hold") return message.kind;
  // Some tests send user ids that are no strings.
  const { userId }: { readonly userId: unknown } = message.request;
  return String(userId);
}

/** A coupon of `amount` units behind a mailbox. It is never created where `amount` is null. */
export function mailboxCoupon(amount: number | null, options: Options = {}): MailboxCoupon {
  const { batchSizeMax = 1000, lengthMax = 8192, nextTurn = async () => undefined, doesAbortThrow = false } = options;
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
    nextTurn,
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
