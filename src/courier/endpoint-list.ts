// The webhook endpoints as a courier knows them.

import { withDeadline } from "../deadline.ts";
import { ENDPOINTS_MS_MAX } from "../domain/delivery-limits.ts";
import { disableEndpoint, receiversOf, type Receiver } from "../read-model/webhooks.ts";

const KEY = "endpoints";

/** The endpoints that receive one coupon's events. While the database can't be read, the list that was read last. */
export class EndpointList {
  readonly #kv: SyncKvStorage;
  readonly #db: D1Database | undefined;
  #endpoints: readonly Receiver[] | null = null;
  /** Reads are numbered, because a slow one can end after a later one. */
  #begunCount = 0;
  #shown = 0;

  constructor(kv: SyncKvStorage, db: D1Database | undefined) {
    this.#kv = kv;
    this.#db = db;
  }

  /** Reads the list. `isFresh` is false if the database can't be read. Writes 1 row if the list has changed. */
  async read(coupon: string): Promise<{ readonly endpoints: readonly Receiver[]; readonly isFresh: boolean }> {
    const number = (this.#begunCount += 1);
    if (this.#db === undefined) return { endpoints: [], isFresh: false };
    try {
      // A database that hangs must not delay deliveries to endpoints that are known.
      const endpoints = await withDeadline(receiversOf(this.#db, coupon, Date.now()), ENDPOINTS_MS_MAX);
      if (number < this.#shown) return { endpoints: this.#known(), isFresh: true };
      if (JSON.stringify(endpoints) !== JSON.stringify(this.#known())) this.#kv.put(KEY, endpoints);
      this.#endpoints = endpoints;
      this.#shown = number;
      return { endpoints, isFresh: true };
    } catch {
      return { endpoints: this.#known(), isFresh: false };
    }
  }

  /** Returns an endpoint as it was read last. */
  get(id: string): Receiver | undefined {
    return this.#known().find((endpoint) => endpoint.id === id);
  }

  /** Disables an endpoint that answered 410. Returns false if the database can't be written. */
  async disable(id: string, now: number): Promise<boolean> {
    if (this.#db === undefined) return false;
    const written = disableEndpoint(this.#db, id, now).then(() => true);
    return withDeadline(written, ENDPOINTS_MS_MAX).catch(() => false);
  }

  #known(): readonly Receiver[] {
    return (this.#endpoints ??= this.#kv.get<readonly Receiver[]>(KEY) ?? []);
  }
}
