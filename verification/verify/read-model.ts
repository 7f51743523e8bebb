// The read model (D1) in a copy of its file. The file may be damaged, so no value is trusted.

import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { servedDatabase, wranglerDatabase } from "../../scripts/server/migrations.ts";
import { copyWhole, removeCopy } from "./copy.ts";
import { settingColumns, type Settings } from "./settings.ts";
import { readable, rows, type CouponRow, type EventRow } from "./tables.ts";

type ModelCoupon = Settings &
  Pick<CouponRow, "name" | "claimed" | "held" | "lastPosition" | "seq" | "createdAt" | "archivedAt"> & {
    readonly deletedAt: number | null;
  };
export type ModelClaim = {
  readonly position: number;
  readonly userId: string;
  readonly claimedAt: number;
  readonly revokedAt: number | null;
};

/** The rows of one incarnation of a coupon. */
export type ModelRows = {
  readonly coupon: ModelCoupon | null;
  readonly claims: readonly ModelClaim[];
  readonly events: readonly EventRow[];
};

// `NOT INDEXED` reads the rows of the table, whatever an index says there are.
const COUPON = `
  SELECT name, claimed, held, last_position AS lastPosition, seq, created_at AS createdAt, archived_at AS archivedAt,
         deleted_at AS deletedAt, ${settingColumns(Infinity)}
  FROM coupons WHERE epoch = ?`;
const CLAIMS = `
  SELECT position, user_id AS userId, claimed_at AS claimedAt, revoked_at AS revokedAt
  FROM claims NOT INDEXED WHERE epoch = ? ORDER BY position`;
const EVENTS = `
  SELECT seq, at, kind, user_id AS userId, position, data, actor FROM events NOT INDEXED WHERE epoch = ? ORDER BY seq`;
const EPOCHS = `SELECT epoch FROM coupons UNION SELECT epoch FROM claims UNION SELECT epoch FROM events ORDER BY epoch`;

export class ReadModel {
  readonly #database: DatabaseSync;
  readonly #copy: string;
  readonly #epochs = new Set<string>();

  private constructor(copy: string) {
    this.#copy = copy;
    this.#database = new DatabaseSync(copy, { readOnly: true });
  }

  /** Copies the read model of the server whose objects are in `folder`. Null where it has none. */
  static async open(folder: string, copy: string): Promise<ReadModel | null> {
    for (const file of [servedDatabase(dirname(folder)), wranglerDatabase(join(folder, "../../.."))]) {
      if (await copyWhole(file, copy)) return new ReadModel(copy);
    }
    return null;
  }

  /** The rows of an incarnation. Throws {@link Unreadable}. */
  rowsOf(epoch: string): ModelRows {
    this.#epochs.add(epoch);
    const [coupon = null] = rows(this.#database, COUPON, epoch) as ModelCoupon[];
    const claims = rows(this.#database, CLAIMS, epoch) as ModelClaim[];
    return { coupon, claims, events: rows(this.#database, EVENTS, epoch) as EventRow[] };
  }

  /** The incarnations that nothing has asked for. None where they can't be read: then other checks fail. */
  others(): string[] {
    const all = readable(() => rows(this.#database, EPOCHS), []).map(({ epoch }) => String(epoch));
    return all.filter((epoch) => !this.#epochs.has(epoch));
  }

  async close(): Promise<void> {
    this.#database.close();
    await removeCopy(this.#copy);
  }
}
