// Faults in the transaction, the tables and the ledger: what storage itself has to refuse, and what it has to keep.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const SCHEMA = "src/engine/schema.ts";
const STATEMENTS = "src/engine/statements.ts";
const STORE = "src/engine/coupon-store.ts";
const ENGINE = "src/engine/coupon-engine.ts";
const DRAFT = "src/engine/draft.ts";
const PORT = "src/object/sql-storage.ts";

const TRANSACTION_MUTANTS: readonly Mutant[] = [
  {
    name: "answer-before-the-commit",
    fault: "A message is answered as soon as it is judged, whether or not the COMMIT fails.",
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
    name: "write-behind",
    fault: "The object answers first, and writes the rows a moment later.",
    edits: [
      {
        file: PORT,
        find: "transaction: (work) => storage.transactionSync(work),",
        replace: `transaction: (work) => {
      const answers: ReturnType<typeof work>[] = [];
      try {
        storage.transactionSync(() => {
          answers.push(work());
          throw new Error("rolled back");
        });
      } catch (cause) {
        if (answers.length === 0) throw cause;
      }
      setTimeout(() => storage.transactionSync(work), 1);
      return answers[0] as ReturnType<typeof work>;
    },`,
      },
    ],
    suite: inWorkerd("worker/chaos/object-lost"),
  },
  {
    name: "no-transaction",
    fault: "The object's writes are statements one after the other, in no transaction.",
    edits: [{ file: PORT, find: "transaction: (work) => storage.transactionSync(work),", replace: "transaction: (work) => work()," }],
    suite: inWorkerd("worker/chaos/storage-failure"),
  },
  {
    name: "memory-kept-after-a-rollback",
    fault: "Memory follows before the transaction, and is not brought back when that is rolled back.",
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
    fault: "Within a batch it is not known who was granted a unit just before.",
    edits: [{ file: "src/engine/pending.ts", find: "return this.#entryOf(userId).row;", replace: "return this.#entryOf(userId).stored;" }],
    suite: inNode("rules/coupon-engine"),
  },
  {
    name: "key-twice-in-a-batch",
    fault: "Within a batch it is not known whose key was used just before.",
    edits: [{ file: DRAFT, find: "if (claim.key !== null) this.#keyOwners.set(claim.key, claim.userId);", replace: "" }],
    suite: inNode("rules/replay"),
  },
  {
    name: "stale-memory-answers-reads",
    fault: "A read is answered from memory, without asking storage whether this instance was replaced.",
    edits: [{ file: "src/engine/apply.ts", find: "assert(store.head() === storedSeq, ", replace: "assert(true, " }],
    suite: inNode("rules/assertions"),
  },
  {
    name: "stored-counters-not-compared",
    fault: "What a grant leaves in storage is not compared with memory.",
    edits: [{ file: STORE, find: "assert(stored.claimed === after.claimed,", replace: "assert(true," }],
    suite: inNode("rules/assertions"),
  },
  {
    name: "deleted-coupon-in-memory",
    fault: "A deleted coupon lives on in its object's memory.",
    edits: [
      {
        file: ENGINE,
        find: "this.#store.deleteAll();\n    this.#coupon = undefined;",
        replace: "this.#store.deleteAll();",
      },
    ],
    suite: inWorkerd("worker/sale/delete", "deleting a coupon"),
  },
  {
    name: "deleted-coupon-in-storage",
    fault: "A deleted coupon's rows stay in storage.",
    edits: [{ file: PORT, find: "Promise.all([storage.deleteAlarm(), storage.deleteAll()])", replace: "storage.deleteAlarm()" }],
    suite: inWorkerd("worker/sale/delete", "deleting a coupon"),
  },
];

const TABLE_MUTANTS: readonly Mutant[] = [
  {
    name: "no-uniqueness-of-users",
    fault: "The table of claims takes two of one user.",
    edits: [
      {
        file: SCHEMA,
        find: "user_id TEXT PRIMARY KEY,\n     position INTEGER NOT NULL,",
        replace: "user_id TEXT NOT NULL,\n     position INTEGER PRIMARY KEY,",
      },
    ],
    suite: inNode("rules/schema"),
  },
  {
    name: "no-uniqueness-of-keys",
    fault: "The table of claims takes two with one idempotency key.",
    edits: [{ file: SCHEMA, find: "CREATE UNIQUE INDEX claims_by_key", replace: "CREATE INDEX claims_by_key" }],
    suite: inNode("rules/schema"),
  },
  {
    name: "no-check-against-an-oversell",
    fault: "The coupon's row takes more units given than there are.",
    edits: [{ file: SCHEMA, find: " AND claimed + held <= amount)", replace: ")" }],
    suite: inNode("rules/schema"),
  },
  {
    name: "stored-clock-goes-back",
    fault: "A write by an object whose memory is behind sets the stored clock back.",
    edits: [{ file: STATEMENTS, find: "clock_at = max(clock_at, ?5)", replace: "clock_at = ?5" }],
    suite: inNode("rules/window"),
  },
  {
    name: "ledger-with-gaps",
    fault: "The end of a hold advances the ledger's head by two.",
    edits: [{ file: DRAFT, find: "this.#coupon.seq += 1;", replace: `this.#coupon.seq += kind === "expired" ? 2 : 1;` }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "revoked-claim-not-in-the-ledger",
    fault: "A revoked claim advances the ledger's head, but has no event.",
    edits: [
      {
        file: DRAFT,
        find: "this.store.append(this.#events);",
        replace: `this.store.append(this.#events.filter(([, , kind]) => kind !== "released"));`,
      },
    ],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "released-holds-not-stored",
    fault: "Which requests made holds that were released is forgotten with the batch.",
    edits: [{ file: DRAFT, find: "this.store.insertReleasedHolds(this.#releasedHolds);", replace: "" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "migration-outside-a-transaction",
    fault: "A migration that breaks in the middle leaves half of its statements.",
    edits: [{ file: STORE, find: "this.transaction(() => this.#migrated(found.version))", replace: "this.#migrated(found.version)" }],
    suite: inNode("rules/migration"),
  },
  {
    name: "newer-schema-ends-the-object",
    fault: "Tables of a newer version count as a broken fact, so that the object is ended.",
    edits: [
      {
        file: STORE,
        find: "if (found.version > SCHEMA_VERSION) throw new NewerSchema(",
        replace: "assert(found.version <= SCHEMA_VERSION,",
      },
    ],
    suite: inNode("rules/migration"),
  },
  {
    name: "newer-schema-used",
    fault: "Tables of a newer version are used as if they were of this one.",
    edits: [{ file: STORE, find: "found.version > SCHEMA_VERSION)", replace: "found.version > SCHEMA_VERSION + 1)" }],
    suite: inNode("rules/migration"),
  },
];

export const STORAGE_MUTANTS: readonly Mutant[] = [...TRANSACTION_MUTANTS, ...TABLE_MUTANTS];
