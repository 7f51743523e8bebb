// Bugs to plant into the delivery of a coupon's ledger.

import { bug, type PlantedBug } from "./planted-bug.ts";

export const DELIVERY_BUGS: Readonly<Record<string, PlantedBug>> = {
  "cursor-before-page": bug(
    "A cursor is stored before its page.",
    ["courier/read-model-sink", "    if (hasNews) await storePage(db, name, page, Date.now());\n", ""],
    [
      "courier/read-model-sink",
      "      current = advanced;\n",
      "      current = advanced;\n      if (hasNews) await storePage(db, name, page, Date.now());\n",
    ],
  ),
  "notice-without-alarm": bug("No alarm repeats a notice that a crash has prevented.", [
    "object/coupon-object",
    "const noticeAt = this.#notice === null ? null : now() + NOTICE_ALARM_MS;",
    "const noticeAt = null;",
  ]),
  "notice-confirmed-unanswered": bug("A notice counts as confirmed before it is answered.", [
    "object/courier-notice",
    "    const newsCount = this.#newsCount;\n",
    "    const newsCount = this.#newsCount;\n    this.#confirmedCount = newsCount;\n",
  ]),
  "deletion-not-noticed": bug("The deletion by a new instance is not notified.", [
    "object/coupon-object",
    ' || first?.message.kind === "remove")',
    ")",
  ]),
  "forgotten-too-early": bug("A coupon forgets a ledger that the read model has and a webhook endpoint has not.", [
    "courier/courier-object",
    "forget(active.map(",
    "forget(active.filter(({ id }) => id === D1_SINK).map(",
  ]),
  "forget-not-repeated": bug("A coupon that could not forget is not asked again.", [
    "courier/courier-object",
    "if (!result.ok) throw new Error(`the coupon can't forget: ${result.code}`);",
    "if (!result.ok) return false;",
  ]),
  "courier-of-nothing": bug("A courier keeps rows for a coupon that is gone.", [
    "courier/courier-object",
    "page?.hasDeleted ?? true",
    "page?.hasDeleted ?? false",
  ]),
  "endpoints-unknown": bug("A courier that could not read the list of endpoints does not read it again.", [
    "courier/courier-object",
    "this.#isListStale = !isFresh && this.env.DB !== undefined;",
    "this.#isListStale = isFresh && this.env.DB === undefined;",
  ]),
  "alarm-cleared-too-early": bug("The alarm of a courier ends before a failed delivery is repeated.", [
    "courier/courier-object",
    "nextAttemptAt ?? edgeOf(fold)",
    "(nextAttemptAt === null ? edgeOf(fold) : null)",
  ]),
  "alarm-without-end": bug("An interrupted delivery that has succeeded since keeps the alarm.", [
    "courier/courier-object",
    "else if (current.nextAttemptAt !== null)",
    "else if (current.attemptCount > 0)",
  ]),
  "edges-ignored": bug("Time alone makes no milestone.", ["courier/courier-object", "nextAttemptAt ?? edgeOf(fold)", "nextAttemptAt"]),
  "milestones-forgotten": bug("The state of the milestones is not stored.", [
    "courier/webhook-sink",
    "advance(this.sink, { cursor, fold,",
    "advance(this.sink, { cursor, fold: this.sink.fold ?? fold,",
  ]),
};
