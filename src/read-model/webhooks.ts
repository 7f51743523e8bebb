// The webhooks in D1: the endpoints that receive events.

import type { Instant } from "../domain/coupon.ts";
import { WEBHOOK_ROTATION_MS, WEBHOOK_SECRETS_PREVIOUS_MAX, WEBHOOKS_MAX } from "../domain/delivery-limits.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../domain/webhook-events.ts";

/** What the operator sets. `coupons` are names; null is all coupons. */
export type EndpointSettings = {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly coupons: readonly string[] | null;
};
type Changeable = EndpointSettings & { readonly paused: boolean };
export type EndpointChange = { readonly [Field in keyof Changeable]?: Changeable[Field] | undefined };

export type Endpoint = EndpointSettings & {
  readonly id: string;
  /** The secrets that sign, the current one first. */
  readonly secrets: readonly string[];
  readonly paused: boolean;
  /** When the endpoint answered 410. It gets nothing until it is unpaused. */
  readonly disabledAt: Instant | null;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
};

/** An endpoint as the courier of a coupon that it receives sees it. */
export type Receiver = Omit<Endpoint, "coupons">;

/** `isNew` is false if an earlier request with the same key and settings created the endpoint. */
export type CreateEndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint; readonly isNew: boolean }
  | { readonly ok: false; readonly code: "idempotency_key_reused" | "webhook_limit_reached" };

type Row = Pick<Endpoint, "id" | "url" | "disabledAt" | "createdAt" | "updatedAt"> & {
  /** JSON lists. `secrets` are those that sign. */
  readonly events: string;
  readonly coupons: string;
  readonly secrets: string;
  readonly paused: number;
};

/** The earlier secrets that still sign, newest first. `?1` is the time. */
const PREVIOUS = `FROM json_each(previous_secrets) WHERE value ->> 'until' > ?1 ORDER BY key`;
const RECEIVER = `
  id, url, events, paused, disabled_at AS disabledAt, created_at AS createdAt, updated_at AS updatedAt,
  (SELECT json_group_array(secret) FROM (SELECT webhooks.secret UNION ALL SELECT * FROM (SELECT value ->> 'secret' ${PREVIOUS}))) AS secrets`;
const FIELDS = `coalesce(coupons, 'null') AS coupons, ${RECEIVER}`;

/** Lists at most `limit` endpoints in the order of their ids, after the id `after`. Writes nothing. */
export async function listEndpoints(db: D1Database, now: Instant, after = "", limit: number = WEBHOOKS_MAX): Promise<Endpoint[]> {
  const select = `SELECT ${FIELDS} FROM webhooks WHERE id > ?2 ORDER BY id LIMIT ?3`;
  const { results } = await db.prepare(select).bind(now, after, limit).all<Row>();
  return results.map(endpointOf);
}

/** Lists the endpoints that receive a coupon's events. Their lists of coupons stay in the database, because they can be long. */
export async function receiversOf(db: D1Database, coupon: string, now: Instant): Promise<Receiver[]> {
  const select = `
    SELECT ${RECEIVER} FROM webhooks
    WHERE coupons IS NULL OR EXISTS (SELECT 1 FROM json_each(webhooks.coupons) WHERE value = ?2) ORDER BY id`;
  const { results } = await db.prepare(select).bind(now, coupon).all<Omit<Row, "coupons">>();
  return results.map(receiverOf);
}

/** Returns an endpoint, or null if there is none. Writes nothing. */
export async function getEndpoint(db: D1Database, id: string, now: Instant): Promise<Endpoint | null> {
  return endpointOrNull(await db.prepare(`SELECT ${FIELDS} FROM webhooks WHERE id = ?2`).bind(now, id).first<Row>());
}

/** Creates an endpoint. Writes 2 rows. A key that was used writes nothing. Null is no key. */
export async function createEndpoint(
  db: D1Database,
  {
    id,
    key,
    secret,
    url,
    events,
    coupons,
  }: EndpointSettings & { readonly id: string; readonly key: string | null; readonly secret: string },
  now: Instant,
): Promise<CreateEndpointResult> {
  const insert = db.prepare(`
    INSERT INTO webhooks (id, idempotency_key, url, events, coupons, secret, created_at, updated_at)
    SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?1, ?1 WHERE (SELECT count(*) FROM webhooks) < ?8
    ON CONFLICT (idempotency_key) DO NOTHING`);
  const select = db.prepare(`SELECT ${FIELDS} FROM webhooks WHERE id = ?2 OR idempotency_key = ?3`);
  const [, selected] = await db.batch<Row>([
    insert.bind(now, id, key, url, JSON.stringify(events), jsonOrNull(coupons), secret, WEBHOOKS_MAX),
    select.bind(now, id, key),
  ]);
  const endpoint = endpointOrNull(selected?.results[0] ?? null);
  if (endpoint === null) return { ok: false, code: "webhook_limit_reached" };
  const isNew = endpoint.id === id;
  const isSame = settingsOf(endpoint) === settingsOf({ url, events, coupons });
  return isNew || isSame ? { ok: true, endpoint, isNew } : { ok: false, code: "idempotency_key_reused" };
}

/** Changes what `change` has. Unpausing enables a disabled endpoint too. Writes 1 row. Returns null if there is none. */
export async function changeEndpoint(db: D1Database, id: string, change: EndpointChange, now: Instant): Promise<Endpoint | null> {
  const update = `
    UPDATE webhooks SET
      url = coalesce(?3, url), events = coalesce(?4, events), coupons = CASE WHEN ?5 THEN ?6 ELSE coupons END, paused = coalesce(?7, paused),
      disabled_at = CASE WHEN ?7 = 0 THEN NULL ELSE disabled_at END, updated_at = ?1
    WHERE id = ?2 RETURNING ${FIELDS}`;
  const { url = null, events = null, coupons, paused } = change;
  const values = [
    url,
    jsonOrNull(events),
    coupons === undefined ? 0 : 1,
    jsonOrNull(coupons),
    paused === undefined ? null : Number(paused),
  ];
  return endpointOrNull(
    await db
      .prepare(update)
      .bind(now, id, ...values)
      .first<Row>(),
  );
}

/**
 * Makes `secret` the current one. Each earlier secret signs until {@link WEBHOOK_ROTATION_MS} after its own rotation. So a
 * rotation that is repeated, because its answer was lost, breaks no receiver. Writes 1 row. Returns null if there is none.
 */
export async function rotateSecret(db: D1Database, id: string, secret: string, now: Instant): Promise<Endpoint | null> {
  const update = `
    UPDATE webhooks SET secret = ?3, updated_at = ?1, previous_secrets = (
      SELECT json_group_array(json(one)) FROM (
        SELECT json_object('secret', webhooks.secret, 'until', ?4) AS one UNION ALL SELECT * FROM (SELECT value ${PREVIOUS}) LIMIT ?5))
    WHERE id = ?2 RETURNING ${FIELDS}`;
  const values = [now, id, secret, now + WEBHOOK_ROTATION_MS, WEBHOOK_SECRETS_PREVIOUS_MAX];
  return endpointOrNull(
    await db
      .prepare(update)
      .bind(...values)
      .first<Row>(),
  );
}

/** Disables an endpoint that answered 410. Writes 1 row. */
export async function disableEndpoint(db: D1Database, id: string, at: Instant): Promise<void> {
  await db.prepare(`UPDATE webhooks SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL`).bind(id, at).run();
}

/** Deletes an endpoint. Writes 1 row. Returns whether there was one. */
export async function deleteEndpoint(db: D1Database, id: string): Promise<boolean> {
  const { meta } = await db.prepare(`DELETE FROM webhooks WHERE id = ?1`).bind(id).run();
  return meta.changes === 1;
}

function endpointOrNull(row: Row | null): Endpoint | null {
  return row === null ? null : endpointOf(row);
}

function endpointOf({ coupons, ...receiver }: Row): Endpoint {
  return { ...receiverOf(receiver), coupons: textsIn(coupons) };
}

function receiverOf({ events, secrets, paused, ...same }: Omit<Row, "coupons">): Receiver {
  const named = textsIn(events) ?? [];
  return {
    ...same,
    events: WEBHOOK_EVENTS.filter((event) => named.includes(event)),
    secrets: textsIn(secrets) ?? [],
    paused: paused === 1,
  };
}

/** Returns the texts in a JSON list, or null for JSON's null. */
function textsIn(json: string): string[] | null {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? list.filter((text) => typeof text === "string") : null;
}

function jsonOrNull(list: readonly string[] | null | undefined): string | null {
  return list === null || list === undefined ? null : JSON.stringify(list);
}

/** Two endpoints with the same settings have the same text. */
function settingsOf({ url, events, coupons }: EndpointSettings): string {
  return JSON.stringify([url, Array.from(new Set(events)).toSorted(), coupons?.toSorted()]);
}
