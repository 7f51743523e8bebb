// Faults in how claims share a transaction, in what memory believes after one, and in the object around them.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const OBJECT = "src/object/coupon-object.ts";
const QUEUE = "src/object/group-commit.ts";
const ENGINE = "src/engine/coupon-engine.ts";

export const COMMIT_MUTANTS: readonly Mutant[] = [
  {
    name: "check-then-await-then-write",
    fault: "The object looks whether a unit is left, waits, and then writes what it had concluded.",
    edits: [
      {
        file: OBJECT,
        find: "await this.#claims.submit(request);",
        replace: `await (async (): Promise<messages.ClaimResult> => {
      const seen = this.#engine.read({ claimedBy: false }, Date.now());
      if (!seen.ok || seen.coupon.claimed >= seen.coupon.amount) return this.#claims.submit(request);
      await scheduler.wait(1);
      const { userId, key, attemptId } = request;
      const [position, claimedAt] = [seen.coupon.claimed + 1, Date.now()];
      const remainingAfter = seen.coupon.amount - position;
      this.ctx.storage.sql.exec("UPDATE coupon SET claimed = ?1, last_position = ?1", position);
      this.ctx.storage.sql.exec("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?)", userId, position, claimedAt, remainingAfter, key, attemptId);
      this.#engine.reload();
      return { ok: true, claim: { userId, position, claimedAt, remainingAfter, key, attemptId }, replayed: false, seq: seen.seq };
    })();`,
      },
    ],
    suite: inWorkerd("stress/flash-sale", "50 users, stock 5, run 1 of 10"),
  },
  {
    name: "answer-before-the-commit",
    fault: "A claim is answered as soon as it is judged, and what becomes of its COMMIT is not asked.",
    edits: [
      {
        file: "src/engine/coupon-store.ts",
        find: "return this.#sql.transaction(work);",
        replace: `const judged: T[] = [];
    try {
      return this.#sql.transaction(() => (judged[0] = work()));
    } catch (cause) {
      const [answer] = judged;
      if (answer === undefined) throw cause;
      return answer;
    }`,
      },
    ],
    suite: inNode("engine/rollback"),
  },
  {
    name: "write-behind",
    fault: "The object answers first, and writes the rows a moment later.",
    edits: [
      {
        file: "src/object/sql-storage.ts",
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
    suite: inWorkerd("chaos/object-lost"),
  },
  {
    name: "memory-kept-after-a-rollback",
    fault: "Memory follows each claim at once, and is not brought back when the batch is rolled back.",
    edits: [
      { file: ENGINE, find: "const saved = draft.save(", replace: "this.#coupon = draft.coupon;\n      const saved = draft.save(" },
      {
        file: ENGINE,
        find: "this.#seqBeforeReload = this.seq;\n    this.#coupon = undefined;",
        replace: "this.#seqBeforeReload = this.seq;",
      },
    ],
    suite: inNode("engine/rollback"),
  },
  {
    name: "no-transaction",
    fault: "The object's writes are statements one after the other, in no transaction.",
    edits: [
      {
        file: "src/object/sql-storage.ts",
        find: "transaction: (work) => storage.transactionSync(work),",
        replace: "transaction: (work) => work(),",
      },
    ],
    suite: inWorkerd("chaos/storage-failure"),
  },
  {
    name: "one-bad-item-fails-its-batch",
    fault: "When a batch can't be written, everybody in it is refused, and nobody is tried alone.",
    edits: [
      {
        file: QUEUE,
        find: "else this.#commit([waiter]);",
        replace: "else waiter.resolve(this.#options.refuse(waiter.item, cause));",
      },
    ],
    suite: inNode("engine/group-commit-faults"),
  },
  {
    name: "queue-emptied-after-the-commit",
    fault: "A batch is taken out of the queue once it is on disk, and with it goes whoever came meanwhile.",
    edits: [
      {
        file: QUEUE,
        find: "this.#queue.splice(0, this.#options.batchSizeMax)",
        replace: "this.#queue.slice(0, this.#options.batchSizeMax)",
      },
      { file: QUEUE, find: "await this.#options.settled();", replace: "await this.#options.settled();\n      this.#queue = [];" },
    ],
    suite: inNode("engine/group-commit"),
  },
  {
    name: "batch-tried-twice",
    fault: "A batch stays in the queue until it is on disk, and is committed once more with the next.",
    edits: [
      {
        file: QUEUE,
        find: "this.#queue.splice(0, this.#options.batchSizeMax)",
        replace: "this.#queue.slice(0, this.#options.batchSizeMax)",
      },
      {
        file: QUEUE,
        find: "await this.#options.settled();",
        replace: "await this.#options.settled();\n      this.#queue.splice(0, Math.max(1, batch.length - 1));",
      },
    ],
    suite: inNode("engine/group-commit"),
  },
  {
    name: "disk-not-waited-for",
    fault: "The next batch does not wait until the one before it is on disk.",
    edits: [
      {
        file: QUEUE,
        find: "if (!this.#isBusy) void this.#drain();",
        replace: "if (!this.#isBusy || this.#queue.length > 0) void this.#drain();",
      },
    ],
    suite: inNode("engine/group-commit"),
  },
  {
    name: "queue-without-a-bound",
    fault: "The queue takes in whatever comes.",
    edits: [{ file: QUEUE, find: "this.#queue.length >= this.#options.queueLengthMax", replace: "this.#queue.length >= Infinity" }],
    suite: inNode("engine/group-commit"),
    hangs: true,
  },
  {
    name: "user-twice-in-a-batch",
    fault: "Within a batch nobody remembers who got a unit just before.",
    edits: [
      {
        file: "src/engine/draft.ts",
        find: "this.#granted.push(claim);\n    this.#claims.set(claim.userId, claim);",
        replace: "this.#granted.push(claim);",
      },
    ],
    suite: inNode("engine/coupon-engine"),
  },
  {
    name: "key-twice-in-a-batch",
    fault: "Within a batch nobody remembers whose key was used just before.",
    edits: [{ file: "src/engine/draft.ts", find: "if (claim.key !== null) this.#keyOwners.set(claim.key, claim.userId);", replace: "" }],
    suite: inNode("engine/replay"),
  },
  {
    name: "broken-fact-shrugged-off",
    fault: "An object that finds its own counters wrong refuses the batch and goes on.",
    edits: [{ file: QUEUE, find: "this.#options.abort(cause);", replace: "" }],
    suite: inNode("engine/group-commit-faults"),
  },
  {
    name: "stale-memory-answers-reads",
    fault: "A read is answered from memory, without asking storage whether this instance is still the one.",
    edits: [{ file: ENGINE, find: `assert(this.#store.head() === coupon.seq, `, replace: "assert(true, " }],
    suite: inNode("engine/assertions"),
  },
  {
    name: "ddl-in-the-constructor",
    fault: "The object's constructor makes sure that there is a table, whoever asks for whatever name.",
    edits: [
      {
        file: OBJECT,
        find: "super(ctx, env);",
        replace: `super(ctx, env);\n    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS visits (at INTEGER)");`,
      },
    ],
    suite: inWorkerd("contract/storage", "stores nothing: an amount of 0"),
  },
  {
    name: "alarm-not-set-again",
    fault: "An alarm that failed is not set again.",
    edits: [{ file: "src/object/wake-up.ts", find: "this.#set(now + Math.min(", replace: "void (now + Math.min(" }],
    suite: inWorkerd("sale/alarm", "ten times in a row"),
  },
  {
    name: "alarm-for-the-first-hold-only",
    fault: "An alarm that did its work is not set for the next hold.",
    edits: [{ file: "src/object/wake-up.ts", find: "      this.arrange(now);", replace: "" }],
    suite: inWorkerd("sale/alarm", "for the hold that ends first"),
  },
  {
    name: "delete-forgets-nothing",
    fault: "A deleted coupon lives on in its object's memory.",
    edits: [{ file: OBJECT, find: "this.#engine.forget();", replace: "" }],
    suite: inWorkerd("sale/delete", "deleting a coupon"),
  },
  {
    name: "delete-leaves-the-rows",
    fault: "A deleted coupon's rows stay in storage.",
    edits: [{ file: OBJECT, find: "this.ctx.storage.deleteAll()", replace: "Promise.resolve()" }],
    suite: inWorkerd("sale/delete", "deleting a coupon"),
  },
];
