// The tables of the two peers on PostgreSQL, and what both do in the same way.

import { Pool } from "pg";

/** Room in the coupon's page lets an update stay in it, so that no index is written. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS coupons (
    name text PRIMARY KEY,
    amount integer NOT NULL,
    remaining integer NOT NULL CHECK (remaining >= 0)
  ) WITH (fillfactor = 10);
  CREATE TABLE IF NOT EXISTS claims (
    coupon_name text NOT NULL,
    user_id text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (coupon_name, user_id)
  );`;

/**
 * A pool of connections, over the Unix socket in the folder that is named first on the command line, to a database with the
 * tables. The second operand says how many connections.
 */
export async function poolOf(settings = {}) {
  const [host, max] = process.argv.slice(2);
  const pool = new Pool({ host, user: "bench", database: "postgres", max: Number(max), ...settings });
  await pool.query(TABLES);
  return pool;
}

/** The parts of a store that are the same in both. */
export function storeOver(pool, claim) {
  return {
    claim,
    create: (name, amount) => pool.query("INSERT INTO coupons VALUES ($1, $2, $2)", [name, amount]),
    count: async (name) => (await pool.query("SELECT count(*)::int AS claims FROM claims WHERE coupon_name = $1", [name])).rows[0].claims,
  };
}
