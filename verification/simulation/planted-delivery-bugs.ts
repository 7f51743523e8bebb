// Bugs to plant into the delivery of a coupon's ledger.

import { bug, type PlantedBug } from "./planted-bug.ts";

export const DELIVERY_BUGS: Readonly<Record<string, PlantedBug>> = {
  "cursor-before-page": bug("A cursor is stored before its page.", [
    "courier/read-model-sink",
    "const isStored = isCleared && (!hasNews || (await",
    "store.advance(current, { cursor: positionAfter(page, cursor) });\n    const isStored = isCleared && (!hasNews || (await",
  ]),
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
    "object/courier-notice",
    ' || batch[0]?.message.kind === "remove")',
    ")",
  ]),
  "forgotten-too-early": bug("A coupon forgets a ledger that the read model has and a webhook endpoint has not.", [
    "courier/courier-object",
    "forget(waiting.map(",
    "forget(waiting.filter(({ id }) => id === D1_SINK).map(",
  ]),
  "forget-not-repeated": bug("A coupon that could not forget is not asked again.", [
    "courier/courier-object",
    "if (!result.ok) throw new Error(`the coupon can't discard its ledgers: ${result.code}`);",
    "if (!result.ok) return false;",
  ]),
  "courier-of-nothing": bug("A courier keeps rows for a coupon that is gone.", [
    "courier/courier-object",
    "page?.hasDeleted !== false",
    "page?.hasDeleted === true",
  ]),
  "endpoints-unknown": bug("A courier that could not read the list of endpoints does not read it again.", [
    "courier/courier-object",
    "this.#areSinksKnown = areKnown;",
    "this.#areSinksKnown = true;",
  ]),
  "alarm-cleared-too-early": bug("The alarm of a courier ends before a failed delivery is repeated.", [
    "courier/courier-object",
    "return sink.nextAttemptAt ?? edgeOf(sink.fold);",
    "return sink.nextAttemptAt === null ? edgeOf(sink.fold) : null;",
  ]),
  "alarm-without-end": bug("An interrupted delivery that has succeeded since keeps the alarm.", [
    "courier/courier-object",
    'delivered === "all" && current.nextAttemptAt !== null',
    'delivered === "all" && current.attemptCount > 0',
  ]),
  "name-forgotten": bug("An instance that an alarm has begun forgets the coupon's name with its storage.", [
    "courier/courier-object",
    "this.#knownName ??= this",
    "this.#knownName = this",
  ]),
  "milestones-forgotten": bug("The state of the milestones is not stored.", [
    "courier/webhook-sink",
    "      cursor,\n      fold,\n",
    "      cursor,\n      fold: this.sink.fold ?? fold,\n",
  ]),
};
