// The rows of one table by user, with the unwritten changes of a batch.

type Row = { readonly userId: string };
const NO_ROWS: readonly never[] = [];
type Entry<R> = { readonly stored: readonly R[]; rows: readonly R[] };

/** Reads the rows of each user once, and keeps their changes until they are written. */
export class Pending<R extends Row> {
  readonly #read: (userId: string) => readonly R[];
  readonly #entries = new Map<string, Entry<R>>();

  constructor(read: (userId: string) => readonly R[]) {
    this.#read = read;
  }

  of(userId: string): readonly R[] {
    return this.#entryOf(userId).rows;
  }

  /** Replaces the rows of a user. A row that stays must be the one that {@link of} has returned. */
  set(userId: string, rows: readonly R[]): void {
    this.#entryOf(userId).rows = rows;
  }

  /** Moves the rows of a user to another id. `renamed` returns a row as it is from then on. */
  rename(userId: string, to: string, renamed: (row: R) => R): void {
    const rows = this.of(userId);
    if (rows.length === 0) return;
    this.set(to, [...this.of(to), ...rows.map(renamed)]);
    this.set(userId, []);
  }

  /** Adds the stored `rows` of all `userIds`. A user without a row here has none in storage. */
  readAhead(userIds: readonly string[], rows: readonly R[]): void {
    const found = Map.groupBy(rows, (row) => row.userId);
    for (const userId of userIds) {
      const stored = found.get(userId) ?? NO_ROWS;
      if (!this.#entries.has(userId)) this.#entries.set(userId, { stored, rows: stored });
    }
  }

  /** Returns the `stored` rows that the batch has not changed, and all rows that it has added. */
  merged(stored: readonly R[]): R[] {
    const isUnchanged = ({ userId }: R): boolean => {
      const entry = this.#entries.get(userId);
      return entry === undefined || entry.rows === entry.stored;
    };
    return [...stored.filter(isUnchanged), ...this.changes().added];
  }

  /** Returns the changes of the batch. Delete the removed rows first, then insert the added ones. */
  changes(): { readonly removed: readonly R[]; readonly added: readonly R[] } {
    const removed: R[] = [];
    const added: R[] = [];
    for (const { stored, rows } of this.#entries.values()) {
      if (rows === stored) continue;
      for (const row of stored) if (!rows.includes(row)) removed.push(row);
      for (const row of rows) if (!stored.includes(row)) added.push(row);
    }
    return { removed, added };
  }

  #entryOf(userId: string): Entry<R> {
    const known = this.#entries.get(userId);
    if (known !== undefined) return known;
    const stored = this.#read(userId);
    const entry = { stored, rows: stored };
    this.#entries.set(userId, entry);
    return entry;
  }
}
