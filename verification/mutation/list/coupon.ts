// Faults in one coupon: its rules, its mailbox, its storage and its certificates.

import { inNode, inWorkerd, type Mutation } from "../mutation.ts";

const CLAIM = "src/domain/claim.ts";
const COUPON = "src/domain/coupon.ts";
const CERTIFICATE = "src/domain/certificate.ts";
const HOLDS = "src/engine/hold-store.ts";
const DRAFT = "src/engine/draft.ts";
const ENGINE = "src/engine/coupon-engine.ts";
const STORE = "src/engine/coupon-store.ts";
const MAILBOX = "src/object/mailbox.ts";
const OBJECT = "src/object/coupon-object.ts";

const RULES: readonly Mutation[] = [
  {
    name: "idempotency-key-ignored",
    fault: "A retry with the same key is not recognized as a replay.",
    edits: [{ file: CLAIM, find: "request.key === claim.key);", replace: "false);" }],
    suite: inNode("rules/replay"),
  },
  {
    name: "winner-refused-as-out-of-stock",
    fault: "A closed sale is refused before the user's own claim is read.",
    edits: [
      {
        file: CLAIM,
        find: "const { claim, hold, revoked } = existing;",
        replace: "const { hold, revoked } = existing;\n  const claim = closedFor(coupon, now) === null ? existing.claim : null;",
      },
    ],
    suite: inNode("rules/replay"),
  },
  {
    name: "refusals-swapped",
    fault: "A sale that is paused and sold out is refused as sold out.",
    edits: [{ file: COUPON, find: "if (coupon.paused)", replace: "if (coupon.paused && remaining(coupon) > 0)" }],
    suite: inNode("rules/claim"),
  },
  {
    name: "revoked-request-wins-again",
    fault: "A late duplicate of the request whose claim was revoked gets a new unit.",
    edits: [{ file: CLAIM, find: "if (revoked !== null)", replace: "if (false)" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "revoked-unit-returned-twice",
    fault: "A second revoke of one claim returns its unit again.",
    edits: [
      { file: "src/domain/revoke.ts", find: "revoked: last }", replace: "revoked: { ...last } }" },
      { file: "src/engine/claim-store.ts", find: "INSERT INTO releases", replace: "INSERT OR REPLACE INTO releases" },
    ],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "end-of-the-window-included",
    fault: "The sale is still open at the instant of ends_at.",
    edits: [{ file: COUPON, find: "now >= endsAt", replace: "now > endsAt" }],
    suite: inNode("rules/window"),
  },
  {
    name: "clock-goes-back",
    fault: "The coupon's time follows a clock that is set back.",
    edits: [{ file: DRAFT, find: "Math.max(stamp, this.#coupon.clockAt)", replace: "stamp" }],
    suite: inNode("rules/window"),
  },
  {
    name: "amount-below-what-is-held",
    fault: "The amount can be lowered below the units that are claimed and held.",
    edits: [{ file: "src/domain/change.ts", find: "before.claimed + before.held", replace: "before.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "hold-ends-a-millisecond-late",
    fault: "A hold still keeps its unit at the instant of expires_at.",
    edits: [
      { file: HOLDS, find: "WHERE expires_at <= ?", replace: "WHERE expires_at < ?" },
      { file: DRAFT, find: "this.#coupon.nextExpiryAt <= this.at", replace: "this.#coupon.nextExpiryAt < this.at" },
      { file: DRAFT, find: " expiresAt <= this.at", replace: " expiresAt < this.at" },
    ],
    suite: inNode("rules/holds-expiry"),
  },
  {
    name: "held-units-on-sale",
    fault: "A held unit counts as remaining.",
    edits: [{ file: COUPON, find: "coupon.claimed - coupon.held", replace: "coupon.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "released-request-holds-again",
    fault: "A late duplicate of a request whose hold was released holds again.",
    edits: [{ file: "src/domain/hold.ts", find: "if (isReleased) return", replace: "if (false) return" }],
    suite: inNode("rules/holds"),
  },
];

const MAILBOX_AND_ALARM: readonly Mutation[] = [
  {
    name: "hold-past-the-mailbox",
    fault: "A hold is judged when it arrives, before the claims that wait.",
    edits: [
      {
        file: OBJECT,
        find: `return this.#submit({ kind: "hold", request });`,
        replace: `const [answer] = this.#engine.apply([{ message: { kind: "hold", request }, at: now() }], this.#lease.state).answers;
    return answer as never;`,
      },
    ],
    suite: inNode("rules/object"),
  },
  {
    name: "last-come-first-served",
    fault: "A batch takes the newest messages first.",
    edits: [{ file: MAILBOX, find: "this.#queue.push({", replace: "this.#queue.unshift({" }],
    suite: inNode("rules/mailbox-order"),
  },
  {
    name: "stamp-at-commit",
    fault: "A message is judged at the instant of its batch, not of its arrival.",
    edits: [
      {
        file: MAILBOX,
        find: "this.#options.apply(batch);",
        replace: "this.#options.apply(batch.map((one) => ({ ...one, at: Math.max(one.at, this.#options.clock()) })));",
      },
    ],
    suite: inNode("rules/mailbox-order"),
  },
  {
    name: "one-bad-message-fails-its-batch",
    fault: "A failed batch refuses all its messages. None is tried alone.",
    edits: [{ file: MAILBOX, find: "else this.#judge([waiting]);", replace: "else waiting.resolve(refuse(waiting.message, cause));" }],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "mailbox-without-a-bound",
    fault: "The mailbox accepts every message.",
    edits: [{ file: MAILBOX, find: ">= lengthMax", replace: ">= Infinity" }],
    suite: inNode("rules/mailbox"),
    hangs: true,
  },
  {
    name: "alarm-not-set-again",
    fault: "An alarm that failed is not set again.",
    edits: [{ file: "src/object/expiry-alarm.ts", find: "this.#set(now + Math.min(", replace: "void (now + Math.min(" }],
    suite: inNode("rules/object"),
  },
];

const STORAGE: readonly Mutation[] = [
  {
    name: "no-transaction",
    fault: "The object writes single statements, without a transaction.",
    edits: [{ file: "src/object/sql-storage.ts", find: "storage.transactionSync(work)", replace: "work()" }],
    suite: inWorkerd("worker/chaos/storage-failure"),
  },
  {
    name: "answer-before-the-commit",
    fault: "A message is answered as granted although the COMMIT fails.",
    edits: [
      {
        file: STORE,
        find: "return this.#sql.transaction(work);",
        replace: `const judged: T[] = [];
    try {
      return this.#sql.transaction(() => (judged[0] = work()));
    } catch (cause) {
      if (judged.length === 0) throw cause;
      return judged[0] as T;
    }`,
      },
    ],
    suite: inNode("rules/rollback"),
  },
  {
    name: "memory-kept-after-a-rollback",
    fault: "Memory keeps what a rolled-back transaction changed.",
    edits: [
      { file: ENGINE, find: "if (isWritten) this.#store", replace: "this.#coupon = draft.coupon;\n    if (isWritten) this.#store" },
      {
        file: ENGINE,
        find: "this.#seqBeforeReload = this.seq;\n    this.#coupon = undefined;",
        replace: "this.#seqBeforeReload = this.seq;",
      },
    ],
    suite: inNode("rules/rollback"),
  },
  {
    name: "user-twice-in-a-batch",
    fault: "A batch does not see the claims that it has just granted.",
    edits: [{ file: "src/engine/pending.ts", find: "return this.#entryOf(userId).row;", replace: "return this.#entryOf(userId).stored;" }],
    suite: inNode("rules/coupon-engine"),
  },
  {
    name: "stale-memory-answers-reads",
    fault: "A replaced instance answers reads from memory, without comparing the stored head.",
    edits: [{ file: "src/engine/apply.ts", find: "assert(store.head() === storedSeq, ", replace: "assert(true, " }],
    suite: inNode("rules/assertions"),
  },
  {
    name: "ledger-with-gaps",
    fault: "The expiry of a hold advances the ledger's head by two.",
    edits: [{ file: DRAFT, find: "this.#coupon.seq += 1;", replace: `this.#coupon.seq += kind === "expired" ? 2 : 1;` }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "no-check-against-an-oversell",
    fault: "The schema accepts more claimed units than the amount.",
    edits: [{ file: "src/engine/schema.ts", find: " AND claimed + held <= amount)", replace: ")" }],
    suite: inNode("rules/schema"),
  },
  {
    name: "migration-outside-a-transaction",
    fault: "A migration that fails half-way leaves half of its statements.",
    edits: [{ file: STORE, find: "this.transaction(() => this.#migrated(found.version))", replace: "this.#migrated(found.version)" }],
    suite: inNode("rules/migration"),
  },
];

const CERTIFICATES: readonly Mutation[] = [
  {
    name: "lease-ignored",
    fault: "A change that contradicts an issued certificate does not wait for the lease.",
    edits: [{ file: CERTIFICATE, find: "leaseUntil <= at) return false;", replace: "leaseUntil <= at || at > 0) return false;" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-forgotten-at-restart",
    fault: "A restarted object assumes that no certificate is in use.",
    edits: [{ file: "src/object/lease.ts", find: "= leaseEnd(clock(), CERTIFICATE_MS_MAX);", replace: "= 0;" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-without-a-margin",
    fault: "The lease lapses together with the certificate, without a margin for clocks.",
    edits: [{ file: "src/domain/limits.ts", find: "LEASE_MARGIN_MS = 100", replace: "LEASE_MARGIN_MS = 0" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "renewal-during-a-wait",
    fault: "The object issues certificates while a change waits for the lease.",
    edits: [{ file: "src/object/lease.ts", find: "mayCertify: this.#waiterCount === 0", replace: "mayCertify: true" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "certificate-beyond-the-end-of-a-hold",
    fault: "A certificate is valid for longer than a hold whose unit returns to the stock.",
    edits: [{ file: CERTIFICATE, find: "Math.min(endsAt, coupon.nextExpiryAt ?? Infinity)", replace: "endsAt" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "user-in-the-bypass-set-covered",
    fault: "A certificate covers users in its bypass set.",
    edits: [{ file: CERTIFICATE, find: "certificate.mayContain(userMember(userId))", replace: "false" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "set-without-revoked-claims",
    fault: "The bypass set misses the users whose claim was revoked.",
    edits: [
      {
        file: STORE,
        find: "FROM releases WHERE user_id > ?",
        replace: "FROM releases WHERE user_id > ? AND 0",
      },
    ],
    suite: inNode("rules/certificates"),
  },
  {
    name: "set-of-another-epoch-carried-over",
    fault: "An isolate uses the bypass set of a deleted coupon of the same name.",
    edits: [{ file: CERTIFICATE, find: "before.epoch !== stated.epoch || ", replace: "" }],
    suite: inNode("rules/certificate"),
  },
];

export const COUPON_MUTATIONS: readonly Mutation[] = [...RULES, ...MAILBOX_AND_ALARM, ...STORAGE, ...CERTIFICATES];
