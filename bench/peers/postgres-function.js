// A peer: the whole claim is one call of one function in the database.

import { poolOf, storeOver } from "./postgres.js";
import { serve } from "./server.js";

const pool = await poolOf();

// The claim's own row comes first, so that the coupon's row, for which all wait, is locked as late and as short as can be.
await pool.query(`
  CREATE OR REPLACE FUNCTION claim(wanted text, claimant text, OUT outcome text, OUT claimed_at timestamptz, OUT remaining integer) AS $$
  BEGIN
    INSERT INTO claims AS c (coupon_name, user_id) VALUES (wanted, claimant) ON CONFLICT DO NOTHING RETURNING c.claimed_at INTO claimed_at;
    IF NOT FOUND THEN
      outcome := 'already_claimed';
      RETURN;
    END IF;
    UPDATE coupons AS c SET remaining = c.remaining - 1 WHERE c.name = wanted AND c.remaining > 0 RETURNING c.remaining INTO remaining;
    IF FOUND THEN
      outcome := 'granted';
      RETURN;
    END IF;
    DELETE FROM claims WHERE coupon_name = wanted AND user_id = claimant;
    outcome := CASE WHEN EXISTS (SELECT FROM coupons AS c WHERE c.name = wanted) THEN 'out_of_stock' ELSE 'coupon_not_found' END;
  END
  $$ LANGUAGE plpgsql`);

const CLAIM = { name: "claim", text: "SELECT outcome, claimed_at, remaining FROM claim($1, $2)" };

async function claim(name, userId) {
  const { outcome, claimed_at: claimedAt, remaining } = (await pool.query({ ...CLAIM, values: [name, userId] })).rows[0];
  return { outcome, claimedAt, remaining };
}

await serve(storeOver(pool, claim));
