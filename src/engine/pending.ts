// The rows of one table by user, with the unwritten changes of a batch.

type Row = { readonly userId: string };
type Entry<R> = { readonly stored: R | null; row: R | null };

/** Reads each row once, and keeps its changes until they are written. */
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

  /** Adds the stored `rows` of all `userIds`. A user without a row here has none in storage. */
  readAhead(userIds: readonly string[], rows: readonly R[]): void {
    const found = new Map(rows.map((row) => [row.userId, row]));
    for (const userId of userIds) {
      const stored = found.get(userId) ?? null;
      if (!this.#entries.has(userId)) this.#entries.set(userId, { stored, row: stored });
    }
  }

  /** Returns the `stored` rows that the batch has not changed, and all rows that it has added. */
  merged(stored: readonly R[]): R[] {
    const isUnchanged = ({ userId }: R): boolean => {
      const entry = this.#entries.get(userId);
      return entry === undefined || entry.row === entry.stored;
    };
    return [...stored.filter(isUnchanged), ...this.changes().added];
  }

  /** Returns the changes of the batch. Delete the removed rows first, then insert the added ones. */
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
