// The Durable Object that adds up the requests of all isolates.

import { DurableObject } from "cloudflare:workers";

import { METER_MEMORY_MS, METER_VIEWERS_MS } from "../domain/service-limits.ts";
import { addCounts, type RequestCounts, type RequestReport, type ServiceCounts } from "../domain/request-counts.ts";
import type { MeterCalls } from "../domain/rpc.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS isolates (isolate TEXT PRIMARY KEY, seq INTEGER NOT NULL, viewers INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY CHECK (id = 1), counts TEXT NOT NULL) STRICT;`;

/** There is one. Its counts survive restarts and never fall. */
export class MeterObject extends DurableObject implements MeterCalls {
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#sql.exec(SCHEMA);
  }

  /** Adds the counts of a report, unless it has been added before. Writes 2 rows. */
  async add({ isolate, seq, counts, viewers }: RequestReport): Promise<true> {
    const now = Date.now();
    this.ctx.storage.transactionSync(() => {
      const [known] = this.#sql.exec<{ seq: number }>(`SELECT seq FROM isolates WHERE isolate = ?`, isolate).toArray();
      if (known === undefined || seq > known.seq) this.#addCounts(counts);
      this.#sql.exec(
        `INSERT INTO isolates (isolate, seq, viewers, at) VALUES (?, ?, ?, ?)
         ON CONFLICT (isolate) DO UPDATE SET seq = max(seq, excluded.seq), viewers = excluded.viewers, at = excluded.at`,
        isolate,
        seq,
        viewers,
        now,
      );
      this.#sql.exec(`DELETE FROM isolates WHERE at < ?`, now - METER_MEMORY_MS);
    });
    return true;
  }

  #addCounts(counts: RequestCounts): void {
    const totals = this.#totals();
    addCounts(totals, counts);
    this.#sql.exec(
      `INSERT INTO totals (id, counts) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET counts = excluded.counts`,
      JSON.stringify(totals),
    );
  }

  #totals(): RequestCounts {
    const [row] = this.#sql.exec<{ counts: string }>(`SELECT counts FROM totals`).toArray();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the object wrote it
    return row === undefined ? {} : (JSON.parse(row.counts) as RequestCounts);
  }

  async read(): Promise<ServiceCounts> {
    const since = Date.now() - METER_VIEWERS_MS;
    const { viewers } = this.#sql.exec<{ viewers: number }>(`SELECT total(viewers) AS viewers FROM isolates WHERE at > ?`, since).one();
    return { counts: this.#totals(), viewers };
  }
}
