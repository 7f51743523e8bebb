// Faults in one coupon: its rules, its mailbox, its storage and its certificates.

import { inNode, inWorkerd, type Mutation } from "../mutation.ts";
import { planted } from "./planted.ts";

const CLAIM = "src/domain/claim.ts";
const COUPON = "src/domain/coupon.ts";
const DRAFT = "src/engine/draft.ts";
const STORE = "src/engine/coupon-store.ts";
const MAILBOX = "src/object/mailbox.ts";

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
        find: "): ClaimVerdict {",
        replace: "): ClaimVerdict {\n  existing = closedFor(coupon, now) === null ? existing : userClaimOf([]);",
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
      { file: "src/domain/revoke.ts", find: "{ ok: true, revoked };", replace: "{ ok: true, revoked: { ...revoked } };" },
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
  planted("mark-forgotten", inNode("rules/window")),
  {
    name: "amount-below-what-is-held",
    fault: "The amount can be lowered below the units that are claimed and held.",
    edits: [{ file: "src/domain/change.ts", find: "before.claimed + before.held", replace: "before.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  planted("expiry-late-by-a-millisecond", inNode("rules/holds-expiry")),
  {
    name: "held-units-on-sale",
    fault: "A held unit counts as remaining.",
    edits: [{ file: COUPON, find: "coupon.claimed - coupon.held", replace: "coupon.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  planted("released-hold-holds-again", inNode("rules/holds")),
];

const MAILBOX_AND_ALARM: readonly Mutation[] = [
  planted("second-door", inNode("rules/object")),
  planted("last-come-first-served", inNode("rules/mailbox-order")),
  planted("stamp-at-commit", inNode("rules/mailbox-order")),
  planted("failure-spoils-the-batch", inNode("rules/mailbox-faults")),
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
    edits: [{ file: "src/object/expiry-alarm.ts", find: "this.schedule(now + Math.min(", replace: "void (now + Math.min(" }],
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
  planted("memory-ahead-of-storage", inNode("rules/rollback")),
  {
    name: "user-twice-in-a-batch",
    fault: "A batch does not see the claims that it has just granted.",
    edits: [{ file: "src/engine/pending.ts", find: "return this.#entryOf(userId).rows;", replace: "return this.#entryOf(userId).stored;" }],
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
  planted("lease-ignored", inNode("rules/lease")),
  planted("lease-forgotten-at-restart", inNode("rules/lease")),
  planted("lease-without-margin", inNode("rules/certificate")),
  planted("renewal-during-a-wait", inNode("rules/lease")),
  planted("certificate-outlives-a-hold", inNode("rules/certificate")),
  planted("users-not-in-the-bypass-set", inNode("rules/certificate")),
  {
    name: "set-without-revoked-claims",
    fault: "The bypass set misses the users whose claim was revoked.",
    edits: [
      {
        file: STORE,
        find: "NULL AS key FROM releases",
        replace: "NULL AS key FROM (SELECT * FROM releases WHERE 0)",
      },
    ],
    suite: inNode("rules/certificates"),
  },
  planted("bypass-set-of-another-incarnation", inNode("rules/certificate")),
];

export const COUPON_MUTATIONS: readonly Mutation[] = [...RULES, ...MAILBOX_AND_ALARM, ...STORAGE, ...CERTIFICATES];
