// Rows of one table by user, with the changes of a batch that are not written yet.

type Row = { readonly userId: string };
type Entry<R> = { readonly stored: R | null; row: R | null };

/** Reads each row once, and keeps what becomes of it until it is written. */
export class Pending<R extends Row> {
  readonly #read: (userId: string) => R | null;
  readonly #entries = new Map<string, Entry<R>>();

  constructor(read: (userId: string) => R | null) {
    this.#read = read;
  }

  get(userId: string): R | null {
    return this.#entryOf(userId).row;
  }

  set(userId: string, row: R | null): void {
    this.#entryOf(userId).row = row;
  }

  /** Takes the rows of many users at once, as storage has them; a user without one has none. */
  readAhead(userIds: readonly string[], rows: readonly R[]): void {
    const found = new Map(rows.map((row) => [row.userId, row]));
    for (const userId of userIds) {
      const stored = found.get(userId) ?? null;
      if (!this.#entries.has(userId)) this.#entries.set(userId, { stored, row: stored });
    }
  }

  /** `stored` rows as the batch has left them, and the rows that it has added. */
  merged(stored: readonly R[]): R[] {
    const isUnchanged = ({ userId }: R): boolean => {
      const entry = this.#entries.get(userId);
      return entry === undefined || entry.row === entry.stored;
    };
    return [...stored.filter(isUnchanged), ...this.changes().added];
  }

  /** What the batch has made of the table: the rows to delete first, then those to insert. */
  changes(): { readonly removed: readonly string[]; readonly added: readonly R[] } {
    const removed: string[] = [];
    const added: R[] = [];
    for (const [userId, { stored, row }] of this.#entries) {
      if (row === stored) continue;
      if (stored !== null) removed.push(userId);
      if (row !== null) added.push(row);
    }
    return { removed, added };
  }

  #entryOf(userId: string): Entry<R> {
    const known = this.#entries.get(userId);
    if (known !== undefined) return known;
    const stored = this.#read(userId);
    const entry = { stored, row: stored };
    this.#entries.set(userId, entry);
    return entry;
  }
}
