// Fault points: where storage or the whole instance can fail, and the fault that is armed to strike next.

import { ClaimStore } from "../../src/engine/claim-store.ts";
import { CouponStore } from "../../src/engine/coupon-store.ts";
import { DepartedStore } from "../../src/engine/departed-store.ts";
import { ErasureStore } from "../../src/engine/erasure-store.ts";
import { HoldStore } from "../../src/engine/hold-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import { RestoreStore } from "../../src/engine/restore-store.ts";
import { SCHEMA } from "../../src/engine/schema.ts";
import type { Context } from "./context.ts";
import type { BreakStep } from "./plan.ts";

/** What the object is doing. `claim` is a batch of claims. */
export const COMMANDS = [
  "create",
  "read",
  "change",
  "claim",
  "claim_many",
  "hold",
  "give_back",
  "end_holds",
  "holds",
  "own",
  "erase",
  "release",
  "page",
  "metrics",
  "certify",
  "archive",
  "backup",
  "restore",
  "remove",
  "courier",
  "alarm",
] as const;
export type Command = (typeof COMMANDS)[number];

/** Points that are no statement. */
export type Point = "before BEGIN" | "before COMMIT" | "after COMMIT" | "before the answer";

/** Behind the commit nothing throws, but everything can end. */
const NEVER_THROWS: ReadonlySet<string> = new Set<Point>(["after COMMIT", "before the answer"]);

/** The throw of a statement that storage refuses. */
export const INJECTED = new Error("storage failed, as planned");

const STATEMENT_NAMES = new Map<string, string>();
for (const store of [CouponStore, ClaimStore, DepartedStore, ErasureStore, HoldStore, LedgerStore, RestoreStore])
  for (const [name, text] of Object.entries(store as object)) if (typeof text === "string") STATEMENT_NAMES.set(text, name);
for (const [index, text] of SCHEMA.entries()) STATEMENT_NAMES.set(text, `SCHEMA[${index}]`);

/** The name of a statement's point. */
export function pointOf(statement: string): string {
  const name = STATEMENT_NAMES.get(statement) ?? statement.trim().split(/\s+/).slice(0, 3).join(" ");
  return name.replace(/"ledger_.*"/, "ledger_{epoch}");
}

/** The fault points of one history. */
export class Points {
  command: Command = "create";
  /** How often storage threw. */
  thrownCount = 0;
  #armed: { left: number; readonly step: BreakStep }[] = [];
  readonly #count: Context["count"];
  readonly #log: Context["log"];

  constructor(count: Context["count"], log: Context["log"]) {
    this.#count = count;
    this.#log = log;
  }

  arm(step: BreakStep): void {
    this.#armed.push({ left: step.skip, step });
  }

  disarm(): void {
    this.#armed = [];
  }

  /** Passes a point. Returns the fault that strikes there, or null. */
  pass(point: string): BreakStep | null {
    this.#count(`passed.${this.command}, ${point}`);
    for (const armed of this.#armed) {
      const { how } = armed.step;
      if (armed.left > 0) armed.left -= 1;
      else if (how === "crash" || !NEVER_THROWS.has(point)) {
        this.#armed = this.#armed.filter((other) => other !== armed);
        this.#count(`${how}.${this.command}, ${point}`);
        this.#count(`faults.${how}`);
        if (how === "throw") this.thrownCount += 1;
        this.#log?.(`${how === "throw" ? "storage throws" : "the instance ends"} in ${this.command}, at ${point}`);
        return armed.step;
      }
    }
    return null;
  }
}
