-- What the couriers deliver: every coupon, its claims and its events. An epoch is one incarnation of a coupon's name.

CREATE TABLE coupons (
  epoch TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  amount INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  held INTEGER NOT NULL,
  starts_at INTEGER,
  ends_at INTEGER,
  paused INTEGER NOT NULL,
  hold_seconds_max INTEGER NOT NULL,
  holds_max INTEGER,
  last_position INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  archived_at INTEGER,
  deleted_at INTEGER,
  -- The ledger's head, and the coupon's time, when this row was read.
  seq INTEGER NOT NULL,
  as_of INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX coupons_by_name ON coupons (name);

CREATE TABLE claims (
  epoch TEXT NOT NULL,
  position INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (epoch, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_user ON claims (user_id, claimed_at);

CREATE TABLE events (
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  user_id TEXT,
  position INTEGER,
  actor TEXT,
  -- The other fields of the event, as JSON.
  data TEXT,
  PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;

-- One row: when the newest event reached this database.
CREATE TABLE freshness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  as_of INTEGER NOT NULL
) STRICT;

-- The endpoints that receive webhooks.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  -- Of the request that created it. A retry makes no second one.
  idempotency_key TEXT UNIQUE,
  url TEXT NOT NULL,
  -- JSON lists. `coupons` is null for all coupons.
  events TEXT NOT NULL,
  coupons TEXT,
  secret TEXT NOT NULL,
  -- The secrets before, newest first, as a JSON list of {secret, until}. Each signs too until its end, so that receivers
  -- can change to the new secret.
  previous_secrets TEXT NOT NULL DEFAULT '[]',
  paused INTEGER NOT NULL DEFAULT 0,
  -- Set when the endpoint answered 410.
  disabled_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The sinks of coupons that fail now. A courier adds and removes them.
CREATE TABLE failing_sinks (
  coupon TEXT NOT NULL,
  sink TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (coupon, sink)
) STRICT, WITHOUT ROWID;
