// A coupon in version 1 of the tables. Schema and rows are literal, because the code that wrote them is gone.

import { T0 } from "./coupon.ts";

const SCHEMA = `
  CREATE TABLE coupon (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     schema_version INTEGER NOT NULL,
     name TEXT NOT NULL,
     amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 2147483647),
     claimed INTEGER NOT NULL,
     held INTEGER NOT NULL,
     starts_at INTEGER,
     ends_at INTEGER,
     paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
     last_position INTEGER NOT NULL CHECK (last_position >= claimed),
     seq INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     epoch TEXT NOT NULL,
     clock_at INTEGER NOT NULL,
     outcomes TEXT NOT NULL,
     CHECK (claimed >= 0 AND held >= 0 AND claimed + held <= amount)
   ) STRICT;
  CREATE TABLE claims (
     user_id TEXT PRIMARY KEY,
     position INTEGER NOT NULL,
     claimed_at INTEGER NOT NULL,
     remaining_after INTEGER NOT NULL CHECK (remaining_after >= 0),
     idempotency_key TEXT,
     attempt_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX claims_by_key ON claims (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE holds (
     user_id TEXT PRIMARY KEY,
     held_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL CHECK (expires_at > held_at),
     attempt_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
  CREATE INDEX holds_by_expiry ON holds (expires_at);
  CREATE TABLE releases (
     user_id TEXT NOT NULL,
     position INTEGER NOT NULL,
     claimed_at INTEGER NOT NULL,
     remaining_after INTEGER NOT NULL,
     idempotency_key TEXT,
     attempt_id TEXT NOT NULL,
     released_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, position)
   ) STRICT, WITHOUT ROWID;
  CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('created', 'changed', 'claimed', 'released', 'held', 'given_back', 'expired')),
     user_id TEXT,
     position INTEGER,
     data TEXT
   ) STRICT;
  CREATE TRIGGER ledger_keeps_what_happened BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER ledger_forgets_nothing BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;`;

const OUTCOMES = '{"claims":{"granted":2,"already_claimed":1},"batches":[3,0,0,0,0,0,0],"batched":3}';

/**
 * Puts a coupon of version 1 into an empty database: 6 units, one claimed by ann (with a key), one held by cid until a minute after
 * {@link T0}; bob's claim was revoked, and dan's hold was released.
 */
export function putVersion1(database: { readonly exec: (statements: string) => unknown }, name = "PROMO"): void {
  database.exec(SCHEMA);
  database.exec(`
    INSERT INTO coupon (id, schema_version, name, amount, claimed, held, starts_at, ends_at, paused, last_position, seq, created_at, epoch,
                        clock_at, outcomes)
    VALUES (1, 1, '${name}', 6, 1, 1, NULL, NULL, 0, 2, 8, ${T0}, 'epoch-1', ${T0}, '${OUTCOMES}');
    INSERT INTO claims VALUES ('ann', 1, ${T0}, 4, 'order-1', 'claim-ann');
    INSERT INTO releases VALUES ('bob', 2, ${T0}, 3, NULL, 'claim-bob', ${T0});
    INSERT INTO holds VALUES ('cid', ${T0}, ${T0 + 60_000}, 'hold-cid');
    INSERT INTO ledger VALUES
      (1, ${T0}, 'created', NULL, NULL, '{"amount":5,"starts_at":null,"ends_at":null}'),
      (2, ${T0}, 'claimed', 'ann', 1, NULL),
      (3, ${T0}, 'claimed', 'bob', 2, NULL),
      (4, ${T0}, 'released', 'bob', 2, NULL),
      (5, ${T0}, 'held', 'cid', NULL, '{"expires_at":${T0 + 60_000}}'),
      (6, ${T0}, 'held', 'dan', NULL, '{"expires_at":${T0 + 60_000}}'),
      (7, ${T0}, 'given_back', 'dan', NULL, NULL),
      (8, ${T0}, 'changed', NULL, NULL, '{"amount":6,"starts_at":null,"ends_at":null,"paused":0}');`);
}
