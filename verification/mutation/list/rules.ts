// Faults in the rules: who gets a unit, at which instant, and what everybody else is answered.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const CLAIM = "src/domain/claim.ts";
const COUPON = "src/domain/coupon.ts";
const HOLD = "src/domain/hold.ts";
const CLAIMS = "src/engine/claims.ts";
const DRAFT = "src/engine/draft.ts";
const STATEMENTS = "src/engine/statements.ts";
const APPLY = "src/engine/apply.ts";

const CLAIM_MUTANTS: readonly Mutant[] = [
  {
    name: "idempotency-key-ignored",
    fault: "A retry with the same key is answered as another request of the same user.",
    edits: [{ file: CLAIM, find: "return request.key !== null && request.key === claim.key;", replace: "return false;" }],
    suite: inNode("rules/replay"),
  },
  {
    name: "another-users-key-taken",
    fault: "The rule leaves it to the index that a key is another user's.",
    edits: [{ file: CLAIM, find: "if (keyOwner !== null)", replace: "if (keyOwner !== null && request.key === null)" }],
    suite: inNode("rules/replay"),
  },
  {
    name: "winner-refused-as-out-of-stock",
    fault: "Whether the sale is closed is judged before what the user already has.",
    edits: [
      { file: CLAIM, find: "if (own.claim !== null) return", replace: "if (own.claim !== null && closedFor(coupon, now) === null) return" },
    ],
    suite: inNode("rules/replay"),
  },
  {
    name: "refusals-swapped",
    fault: "A sale that is paused and sold out is answered as sold out.",
    edits: [{ file: COUPON, find: "if (coupon.paused)", replace: "if (coupon.paused && remaining(coupon) > 0)" }],
    suite: inNode("rules/claim"),
  },
  {
    name: "revoked-request-wins-again",
    fault: "A late duplicate of the request whose claim was revoked is granted a new unit.",
    edits: [{ file: CLAIM, find: "if (own.released !== null)", replace: "if (own.released !== null && own.released.position < 0)" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "end-of-the-window-included",
    fault: "At the very instant of ends_at the sale is still open.",
    edits: [{ file: COUPON, find: "now >= endsAt", replace: "now > endsAt" }],
    suite: inNode("rules/window"),
  },
  {
    name: "start-of-the-window-excluded",
    fault: "At the very instant of starts_at the sale has not started.",
    edits: [{ file: COUPON, find: "now < startsAt", replace: "now <= startsAt" }],
    suite: inNode("rules/window"),
  },
  {
    name: "clock-goes-back",
    fault: "A clock that is set back takes the coupon's time with it.",
    edits: [{ file: DRAFT, find: "Math.max(stamp, this.#coupon.clockAt)", replace: "stamp" }],
    suite: inNode("rules/window"),
  },
  {
    name: "end-of-the-sale-not-stored",
    fault: "That the sale was answered to be over is forgotten with the object.",
    edits: [
      {
        file: DRAFT,
        find: " || windowPhase(this.#before, this.#before.clockAt) !== windowPhase(this.#before, this.at)",
        replace: "",
      },
    ],
    suite: inNode("rules/window"),
  },
  {
    name: "position-used-again",
    fault: "After a revoked claim, the next claim gets a position that was used before.",
    edits: [{ file: CLAIM, find: "coupon.lastPosition + 1", replace: "coupon.claimed + 1" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "revoked-unit-returned-twice",
    fault: "Revoking a claim once more returns its unit once more.",
    edits: [
      {
        file: "src/domain/revoke.ts",
        find: `{ is: "released_already", release: last }`,
        replace: `{ is: "released", claim: last.claim }`,
      },
      { file: STATEMENTS, find: "INSERT INTO releases", replace: "INSERT OR REPLACE INTO releases" },
    ],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "amount-below-what-is-held",
    fault: "The amount can be lowered below the units that are claimed and held.",
    edits: [{ file: "src/domain/change.ts", find: "before.claimed + before.held", replace: "before.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "if-match-ignored",
    fault: "A change is made whatever If-Match says.",
    edits: [{ file: APPLY, find: "if (ifMatch !== null && ", replace: "if (ifMatch === null && ifMatch !== null && " }],
    suite: inWorkerd("worker/sale/change", "If-Match"),
  },
];

const HOLD_MUTANTS: readonly Mutant[] = [
  {
    name: "hold-ends-a-millisecond-late",
    fault: "A hold still runs at the very instant of expires_at.",
    edits: [
      { file: STATEMENTS, find: "WHERE expires_at <= ?", replace: "WHERE expires_at < ?" },
      { file: DRAFT, find: "this.#coupon.nextExpiryAt <= this.at", replace: "this.#coupon.nextExpiryAt < this.at" },
      { file: DRAFT, find: "expiresAt <= this.at", replace: "expiresAt < this.at" },
      { file: CLAIM, find: "now < own.hold.expiresAt", replace: "now <= own.hold.expiresAt" },
      { file: HOLD, find: "now < own.hold.expiresAt", replace: "now <= own.hold.expiresAt" },
    ],
    suite: inNode("rules/holds-expiry"),
  },
  {
    name: "hold-ends-a-millisecond-early",
    fault: "A hold is over one millisecond before expires_at.",
    edits: [
      { file: DRAFT, find: "this.#coupon.nextExpiryAt <= this.at", replace: "this.#coupon.nextExpiryAt <= this.at + 1" },
      { file: DRAFT, find: "this.store.expired(this.at)", replace: "this.store.expired(this.at + 1)" },
      { file: DRAFT, find: "expiresAt <= this.at", replace: "expiresAt <= this.at + 1" },
    ],
    suite: inNode("rules/holds-expiry"),
  },
  {
    name: "hold-of-the-batch-never-ends",
    fault: "A hold made in a batch does not end within it.",
    edits: [{ file: DRAFT, find: "this.#holds.merged(this.store.expired(this.at))", replace: "this.store.expired(this.at)" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "hold-made-longer-by-asking",
    fault: "Asking again for a hold makes it last longer.",
    edits: [
      {
        file: CLAIMS,
        find: `    case "held_already":\n`,
        replace: `    case "held_already":
      draft.releaseHold(verdict.hold);
      draft.keep({ ...verdict.hold, expiresAt: draft.at + ttlMs });\n`,
      },
    ],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "held-units-on-sale",
    fault: "A unit that is held counts as left.",
    edits: [{ file: COUPON, find: "coupon.amount - coupon.claimed - coupon.held", replace: "coupon.amount - coupon.claimed" }],
    suite: inNode("rules/holds-property"),
  },
  {
    name: "released-request-holds-again",
    fault: "A late duplicate of a request whose hold was released holds again.",
    edits: [{ file: HOLD, find: `if (isReleased) return { is: "hold_released" };`, replace: "" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "released-request-holds-again-in-its-batch",
    fault: "Within the batch that releases a hold, a duplicate of its request holds again.",
    edits: [{ file: DRAFT, find: "return isDrafted || this.store", replace: "return this.store" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "released-hold-before-the-closed-sale",
    fault: "A request whose hold was released is not refused as a certificate would refuse it.",
    edits: [
      {
        file: HOLD,
        find: "  const closed = closedFor(coupon, now);",
        replace: `  if (isReleased) return { is: "hold_released" };\n  const closed = closedFor(coupon, now);`,
      },
    ],
    suite: inNode("rules/holds"),
  },
  {
    name: "many-claims-ignore-holds",
    fault: "Claims that are read together do not find the holds of their users.",
    edits: [{ file: DRAFT, find: "this.store.holdsOf(userIds)", replace: "[]" }],
    suite: inNode("rules/coupon-engine"),
  },
  {
    name: "one-hold-too-many",
    fault: "A hold more than holds_max is made.",
    edits: [{ file: HOLD, find: "coupon.held >= coupon.holdsMax", replace: "coupon.held > coupon.holdsMax" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "longest-hold-refused",
    fault: "A hold of exactly hold_seconds_max is refused.",
    edits: [{ file: HOLD, find: "ttlMs > coupon.holdSecondsMax * 1000", replace: "ttlMs >= coupon.holdSecondsMax * 1000" }],
    suite: inNode("rules/holds"),
  },
  {
    name: "hold-limits-not-stored",
    fault: "Changed limits of holds are forgotten with the object.",
    edits: [
      {
        file: STATEMENTS,
        find: ",\n      hold_seconds_max = iif(?8, ?12, hold_seconds_max), holds_max = iif(?8, ?13, holds_max)",
        replace: ",\n      held = held + 0 * ?12 + 0 * coalesce(?13, 0)",
      },
    ],
    suite: inNode("rules/holds"),
  },
  {
    name: "hold-that-is-over-listed",
    fault: "The list of holds has one that ends at this very instant.",
    edits: [{ file: STATEMENTS, find: "WHERE user_id > ? AND expires_at > ?", replace: "WHERE user_id > ? AND expires_at >= ?" }],
    suite: inNode("rules/holds"),
  },
];

export const RULE_MUTANTS: readonly Mutant[] = [...CLAIM_MUTANTS, ...HOLD_MUTANTS];
