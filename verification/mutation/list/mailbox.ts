// Faults in the mailbox and in the object around it: stamps, order, batches, alarms and counts.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const OBJECT = "src/object/coupon-object.ts";
const MAILBOX = "src/object/mailbox.ts";
const ALARM = "src/object/expiry-alarm.ts";
const ENGINE = "src/engine/coupon-engine.ts";

export const MAILBOX_MUTANTS: readonly Mutant[] = [
  {
    name: "check-then-await-then-write",
    fault: "The object reads whether a unit is left, waits, and then writes what it concluded.",
    edits: [
      {
        file: OBJECT,
        find: `return this.#submit({ kind: "claim", request });`,
        replace: `const seen = await this.#submit({ kind: "read", claimedBy: false });
    if (!seen.ok || seen.coupon.claimed >= seen.coupon.amount) return this.#submit({ kind: "claim", request });
    await scheduler.wait(1);
    const { userId, key, attemptId } = request;
    const [position, claimedAt] = [seen.coupon.claimed + 1, Date.now()];
    const remainingAfter = seen.coupon.amount - position;
    this.ctx.storage.sql.exec("UPDATE coupon SET claimed = ?1, last_position = ?1", position);
    this.ctx.storage.sql.exec("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?)", userId, position, claimedAt, remainingAfter, key, attemptId);
    this.#engine.reload();
    return { ok: true, claim: { userId, position, claimedAt, remainingAfter, key, attemptId }, replayed: false, seq: seen.seq };`,
      },
    ],
    suite: inWorkerd("storms/flash-sale", "50 users, stock 5, run 1 of 10"),
  },
  {
    name: "hold-past-the-mailbox",
    fault: "A hold is judged as soon as it arrives, before the claims that wait.",
    edits: [
      {
        file: OBJECT,
        find: `return this.#submit({ kind: "hold", request });`,
        replace: `const [answer] = this.#engine.apply([{ message: { kind: "hold", request }, at: now() }], this.#lease.state).answers;
    return answer as rpc.HoldResult;`,
      },
    ],
    suite: inNode("rules/object-order"),
  },
  {
    name: "stamp-at-commit",
    fault: "A message is judged at the instant at which its batch is, not at its arrival.",
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
    name: "stamp-goes-back",
    fault: "A message is stamped before one that arrived earlier when the clock is set back.",
    edits: [{ file: MAILBOX, find: "Math.max(clock(), this.#lastStamp)", replace: "clock()" }],
    suite: inNode("rules/mailbox-order"),
  },
  {
    name: "stamp-lost-on-the-second-try",
    fault: "A message whose batch failed is judged alone at a new stamp.",
    edits: [
      {
        file: MAILBOX,
        find: "else this.#judge([waiting]);",
        replace: "else this.#judge([{ ...waiting, at: this.#options.clock() + 3_600_000 }]);",
      },
    ],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "last-come-first-served",
    fault: "A batch takes the newest messages first.",
    edits: [
      {
        file: MAILBOX,
        find: "this.#queue.push({ message, at, resolve })",
        replace: "this.#queue.unshift({ message, at, resolve })",
      },
    ],
    suite: inNode("rules/mailbox-order"),
  },
  {
    name: "one-bad-message-fails-its-batch",
    fault: "When a batch can't be written, all of its messages are refused, and none is tried alone.",
    edits: [{ file: MAILBOX, find: "else this.#judge([waiting]);", replace: "else waiting.resolve(refuse(waiting.message, cause));" }],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "batch-does-not-wait-for-a-flush",
    fault: "Each message is a batch of its own, whatever is in flight.",
    edits: [{ file: MAILBOX, find: "if (oldestFlight === undefined || oldest === undefined) return 0;", replace: "if (oldest) return 0;" }],
    suite: inNode("rules/mailbox"),
  },
  {
    name: "batch-waits-for-the-whole-flush",
    fault: "The next batch starts only when no flush is in flight.",
    edits: [{ file: "src/domain/limits.ts", find: "BATCH_WAIT_PER_FLUSH = 0.25", replace: "BATCH_WAIT_PER_FLUSH = 1" }],
    suite: inNode("rules/mailbox"),
  },
  {
    name: "flush-not-measured",
    fault: "The wait of a batch is that of the first flush for ever.",
    edits: [{ file: MAILBOX, find: "this.#flushMs += ", replace: "void " }],
    suite: inNode("rules/mailbox"),
  },
  {
    name: "no-batch-after-a-failed-flush",
    fault: "A flush that failed counts as in flight for ever.",
    edits: [
      { file: MAILBOX, find: "      this.#end(cause);\n    } finally {", replace: "      this.#end(cause);\n      return;\n    }\n    {" },
    ],
    suite: inNode("rules/mailbox-faults"),
    hangs: true,
  },
  {
    name: "exclusive-message-shares-its-batch",
    fault: "A message that must be alone is judged with those behind it.",
    edits: [{ file: MAILBOX, find: "exclusive === 0 ? 1 : ", replace: "exclusive === 0 ? batchSizeMax : " }],
    suite: inNode("rules/mailbox"),
  },
  {
    name: "exclusive-message-jumps-the-queue",
    fault: "A message that must be alone is judged before those in front of it.",
    edits: [
      {
        file: MAILBOX,
        find: "return this.#queue.splice(0, exclusive === 0 ?",
        replace: "return this.#queue.splice(Math.max(exclusive, 0), exclusive > -1 ?",
      },
    ],
    suite: inNode("rules/mailbox"),
  },
  {
    name: "mailbox-without-a-bound",
    fault: "The mailbox takes every message.",
    edits: [{ file: MAILBOX, find: "this.#queue.length >= lengthMax", replace: "this.#queue.length >= Infinity" }],
    suite: inNode("rules/mailbox"),
    hangs: true,
  },
  {
    name: "broken-fact-goes-on",
    fault: "An object that finds its own counters wrong is not ended.",
    edits: [{ file: MAILBOX, find: "      this.#broken = cause;\n      this.#end(cause);", replace: "      this.#broken = cause;" }],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "batch-judged-after-a-broken-fact",
    fault: "An object that is about to end judges further batches.",
    edits: [{ file: MAILBOX, find: "if (this.#broken !== null) throw this.#broken;", replace: "" }],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "memory-not-restored",
    fault: "After a batch that failed, memory is not read from storage again.",
    edits: [{ file: MAILBOX, find: "restore(cause, batch.length);", replace: "void restore;" }],
    suite: inNode("rules/mailbox-faults"),
  },
  {
    name: "transaction-for-a-read",
    fault: "A batch that changes nothing opens a transaction.",
    edits: [{ file: ENGINE, find: "const isWritten = draft.isChanged || isFlush;", replace: "const isWritten = true;" }],
    suite: inNode("rules/rows-written"),
  },
  {
    name: "counts-not-written-with-the-claim",
    fault: "The transaction of a claim writes the counts of before.",
    edits: [{ file: ENGINE, find: "draft.save(outcomes)", replace: "draft.save(this.#outcomes ?? NO_CLAIM_COUNTS)" }],
    suite: inNode("rules/rows-written"),
  },
  {
    name: "refusals-never-written",
    fault: "Counts of refused claims stay in memory until a unit is granted.",
    edits: [{ file: OBJECT, find: "if (this.#isFlushScheduled || ", replace: "if (!this.#isFlushScheduled || " }],
    suite: inNode("rules/object-counts"),
  },
  {
    name: "metrics-before-their-counts",
    fault: "Metrics return counts that are lost with the object.",
    edits: [
      {
        file: OBJECT,
        find: `async metrics(): Promise<rpc.MetricsResult> {\n    if (this.#engine.hasUnwrittenCounts) void`,
        replace: `async metrics(): Promise<rpc.MetricsResult> {\n    if (!this.#engine.hasUnwrittenCounts) void`,
      },
    ],
    suite: inNode("rules/object-counts"),
  },
  {
    name: "refusals-at-the-edge-not-counted",
    fault: "The object drops the refusals that an isolate reports.",
    edits: [{ file: OBJECT, find: "this.#engine.countAtEdge(request.refused);", replace: "" }],
    suite: inNode("rules/object-counts"),
  },
  {
    name: "alarm-set-by-a-claim",
    fault: "A claim sets an alarm, which holds up its commit.",
    edits: [{ file: OBJECT, find: `if (batch.some(({ message }) => message.kind !== "claim")) `, replace: "" }],
    suite: inNode("rules/object-restart"),
  },
  {
    name: "alarm-not-set-again",
    fault: "An alarm that failed is not set again.",
    edits: [{ file: ALARM, find: "this.#set(now + Math.min(", replace: "void (now + Math.min(" }],
    suite: inNode("rules/object-counts"),
  },
  {
    name: "alarm-for-the-first-hold-only",
    fault: "After an alarm none is set for the next hold.",
    edits: [{ file: ALARM, find: "    this.#alarmAt = null;\n    if (await expire())", replace: "    if (await expire())" }],
    suite: inNode("rules/object-counts"),
  },
  {
    name: "first-thousand-holds-ended",
    fault: "The end of all holds ends after its first message.",
    edits: [{ file: OBJECT, find: "if (result.count < HOLDS_ENDED_AT_ONCE_MAX) return", replace: "if (count > 0) return" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "some-holds-ended-and-unavailable",
    fault: "The end of all holds says that nothing was changed after it ended a thousand.",
    edits: [{ file: OBJECT, find: "if (!result.ok && count > 0) throw", replace: "if (!result.ok && count < 0) throw" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "ddl-in-the-constructor",
    fault: "The object's constructor makes a table, under every name that is asked for.",
    edits: [
      {
        file: OBJECT,
        find: "super(ctx, env);",
        replace: `super(ctx, env);\n    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS visits (at INTEGER)");`,
      },
    ],
    suite: inWorkerd("worker/contract/storage", "stores nothing: an amount of 0"),
  },
];
