// The storage of one object, through all incarnations of its coupon: rows, and the alarm. A write is visible
// at once, and on disk a little later.

import { DepartedStore } from "../../src/engine/departed-store.ts";
import { COUPON_SCHEMA } from "../../src/engine/schema.ts";
import type { PlatformBugs } from "./context.ts";
import { Database, type Row, type Value } from "./database.ts";
import { Departures } from "./departures.ts";
import type { BreakStep } from "./plan.ts";
import { INJECTED, pointOf, type Points } from "./points.ts";

/** The instance behind a call of storage. */
export type Gatekeeper = {
  /** An instance that has ended reaches no storage. */
  readonly isDead: boolean;
  /** Ends the instance, as the plan says. */
  readonly crash: (step: BreakStep) => void;
};

/** The error for an instance that has ended. */
export const ENDED = new Error("this instance has ended");

/** Databases for reuse. */
export class Databases {
  readonly #idle: Database[] = [];
  readonly #bare: Database[] = [];

  take(isLossy: boolean, isBare: boolean): Database {
    const database = (isBare ? this.#bare : this.#idle).pop() ?? new Database(isBare);
    database.begin(isLossy);
    return database;
  }

  putBack(database: Database): void {
    database.reset();
    (database.isBare ? this.#bare : this.#idle).push(database);
  }

  close(): void {
    for (const database of [...this.#idle.splice(0), ...this.#bare.splice(0)]) database.close();
  }
}

export type StorageOptions = {
  readonly databases: Databases;
  readonly points: Points;
  /** Whether unflushed writes can be lost. */
  readonly isLossy: boolean;
  /** Whether a backup is restored. */
  readonly isRestored: boolean;
  readonly platformBugs: PlatformBugs;
};

/** When a deletion arrived, and when it was carried out. */
export type Removal = { readonly from: number; readonly until: number };

/** The message that begins or ends an incarnation. */
export type Turn = "create" | "remove";

export class Storage {
  /** Called before an incarnation begins or ends. */
  turning: (turn: Turn) => void = () => undefined;
  /** One for each incarnation. The last one is for the current or the next incarnation. */
  readonly incarnations: Database[];
  /** By incarnation, except for the last: its removal. */
  readonly ends: Removal[] = [];
  readonly #departures = new Departures();
  /** The instant of the last deletion that kept its ledger. */
  #departsAt = 0;
  alarmAt: number | null = null;
  /** A crash came between a commit and its alarm: no alarm runs for that commit. */
  isAlarmOwed = false;
  /** The count of writes, and how many of them are on disk. */
  written = 0;
  onDisk = 0;
  #isInTransaction = false;
  /** By incarnation: the count of writes at its start. */
  readonly #incarnationsSince: number[] = [0];
  /** Each setting of the alarm with the count of writes; the first one is on disk. */
  #alarms: { readonly version: number; readonly at: number | null }[] = [{ version: 0, at: null }];
  readonly #options: StorageOptions;

  constructor(options: StorageOptions) {
    this.#options = options;
    this.incarnations = [options.databases.take(options.isLossy, options.isRestored)];
  }

  /** The current incarnation; without a coupon, the last one; 0 before the first. */
  get incarnation(): number {
    return this.#current.isDefined ? this.incarnations.length : this.incarnations.length - 1;
  }

  /** Held units, as the coupon's row counts them. */
  get heldCount(): number {
    return this.#current.isDefined ? Number(this.#current.rows("SELECT held FROM coupon")[0]?.["held"] ?? 0) : 0;
  }

  get #current(): Database {
    const current = this.incarnations.at(-1);
    if (current === undefined) throw new Error("an object has storage");
    return current;
  }

  run(gate: Gatekeeper, text: string, bindings: readonly Value[]): Row[] {
    if (gate.isDead) throw ENDED;
    const database = this.#current;
    const departed = isOfRestore(text, database) ? null : this.#departures.run(text, bindings);
    if (departed !== null) {
      this.#pass(gate, this.#options.points.pass(pointOf(text)));
      return departed;
    }
    if (text === DepartedStore.INSERT) this.#departsAt = Number(bindings[1]);
    const statement = database.statement(text);
    const isWrite = statement.is === "write" || statement.is === "definition";
    if (text === COUPON_SCHEMA[0]) this.turning("create");
    if (isWrite && this.#isInTransaction) database.open();
    const rows = database.run(statement, bindings);
    if (isWrite && !this.#isInTransaction) this.written += 1;
    this.#pass(gate, this.#options.points.pass(statement.point));
    return rows;
  }

  transaction<Result>(gate: Gatekeeper, work: () => Result): Result {
    if (gate.isDead) throw ENDED;
    const { points } = this.#options;
    const database = this.#current;
    this.#pass(gate, points.pass("before BEGIN"));
    let result: Result;
    this.#isInTransaction = true;
    try {
      result = work();
      if (gate.isDead) throw ENDED;
      this.#pass(gate, points.pass("before COMMIT"));
    } catch (cause) {
      if (this.#options.platformBugs.keepsFailedTransactions === true && database.commit(this.written + 1)) this.written += 1;
      database.rollback();
      this.#departures.rollback();
      throw cause;
    } finally {
      this.#isInTransaction = false;
    }
    if (database.commit(this.written + 1) || this.#departures.isChanged) this.written += 1;
    if (this.#departures.commit(this.written, database)) this.#end({ from: this.#departsAt, until: this.#departsAt });
    const step = points.pass("after COMMIT");
    if (step !== null && !step.isLossy) this.isAlarmOwed = true;
    this.#pass(gate, step);
    return result;
  }

  /** The pseudonyms that users of deleted incarnations have got. */
  get pseudonyms(): ReadonlyMap<string, string> {
    return this.#departures.pseudonyms;
  }

  /** Whether the current alarm is on disk: only then does the platform know it. */
  get isAlarmOnDisk(): boolean {
    return this.alarmAt === this.#alarmOnDisk;
  }

  setAlarm(at: number | null): void {
    this.alarmAt = at;
    this.written += 1;
    this.#alarms.push({ version: this.written, at });
  }

  /** The alarm runs: it is set no more. */
  takeAlarm(): void {
    this.alarmAt = null;
    this.#alarms.push({ version: this.written, at: null });
  }

  /** The platform runs the alarm again, whatever is lost until then. */
  repeatAlarm(at: number): void {
    this.alarmAt ??= at;
    if (this.#alarmOnDisk === null) this.#alarms = [{ version: this.onDisk, at }, ...this.#alarms.slice(1)];
  }

  get #alarmOnDisk(): number | null {
    return this.#alarms[0]?.at ?? null;
  }

  /** Whether a restore is not finished. */
  get isRestoring(): boolean {
    return this.#current.isRestoring;
  }

  /** Whether nothing is stored: no coupon, no restore, and no ledger of a deleted coupon. */
  get isEmpty(): boolean {
    return !this.#current.isDefined && !this.isRestoring && this.#departures.isEmpty;
  }

  /** Removes all tables. */
  deleteAll(end: Removal): void {
    this.written += 1;
    this.#departures.clear(this.written);
    if (this.#current.isDefined) this.#end(end);
  }

  #end(end: Removal): void {
    this.turning("remove");
    const { databases, isLossy, isRestored } = this.#options;
    this.ends.push(end);
    this.incarnations.push(databases.take(isLossy, isRestored));
    this.#incarnationsSince.push(this.written);
  }

  /** The first `version` writes are on disk. */
  keep(version: number): void {
    this.onDisk = version;
    const last = this.#alarms.findLastIndex((alarm) => alarm.version <= version);
    this.#alarms = this.#alarms.slice(Math.max(0, last));
    if (version === this.written) this.#current.keep();
  }

  /** All unflushed writes are lost. */
  lose(): void {
    const { databases } = this.#options;
    const count = this.#incarnationsSince.filter((since) => since <= this.onDisk).length;
    for (const lost of this.incarnations.splice(count)) databases.putBack(lost);
    this.#incarnationsSince.length = count;
    this.ends.length = count - 1;
    this.#alarms.length = 1;
    this.alarmAt = this.#alarmOnDisk;
    this.#departures.lose(this.onDisk, this.incarnations);
    this.#current.lose(this.onDisk);
    this.onDisk = this.written;
  }

  close(): void {
    for (const database of this.incarnations.splice(0)) this.#options.databases.putBack(database);
  }

  #pass(gate: Gatekeeper, step: BreakStep | null): void {
    if (step === null) return;
    if (step.how === "throw") throw INJECTED;
    gate.crash(step);
    throw ENDED;
  }
}

/** Whether a statement discards tables of a restore. A deleted coupon's tables stay: the next has a new database. */
function isOfRestore(text: string, database: Database): boolean {
  return text.startsWith("DROP TABLE ") && (text === "DROP TABLE restoring" || !database.isDefined) && !text.includes('"');
}
