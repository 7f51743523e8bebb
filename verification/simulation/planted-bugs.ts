// Bugs to plant into the product's sources or into the simulated platform. A run must find each of them.

import { bug, type PlantedBug } from "./planted-bug.ts";
import { DELIVERY_BUGS } from "./planted-delivery-bugs.ts";
import { ERASURE_BUGS } from "./planted-erasure-bugs.ts";
import { LANE_BUGS } from "./planted-lane-bugs.ts";
import { RESTORE_BUGS } from "./planted-restore-bugs.ts";

const PLATFORM: Readonly<Record<string, PlantedBug>> = {
  "answer-before-disk": {
    fault: "Answers leave the object before their writes are on disk.",
    platformBugs: { answersBeforeDisk: true },
  },
  "alarm-forgotten": { fault: "The platform forgets alarms.", platformBugs: { forgetsAlarms: true } },
  "rollback-forgotten": { fault: "A transaction that throws keeps what it wrote.", platformBugs: { keepsFailedTransactions: true } },
};

const ENGINE: Readonly<Record<string, PlantedBug>> = {
  "memory-ahead-of-storage": bug(
    "Memory changes before the commit, and stays so after a failure.",
    [
      "engine/coupon-engine",
      "    const isWritten = draft.isChanged || isFlush;\n",
      "    const isWritten = draft.isChanged || isFlush;\n    this.#coupon = draft.coupon;\n",
    ],
    ["engine/coupon-engine", "    this.#coupon = undefined;\n  }\n\n  #create", "  }\n\n  #create"],
  ),
  "users-not-unique": bug(
    "Neither the rule nor the tables refuse a second claim of a user.",
    [
      "engine/schema",
      "attempt_id TEXT NOT NULL,\n     PRIMARY KEY (user_id",
      "attempt_id TEXT NOT NULL,\n     PRIMARY KEY (position, user_id",
    ],
    ["engine/draft", "store.claims.of(userId)", "[]"],
    ["engine/draft", "this.store.claims.ofAll(userIds)", "[]"],
  ),
  "keys-not-looked-up": bug("The rule does not see the key of another user's claim.", [
    "engine/draft",
    "return known === undefined ? this.store.claims.keyOwner(key) : known;",
    "return null;",
  ]),
  "holds-for-ever": bug("Expired holds are not found.", [
    "engine/hold-store",
    "return this.#sql.all<Hold>(HoldStore.SELECT_EXPIRED, now);",
    "return [];",
  ]),
  "expiry-late-by-a-millisecond": bug("A hold still runs at the instant at which it expires.", [
    "engine/draft",
    "this.#coupon.nextExpiryAt <= this.at)",
    "this.#coupon.nextExpiryAt < this.at)",
  ]),
  "expiry-early-by-a-millisecond": bug(
    "A hold expires a millisecond early.",
    [
      "engine/hold-store",
      "FROM holds WHERE expires_at <= ? ORDER BY expires_at, user_id",
      "FROM holds WHERE expires_at - 1 <= ? ORDER BY expires_at, user_id",
    ],
    ["engine/draft", "this.#coupon.nextExpiryAt <= this.at)", "this.#coupon.nextExpiryAt - 1 <= this.at)"],
    ["engine/draft", "({ expiresAt }) => expiresAt <= this.at)", "({ expiresAt }) => expiresAt - 1 <= this.at)"],
  ),
  "mark-forgotten": bug("A new instance forgets the latest instant of its coupon.", [
    "engine/draft",
    "Math.max(stamp, this.#coupon.clockAt)",
    "stamp",
  ]),
  "tag-ignored": bug("A change is made although its If-Match names another tag.", [
    "engine/apply",
    "isMet(precondition, coupon, at) ? null",
    "precondition?.ifMatch !== 'never' || isMet(precondition, coupon, at) ? null",
  ]),
  "page-too-short": bug("The last claim of a page is left out.", [
    "engine/apply",
    "const claims = rows.slice(0, limit).map",
    "const claims = rows.slice(0, Math.max(0, Math.min(limit, rows.length) - 1)).map",
  ]),
  "numbers-forget": bug("Metrics count current claims instead of all grants.", [
    "engine/apply",
    "granted: draft.coupon.lastPosition",
    "granted: draft.coupon.claimed",
  ]),
  "bulk-ignores-holds": bug("A bulk claim does not see the hold of its user.", [
    "engine/apply",
    "const results = requests.map((request) => bulkPart(claim(draft, request)));",
    "const userClaim = draft.userClaim.bind(draft);\n      draft.userClaim = (...asked) => ({ ...userClaim(...asked), hold: null });\n      const results = requests.map((request) => bulkPart(claim(draft, request)));",
  ]),
  "released-hold-holds-again": bug("A late duplicate of the request for a hold that was released holds again.", [
    "domain/hold",
    'if (isReleased) return { ok: false, code: "hold_released" };',
    "",
  ]),
  "hold-limit-off-by-one": bug("One hold more may run than the coupon allows.", [
    "domain/hold",
    "coupon.held >= coupon.holdsMax",
    "coupon.held > coupon.holdsMax",
  ]),
  "hold-length-unlimited": bug("The length of a hold has no limit.", [
    "domain/hold",
    'if (ttlMs > ttlSecondsMax * 1000) return { ok: false, code: "hold_too_long", ttlSecondsMax };',
    "",
  ]),
  "one-hold-left": bug("The end of all holds leaves the last one.", [
    "engine/apply",
    "for (const held of holds) draft.releaseHold(held);",
    "for (const held of holds.slice(0, Math.max(1, holds.length - 1))) draft.releaseHold(held);",
  ]),
};

const MAILBOX: Readonly<Record<string, PlantedBug>> = {
  "second-door": bug("A hold is judged at once, before messages that wait.", [
    "object/coupon-object",
    'return this.#traffic.withHint(await this.#submit({ kind: "hold", request }));',
    'return this.#apply([{ message: { kind: "hold", request }, at: now() }]).answers[0];',
  ]),
  "stamp-at-commit": bug("A message is judged at the instant of its batch, not of its arrival.", [
    "object/mailbox",
    "} = this.#options.apply(batch);",
    "} = this.#options.apply(batch.map((one) => ({ ...one, at: this.#options.clock() })));",
  ]),
  "last-come-first-served": bug("Waiting messages are judged in the wrong order.", [
    "object/mailbox",
    "exclusive === -1 ? batchSizeMax : exclusive);",
    "exclusive === -1 ? batchSizeMax : exclusive).reverse();",
  ]),
  "failed-flush-stops-it": bug(
    "After a failed flush no message is judged.",
    ["object/mailbox", "  #run(): void {\n", "  #run(): void {\n    if (this.stuck) return;\n"],
    ["object/mailbox", "/ 4;\n    } catch (cause) {\n", "/ 4;\n    } catch (cause) {\n      this.stuck = true;\n"],
  ),
  "failure-spoils-the-batch": bug("A message that storage refuses takes its neighbors with it.", [
    "object/mailbox",
    "batch.length === 1 || cause instanceof BrokenAssertion",
    "true",
  ]),
};

const LEASES: Readonly<Record<string, PlantedBug>> = {
  "lease-ignored": bug("A change does not wait for the certificates that it makes false.", [
    "domain/certificate",
    "if (stated === null || leaseUntil <= at) return false;",
    "return false;",
  ]),
  "lease-ignored-by-removal": bug("A removal does not wait for the certificates that it makes false.", [
    "engine/coupon-engine",
    "    if (leaseUntil > at) return only(DEFERRED, false);\n",
    "",
  ]),
  "lease-ignored-by-archive": bug("An archive does not wait for the certificates that it makes false.", [
    "engine/apply",
    "    if (contradicts(coupon, { ...coupon, archivedAt: at }, at, context.leaseUntil)) return DEFERRED;\n",
    "",
  ]),
  "lease-forgotten-at-restart": bug("A new instance knows of no certificates.", [
    "object/lease",
    "this.#until = leaseEnd(clock(), CERTIFICATE_MS_MAX);",
    "this.#until = 0;",
  ]),
  "lease-without-margin": bug("A lease has no margin for the difference of clocks.", [
    "domain/limits",
    "LEASE_MARGIN_MS = 100",
    "LEASE_MARGIN_MS = 0",
  ]),
  "renewal-during-a-wait": bug("Certificates are issued while a change waits for their end.", [
    "object/lease",
    "mayCertify: this.#waiterCount === 0",
    "mayCertify: true",
  ]),
  "certificate-for-ever": bug("An isolate takes a certificate to be valid for a minute.", [
    "domain/certificate",
    "ageMs >= certificate.validForMs",
    "ageMs >= 60_000",
  ]),
  "certificate-outlives-a-hold": bug("A certificate does not end before a hold that may return its unit.", [
    "domain/certificate",
    "Math.min(endsAt, coupon.nextExpiryAt ?? Infinity)",
    "endsAt",
  ]),
  "bypass-set-of-another-incarnation": bug(
    "A certificate goes with the bypass set of another coupon of its name.",
    ["domain/certificate", "before.epoch !== stated.epoch || ", ""],
    ["engine/apply", "request.known?.epoch === epoch && request.known.bypassSeq", "request.known?.bypassSeq"],
  ),
  "certificate-keeps-its-code": bug("A renewed certificate keeps the refusal of the one before it.", [
    "edge/certificates",
    "Object.assign(entry, { held, order,",
    "Object.assign(entry, { held: { ...held, code: entry.held?.code ?? held.code }, order,",
  ]),
  "users-not-in-the-bypass-set": bug("A certificate also refuses users with a claim.", [
    "domain/certificate",
    "if (certificate.mayContain(userMember(userId))) return false;",
    "",
  ]),
  "new-keys-unseen": bug("While units are held, a certificate also refuses keys that came into use since.", [
    "domain/certificate",
    "certificate.isAnyKeyNew || ",
    "",
  ]),
};

const WORKER: Readonly<Record<string, PlantedBug>> = {
  "retry-of-anything": bug("The Worker retries calls that must happen once.", [
    "edge/coupon-calls",
    'if (effect === "once" || retry',
    "if (retry",
  ]),
  "retry-of-a-deletion": bug("A deletion is retried.", [
    "http/routes/coupons",
    'coupon.remove(precondition, actor), "once")',
    'coupon.remove(precondition, actor), "repeatable")',
  ]),
  "retry-of-a-revocation": bug("A revoke without a position is retried.", [
    "http/routes/claims",
    'position === null ? "once" : "repeatable"',
    '"repeatable"',
  ]),
  "retry-of-a-guarded-change": bug("A change with If-Match is retried.", [
    "http/routes/coupons",
    'precondition === null ? "repeatable" : "once"',
    '"repeatable"',
  ]),
  "unknown-called-unchanged": bug("Where the outcome is unknown, the caller is answered that nothing was changed.", [
    "edge/coupon-calls",
    'effect === "read" ? "unavailable" : "outcome_unknown"',
    '"unavailable"',
  ]),
  "retry-of-the-overloaded": bug("The Worker retries a call to an overloaded object.", [
    "edge/coupon-calls",
    " || isOverloaded(cause)",
    "",
  ]),
  "given-up-at-once": bug("The Worker does not retry repeatable calls.", ["edge/coupon-calls", "retry >= CALL_RETRIES_MAX", "retry >= 0"]),
  "receipt-made-up": bug("The Worker answers a winner with another position than the object did.", [
    "http/routes/claims",
    "...wire.receipt(name, claim), remaining_amount: claim",
    "...wire.receipt(name, { ...claim, position: 1 }), remaining_amount: claim",
  ]),
  "attempt-renamed": bug("The Worker's retry has another attempt id.", [
    "http/routes/claims",
    "(coupon) => coupon.claim(request)",
    "(coupon) => coupon.claim({ ...request, attemptId: crypto.randomUUID() })",
  ]),
  "attempt-names-repeat": bug("Two requests have one attempt id.", ["http/attempt-id", "  count += 1;\n", "  count = (count % 3) + 1;\n"]),
  "replay-hidden": bug("A replay has no Idempotent-Replayed header.", [
    "http/routes/claims",
    'isReplay ? { headers: { "Idempotent-Replayed": "true" } } : {}',
    "{}",
  ]),
  "view-too-old": bug("A view may be a minute old.", ["domain/limits", "SNAPSHOT_MS_MAX = 1_000", "SNAPSHOT_MS_MAX = 60_000"]),
  "view-goes-back": bug("A view may be older than an acknowledged change.", [
    "edge/monotonic-reads",
    "return head !== undefined &&",
    "return head !== undefined || requestOrder === -1 &&",
  ]),
  "position-ignored": bug("A revoke by position takes a later claim of the same user.", [
    "http/routes/claims",
    "coupon.revoke({ userId, position }, actor)",
    "coupon.revoke({ userId, position: null }, actor)",
  ]),
};

export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  ...PLATFORM,
  ...ENGINE,
  ...MAILBOX,
  ...LEASES,
  ...WORKER,
  ...DELIVERY_BUGS,
  ...LANE_BUGS,
  ...ERASURE_BUGS,
  ...RESTORE_BUGS,
};
