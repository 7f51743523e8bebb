// Faults in the tables and in the ledger: what storage itself has to refuse, and what it has to remember.

import { inNode, type Mutant } from "../mutant.ts";

const STATEMENTS = "src/engine/statements.ts";
const CERTIFIER = "src/engine/certifier.ts";

export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "no-uniqueness-of-users",
    fault: "The table of claims takes two of one user.",
    edits: [
      {
        file: STATEMENTS,
        find: "user_id TEXT PRIMARY KEY,\n     position INTEGER NOT NULL,",
        replace: "user_id TEXT NOT NULL,\n     position INTEGER PRIMARY KEY,",
      },
    ],
    suite: inNode("engine/schema"),
  },
  {
    name: "no-uniqueness-of-keys",
    fault: "The table of claims takes two with one idempotency key.",
    edits: [{ file: STATEMENTS, find: "CREATE UNIQUE INDEX claims_by_key", replace: "CREATE INDEX claims_by_key" }],
    suite: inNode("engine/schema"),
  },
  {
    name: "no-check-against-an-oversell",
    fault: "The coupon's row takes more units given than there are.",
    edits: [{ file: STATEMENTS, find: " AND claimed + held <= amount)", replace: ")" }],
    suite: inNode("engine/schema"),
  },
  {
    name: "stored-counters-not-compared",
    fault: "What a grant leaves in storage is not compared with what the object believes.",
    edits: [{ file: "src/engine/coupon-store.ts", find: "assert(stored.claimed === after.claimed,", replace: "assert(true," }],
    suite: inNode("engine/assertions"),
  },
  {
    name: "stored-clock-goes-back",
    fault: "A write by an object whose memory is behind sets the stored clock back.",
    edits: [{ file: STATEMENTS, find: "clock_at = max(clock_at, ?5)", replace: "clock_at = ?5" }],
    suite: inNode("engine/window"),
  },
  {
    name: "ledger-with-gaps",
    fault: "The end of a hold advances the ledger's head by two.",
    edits: [
      {
        file: "src/engine/draft.ts",
        find: "this.#coupon.seq += 1;",
        replace: `this.#coupon.seq += kind === "expired" ? 2 : 1;`,
      },
    ],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "release-not-in-the-ledger",
    fault: "A release advances the ledger's head, but the ledger does not tell of it.",
    edits: [
      {
        file: "src/engine/draft.ts",
        find: "this.#store.append(this.#events);",
        replace: `this.#store.append(this.#events.filter(([, , kind]) => kind !== "released"));`,
      },
    ],
    suite: inNode("engine/holds-property"),
  },
  {
    name: "certificate-of-an-earlier-life",
    fault: "Who may be told something else than sold out is gathered on from the coupon of the same name that was deleted.",
    edits: [
      {
        file: CERTIFIER,
        find: "if (coupon.epoch !== this.#epoch) this.#begin",
        replace: `if (this.#epoch === "") this.#begin`,
      },
    ],
    suite: inNode("engine/certificates"),
  },
  {
    name: "certificate-of-half-a-ledger",
    fault: "A certificate is given before all of the ledger was read, without the winners in the rest of it.",
    edits: [
      {
        file: CERTIFIER,
        find: "return this.#seq === coupon.seq ? this.#members.membership() : null;",
        replace: "return this.#members.membership();",
      },
    ],
    suite: inNode("engine/certificates"),
  },
];
