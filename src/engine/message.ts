// The messages of a coupon's mailbox, and the answer to each.

import type { BackupPart } from "../domain/backup.ts";
import type { CertificateRequest } from "../domain/certificate.ts";
import type { Change } from "../domain/change.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import type { Instant, NewCoupon } from "../domain/coupon.ts";
import type { OutboxCursor } from "../domain/delivery.ts";
import type { Precondition } from "../domain/etag.ts";
import type { HoldRequest } from "../domain/hold.ts";
import { PAGE_SIZE_DEFAULT } from "../domain/limits.ts";
import type * as rpc from "../domain/rpc.ts";
import type { RevokeRequest } from "../domain/revoke.ts";

/** For each kind of message, its fields and its answer. */
type Kinds = {
  create: [{ readonly coupon: NewCoupon; readonly epoch: string; readonly key?: string | null }, rpc.CreateResult];
  /** With `keepsLedger`, the ledger stays until `forget`, so that it can still be delivered. */
  remove: [{ readonly precondition?: Precondition | null; readonly keepsLedger?: boolean }, rpc.DeleteResult];
  read: [{ readonly claimedBy: boolean }, rpc.ReadResult];
  change: [{ readonly change: Change; readonly precondition: Precondition | null }, rpc.ChangeResult];
  archive: [{ readonly precondition: Precondition | null }, rpc.ArchiveResult];
  claim: [{ readonly request: ClaimRequest }, rpc.ClaimResult];
  claim_many: [{ readonly userIds: readonly string[]; readonly attemptId: string }, rpc.BulkClaimResult];
  hold: [{ readonly request: HoldRequest }, rpc.HoldResult];
  release_hold: [{ readonly userId: string }, rpc.ReleaseHoldResult];
  release_all_holds: [unknown, rpc.ReleaseAllHoldsResult];
  list_holds: [{ readonly after: string; readonly limit: number }, rpc.ListHoldsResult];
  user_claim: [{ readonly userId: string }, rpc.UserClaimResult];
  revoke: [{ readonly request: RevokeRequest }, rpc.RevokeResult];
  /** `newKey` becomes the coupon's erasure key if it has none. */
  erase: [{ readonly userId: string; readonly newKey: string }, rpc.EraseResult];
  history: [{ readonly after: number; readonly limit: number }, rpc.HistoryResult];
  list_claims: [{ readonly after: rpc.Cursor; readonly limit: number }, rpc.ListClaimsResult];
  claimants: [{ readonly asOf: rpc.AsOf; readonly after: number; readonly limit: number }, rpc.ClaimantsResult];
  backup: [{ readonly epoch: string | null; readonly after: number; readonly until: number | null }, rpc.BackupResult];
  /** Stores a part of a backup, the last of which makes the coupon `name` with this epoch. */
  restore: [{ readonly part: BackupPart; readonly name: string; readonly epoch: string }, rpc.RestoreResult];
  outbox: [{ readonly after: OutboxCursor | null; readonly limit: number }, rpc.OutboxResult];
  /** Discards the ledgers of deleted incarnations that all cursors have passed. */
  forget: [{ readonly cursors: readonly (OutboxCursor | null)[] }, rpc.ForgetResult];
  metrics: [unknown, rpc.MetricsResult];
  certify: [{ readonly request: CertificateRequest }, rpc.CertifyResult | BypassIncomplete];
  /** Removes holds that have expired, and a restore that was not finished in time. */
  expire: [unknown, rpc.DoneResult];
  /** Writes counts that only memory has. */
  write_counts: [unknown, rpc.DoneResult];
};

export type Kind = keyof Kinds;
/** `actor` is the operator who sent it. The ledger names the actor with each event of the message. */
export type Message = { [K in Kind]: { readonly kind: K; readonly actor?: string | null } & Kinds[K][0] }[Kind];
export type MessageOf<K extends Kind> = Extract<Message, { readonly kind: K }>;
export type AnswerTo<K extends Kind> = Kinds[K][1];
export type Answer = AnswerTo<Kind>;

/** Not judged, because it contradicts certificates in use. Submit it again when the lease has lapsed. */
export const DEFERRED = { ok: false, code: "deferred" } as const;
export type Deferred = typeof DEFERRED;

/** More rows of the bypass set are left to read. Submit `certify` again to go on. */
export type BypassIncomplete = { readonly ok: false; readonly code: "bypass_incomplete" };

/** Whether `message` was judged. Then `answer` has the type that belongs to its kind. */
export function isAnswerTo<K extends Kind>(_message: MessageOf<K>, answer: Answer | Deferred): answer is AnswerTo<K> {
  return answer !== DEFERRED;
}

/** A message and its stamp: the instant of its arrival, at which it is judged. */
export type Stamped = { readonly message: Message; readonly at: Instant };

/** Heavy messages, and those that create or delete the tables. Each is a batch of its own. */
const EXCLUSIVE: ReadonlySet<Kind> = new Set<Kind>([
  "create",
  "remove",
  "claim_many",
  "erase",
  "release_all_holds",
  "list_holds",
  "list_claims",
  "claimants",
  "backup",
  "restore",
  "outbox",
  "forget",
  "certify",
  "write_counts",
]);

/** Whether `message` must be a batch of its own. A read of all claimants needs rows in storage. */
export function isExclusive(message: Message): boolean {
  if (message.kind === "history") return message.limit > PAGE_SIZE_DEFAULT;
  return EXCLUSIVE.has(message.kind) || (message.kind === "read" && message.claimedBy);
}
