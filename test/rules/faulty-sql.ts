// An SQL port that fails at a chosen point: before or after any statement, BEGIN or COMMIT.

import type { Sql, SqlRow, SqlValue } from "../../src/engine/sql.ts";

export const INJECTED = new Error("injected");

export type FaultySql = Sql & {
  /** The points passed since the last call of `breakAt`. */
  readonly passed: readonly string[];
  /** Throws {@link INJECTED} at the point with this 0-based index from now on. Null: at none. */
  breakAt(index: number | null): void;
};

/** Puts points around everything that `sql` does. A fault between BEGIN and COMMIT rolls back, as any throw does. */
export function faultySql(sql: Sql): FaultySql {
  let passed: string[] = [];
  let breakIndex: number | null = null;

  function point(name: string): void {
    passed.push(name);
    if (passed.length - 1 === breakIndex) throw INJECTED;
  }

  return {
    get passed() {
      return passed;
    },
    breakAt(index) {
      passed = [];
      breakIndex = index;
    },
    all<Row extends SqlRow>(statement: string, ...bindings: readonly SqlValue[]): Row[] {
      const words = statement.trim().split(/\s+/).slice(0, 3).join(" ");
      point(`before ${words}`);
      const rows = sql.all<Row>(statement, ...bindings);
      point(`after ${words}`);
      return rows;
    },
    transaction<T>(work: () => T): T {
      point("before BEGIN");
      const result = sql.transaction(() => {
        point("after BEGIN");
        const inner = work();
        point("before COMMIT");
        return inner;
      });
      point("after COMMIT");
      return result;
    },
    deleteAll() {
      point("before deleteAll");
      sql.deleteAll();
      point("after deleteAll");
    },
  };
}

export type Point = {
  readonly name: string;
  readonly index: number;
  /** Whether the work is committed at this point. Before the commit, nothing of it is stored. */
  readonly isStored: boolean;
};

/** The points that `work` passes. It writes in one transaction. */
export function pointsOf(sql: FaultySql, work: () => unknown): Point[] {
  sql.breakAt(null);
  work();
  const names = sql.passed;
  return names.map((name, index) => ({ name, index, isStored: index >= names.indexOf("after COMMIT") }));
}
