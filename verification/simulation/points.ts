// Fault points: where storage or the whole instance can fail, what is armed to fail next, and what was reached so far.

import { SCHEMA } from "../../src/engine/schema.ts";
import { ClaimStore } from "../../src/engine/claim-store.ts";
import { CouponStore } from "../../src/engine/coupon-store.ts";
import { HoldStore } from "../../src/engine/hold-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import type { BreakStep } from "./plan.ts";

/** What the object is doing. `claim` is a batch of them. */
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
  "release",
  "page",
  "metrics",
  "certify",
  "remove",
  "alarm",
] as const;
export type Command = (typeof COMMANDS)[number];

/** Points that are no statement. Behind the commit and before the answer nothing can throw, but everything can end. */
export const POINTS = ["before BEGIN", "before COMMIT", "after COMMIT", "before the answer"] as const;
export type Point = (typeof POINTS)[number];
const BEFORE_BEGIN = 0;
const BEFORE_COMMIT = 1;
const WIDTH = 64;

/** The throw of a statement that storage refuses. */
export const INJECTED = new Error("storage failed, as planned");

const NAMES = new Map<string, string>();
for (const store of [CouponStore, ClaimStore, HoldStore, LedgerStore])
  for (const [name, text] of Object.entries(store as object)) if (typeof text === "string") NAMES.set(text, name);
for (const [index, text] of SCHEMA.entries()) NAMES.set(text, `SCHEMA[${index}]`);

/** How often each fault point was passed, and how often something failed there. */
export class Coverage {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [...POINTS];
  readonly passed = new Float64Array(COMMANDS.length * WIDTH);
  readonly thrown = new Float64Array(COMMANDS.length * WIDTH);
  readonly crashed = new Float64Array(COMMANDS.length * WIDTH);

  /** Answers how to forget all that is counted from now on. */
  mark(): () => void {
    const kept = [this.passed, this.thrown, this.crashed].map((counts) => [counts, counts.slice()] as const);
    return () => {
      for (const [counts, before] of kept) counts.set(before);
    };
  }

  /** The number of a statement's point. */
  pointOf(statement: string): number {
    const known = this.#numbers.get(statement);
    if (known !== undefined) return known;
    const name = NAMES.get(statement) ?? statement.trim().split(/\s+/).slice(0, 3).join(" ");
    const number = this.#names.push(name) - 1;
    if (number >= WIDTH) throw new Error(`more than ${WIDTH} fault points`);
    this.#numbers.set(statement, number);
    return number;
  }

  nameOf(point: number): string {
    return this.#names[point] ?? "";
  }

  /** Every point that was passed, with its counts. */
  rows(): CoverageRow[] {
    const rows: CoverageRow[] = [];
    for (const [command, name] of COMMANDS.entries()) {
      for (const [point, pointName] of this.#names.entries()) {
        const index = command * WIDTH + point;
        const passed = this.passed[index] ?? 0;
        if (passed === 0) continue;
        const row = { command: name, point: pointName, passed, thrown: this.thrown[index] ?? 0, crashed: this.crashed[index] ?? 0 };
        rows.push({ ...row, canThrow: canThrow(point) });
      }
    }
    return rows;
  }
}

export type CoverageRow = {
  readonly command: Command;
  readonly point: string;
  readonly passed: number;
  readonly thrown: number;
  readonly crashed: number;
  readonly canThrow: boolean;
};

/** What is armed in one history. */
export class Points {
  readonly #coverage: Coverage;
  readonly #log: ((line: string) => void) | null;
  #armed: { left: number; readonly step: BreakStep }[] = [];
  #command = 0;
  /** Faults that struck, by kind. */
  thrownCount = 0;
  crashedCount = 0;

  constructor(coverage: Coverage, log: ((line: string) => void) | null) {
    this.#coverage = coverage;
    this.#log = log;
  }

  get command(): Command {
    return COMMANDS[this.#command] ?? "claim";
  }

  set command(command: Command) {
    this.#command = COMMANDS.indexOf(command);
  }

  arm(step: BreakStep): void {
    this.#armed.push({ left: step.skip, step });
  }

  disarm(): void {
    this.#armed = [];
  }

  beforeBegin(): BreakStep | null {
    return this.pass(BEFORE_BEGIN);
  }

  beforeCommit(): BreakStep | null {
    return this.pass(BEFORE_COMMIT);
  }

  afterCommit(): BreakStep | null {
    return this.pass(2);
  }

  beforeAnswer(command: Command): BreakStep | null {
    this.command = command;
    return this.pass(3);
  }

  /** Passes a point, and answers what fails there, if anything does. */
  pass(point: number): BreakStep | null {
    const index = this.#command * WIDTH + point;
    const { passed } = this.#coverage;
    passed[index] = (passed[index] ?? 0) + 1;
    return this.#armed.length === 0 ? null : this.#strike(point, index);
  }

  #strike(point: number, index: number): BreakStep | null {
    for (const armed of this.#armed) {
      if (armed.left > 0) {
        armed.left -= 1;
        continue;
      }
      const { step } = armed;
      if (step.how === "throw" && !canThrow(point)) continue;
      this.#armed = this.#armed.filter((other) => other !== armed);
      const counts = step.how === "throw" ? this.#coverage.thrown : this.#coverage.crashed;
      counts[index] = (counts[index] ?? 0) + 1;
      if (step.how === "throw") this.thrownCount += 1;
      else this.crashedCount += 1;
      this.#log?.(`${step.how === "throw" ? "storage throws" : "the instance ends"} in ${this.command}, at ${this.nameOf(point)}`);
      return step;
    }
    return null;
  }

  /** A point in words. */
  nameOf(point: number): string {
    return this.#coverage.nameOf(point);
  }
}

function canThrow(point: number): boolean {
  return point !== 2 && point !== 3;
}
