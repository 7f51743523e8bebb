// Faults in the rules: who gets a unit, when, and what everybody else is told.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const CLAIM = "src/domain/claim.ts";
const COUPON = "src/domain/coupon.ts";
const DRAFT = "src/engine/draft.ts";
const ENGINE = "src/engine/coupon-engine.ts";

export const RULE_MUTANTS: readonly Mutant[] = [
  {
    name: "idempotency-key-ignored",
    fault: "A retry with the same key is told that the user has a claim already, not the claim.",
    edits: [{ file: CLAIM, find: "return request.key !== null && request.key === claim.key;", replace: "return false;" }],
    suite: inNode("engine/replay"),
  },
  {
    name: "another-users-key-taken",
    fault: "The rule does not look whether a key is another user's, and leaves that to the index.",
    edits: [{ file: CLAIM, find: "if (keyOwner !== null)", replace: "if (keyOwner !== null && request.key === null)" }],
    suite: inNode("engine/replay"),
  },
  {
    name: "winner-told-out-of-stock",
    fault: "Whether the sale is closed is judged before what the user already has.",
    edits: [
      { file: CLAIM, find: "if (own.claim !== null) return", replace: "if (own.claim !== null && closedFor(coupon, now) === null) return" },
    ],
    suite: inNode("engine/replay"),
  },
  {
    name: "refusals-swapped",
    fault: "A sale that is paused and sold out is told as sold out.",
    edits: [{ file: COUPON, find: "if (coupon.paused)", replace: "if (coupon.paused && remaining(coupon) > 0)" }],
    suite: inNode("property/claim"),
  },
  {
    name: "released-request-wins-again",
    fault: "A late duplicate of the request whose claim was released is granted a new unit.",
    edits: [{ file: CLAIM, find: "if (own.released !== null)", replace: "if (own.released !== null && own.released.position < 0)" }],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "end-of-the-window-included",
    fault: "At the very instant of ends_at the sale is still open.",
    edits: [{ file: COUPON, find: "now >= endsAt", replace: "now > endsAt" }],
    suite: inNode("engine/window"),
  },
  {
    name: "start-of-the-window-excluded",
    fault: "At the very instant of starts_at the sale has not started.",
    edits: [{ file: COUPON, find: "now < startsAt", replace: "now <= startsAt" }],
    suite: inNode("engine/window"),
  },
  {
    name: "window-judged-by-the-workers-clock",
    fault: "A batch is judged at the instant at which the Worker sent its first claim, not when it is taken up.",
    edits: [
      {
        file: "src/http/routes/claims.ts",
        find: "coupon.claim(request, wish)",
        replace: "coupon.claim(Object.assign({ sentAt: Date.now() }, request), wish)",
      },
      {
        file: "src/object/coupon-object.ts",
        find: "const results = this.#engine.claimMany(requests, now);",
        replace: `const sent = requests.map((request) => ("sentAt" in request ? Number(request.sentAt) : now));
    const results = this.#engine.claimMany(requests, sent[0] ?? now);`,
      },
    ],
    suite: inWorkerd("sale/judged-on-arrival"),
  },
  {
    name: "clock-goes-back",
    fault: "A clock that steps back takes the coupon's time with it.",
    edits: [{ file: DRAFT, find: "Math.max(now, before.clockAt)", replace: "now" }],
    suite: inNode("engine/window"),
  },
  {
    name: "end-of-the-sale-not-written-down",
    fault: "That the sale was told to be over is forgotten with the object.",
    edits: [{ file: DRAFT, find: " || isTurningPoint", replace: " || (isTurningPoint && isFlush)" }],
    suite: inNode("engine/window"),
  },
  {
    name: "hold-runs-at-its-end",
    fault: "A hold still runs at the very instant of expires_at.",
    edits: [
      { file: "src/engine/statements.ts", find: "WHERE expires_at <= ?", replace: "WHERE expires_at < ?" },
      { file: DRAFT, find: "this.#coupon.nextExpiryAt <= this.at", replace: "this.#coupon.nextExpiryAt < this.at" },
      { file: CLAIM, find: "now < own.hold.expiresAt", replace: "now <= own.hold.expiresAt" },
    ],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "hold-made-longer-by-asking",
    fault: "Asking again for a hold makes it last longer.",
    edits: [
      {
        file: ENGINE,
        find: `if (verdict.is === "held_already") {`,
        replace: `if (verdict.is === "held_already") {
        draft.giveBack(verdict.hold);
        draft.keep({ ...verdict.hold, expiresAt: draft.at + ttlMs });`,
      },
    ],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "held-units-on-sale",
    fault: "A unit that is held for somebody counts as left.",
    edits: [{ file: COUPON, find: "coupon.amount - coupon.claimed - coupon.held", replace: "coupon.amount - coupon.claimed" }],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "position-used-again",
    fault: "After a release, the next claim gets a position that was somebody's already.",
    edits: [{ file: CLAIM, find: "coupon.lastPosition + 1", replace: "coupon.claimed + 1" }],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "release-returns-stock-twice",
    fault: "Releasing a claim once more returns its unit once more.",
    edits: [
      {
        file: "src/domain/release.ts",
        find: `{ is: "released_already", release: last }`,
        replace: `{ is: "released", claim: last.claim }`,
      },
      { file: "src/engine/statements.ts", find: "INSERT INTO releases", replace: "INSERT OR REPLACE INTO releases" },
    ],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "amount-below-what-is-held",
    fault: "The amount can be lowered below the units that are claimed and held.",
    edits: [{ file: "src/domain/change.ts", find: "before.claimed + before.held", replace: "before.claimed" }],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "if-match-ignored",
    fault: "A change is made whatever If-Match says.",
    edits: [{ file: ENGINE, find: "if (ifMatch !== null && ", replace: "if (ifMatch === null && ifMatch !== null && " }],
    suite: inWorkerd("sale/change", "If-Match"),
  },
];
