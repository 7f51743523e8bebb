// A peer: one transaction locks, reads and changes the coupon's row.

import { poolOf, storeOver } from "./postgres.js";
import { serve } from "./server.js";

// What does not wait for an answer leaves together: the transaction takes two round trips, not five.
const pool = await poolOf({ pipeline: true });

const LOCK = { name: "lock", text: "SELECT remaining FROM coupons WHERE name = $1 FOR UPDATE" };
const INSERT = { name: "insert", text: "INSERT INTO claims (coupon_name, user_id) VALUES ($1, $2) RETURNING claimed_at" };
const TAKE = { name: "take", text: "UPDATE coupons SET remaining = remaining - 1 WHERE name = $1" };
const UNIQUE_VIOLATION = "23505";

async function claim(name, userId) {
  const client = await pool.connect();
  try {
    const [, { rows }] = await Promise.all([client.query("BEGIN"), client.query({ ...LOCK, values: [name] })]);
    const remaining = rows[0]?.remaining ?? null;
    if (remaining === null || remaining === 0) {
      await client.query("ROLLBACK");
      return { outcome: remaining === null ? "coupon_not_found" : await refusalOf(client, name, userId) };
    }
    // Where the insert fails, so does what follows, and the commit rolls back.
    const [inserted, taken, committed] = await Promise.allSettled([
      client.query({ ...INSERT, values: [name, userId] }),
      client.query({ ...TAKE, values: [name] }),
      client.query("COMMIT"),
    ]);
    if (inserted.reason?.code === UNIQUE_VIOLATION) return { outcome: "already_claimed" };
    for (const { reason } of [inserted, taken, committed]) if (reason !== undefined) throw reason;
    return { outcome: "granted", claimedAt: inserted.value.rows[0].claimed_at, remaining: remaining - 1 };
  } finally {
    client.release();
  }
}

async function refusalOf(client, name, userId) {
  const { rows } = await client.query("SELECT FROM claims WHERE coupon_name = $1 AND user_id = $2", [name, userId]);
  return rows.length > 0 ? "already_claimed" : "out_of_stock";
}

await serve(storeOver(pool, claim));
