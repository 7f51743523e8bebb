// The webhook endpoints as a courier knows them.

import { ENDPOINTS_MS_MAX } from "../domain/delivery-limits.ts";
import { listEndpoints, type Endpoint } from "../read-model/webhooks.ts";
import { within } from "./within.ts";

const KEY = "endpoints";

/** The list of the database. While the database can't be read, the list that was read last. */
export class EndpointList {
  readonly #kv: SyncKvStorage;
  readonly #db: D1Database | undefined;
  #endpoints: readonly Endpoint[] | null = null;

  constructor(kv: SyncKvStorage, db: D1Database | undefined) {
    this.#kv = kv;
    this.#db = db;
  }

  /** Reads the list. `isFresh` is false if the database can't be read. Writes 1 row if the list has changed. */
  async read(): Promise<{ readonly endpoints: readonly Endpoint[]; readonly isFresh: boolean }> {
    if (this.#db === undefined) return { endpoints: [], isFresh: false };
    try {
      // A database that hangs must not delay deliveries to endpoints that are known.
      const endpoints = await within(ENDPOINTS_MS_MAX, listEndpoints(this.#db, Date.now()));
      if (JSON.stringify(endpoints) !== JSON.stringify(this.#known())) this.#kv.put(KEY, endpoints);
      this.#endpoints = endpoints;
      return { endpoints, isFresh: true };
    } catch {
      return { endpoints: this.#known(), isFresh: false };
    }
  }

  /** Returns an endpoint as it was read last. */
  get(id: string): Endpoint | undefined {
    return this.#known().find((endpoint) => endpoint.id === id);
  }

  #known(): readonly Endpoint[] {
    return (this.#endpoints ??= this.#kv.get<readonly Endpoint[]>(KEY) ?? []);
  }
}
