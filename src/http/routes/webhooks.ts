// The routes of webhooks: create, list, get, change, delete, rotate the secret, test and replay.

import { WEBHOOK_ROTATION_MS, WEBHOOKS_MAX } from "../../domain/delivery-limits.ts";
import { OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { callDatabase, type DatabaseFailure } from "../../edge/database.ts";
import type { Env } from "../../edge/env.ts";
import * as stored from "../../read-model/webhooks.ts";
import { send } from "../../webhooks/send.ts";
import { newSecret } from "../../webhooks/sign.ts";
import { targetFault } from "../../webhooks/target.ts";
import { JSON_TYPE } from "../media-types.ts";
import { invalid } from "../refusals.ts";
import * as wire from "../representations.ts";
import { ok, route } from "../route.ts";
import * as answers from "../answer-schemas.ts";
import * as requests from "../request-schemas.ts";

const WEBHOOK = { [JSON_TYPE]: answers.WebhookAnswer } as const;
const NOT_FOUND = { ok: false, code: "webhook_not_found" } as const;

export const createWebhook = route({
  id: "createWebhook",
  tag: "webhooks",
  method: "POST",
  path: "/api/webhooks",
  summary: "Create a webhook",
  description:
    "The endpoint gets the events from now on. With the same Idempotency-Key and settings it returns the webhook again, as it is now, with the secret.",
  who: "operator",
  takesIdempotencyKey: true,
  body: { schema: requests.CreateWebhookBody, bytesMax: OPERATOR_BODY_BYTES_MAX },
  successes: {
    201: {
      description: "Created; Location names it. With Idempotent-Replayed: true, an earlier request with this key created it.",
      content: { [JSON_TYPE]: answers.WebhookSecretAnswer },
      headers: ["Location", "Idempotent-Replayed"],
    },
  },
  refusals: ["idempotency_key_reused", "webhook_limit_reached"],
  async handle({ body, key }, { worker: { env } }) {
    const fault = targetFault(body.url, env.WEBHOOK_TARGETS);
    if (fault !== null) return invalid("url", fault);
    const id = await idOf(key ?? crypto.randomUUID());
    const called = await callDatabase(env.DB, "mutation", (db) => stored.createEndpoint(db, id, body, newSecret(), Date.now()));
    if (!called.ok) return called;
    if (!called.value.ok) return called.value;
    const { endpoint, isNew } = called.value;
    const headers = { Location: `/api/webhooks/${id}`, ...(isNew ? {} : { "Idempotent-Replayed": "true" }) };
    return ok(201, { json: withSecret(endpoint), headers });
  },
});

export const listWebhooks = route({
  id: "listWebhooks",
  tag: "webhooks",
  method: "GET",
  path: "/api/webhooks",
  summary: "List the webhooks",
  description: "In the order of their ids, without their secrets.",
  who: "operator",
  query: {
    after: requests.queryText("The page begins behind this id."),
    limit: requests.queryInteger(1, WEBHOOKS_MAX, "Webhooks on a page.", WEBHOOKS_MAX),
  },
  successes: { 200: { description: "A page.", content: { [JSON_TYPE]: answers.WebhooksAnswer } } },
  refusals: [],
  async handle({ query: { after, limit } }, { worker: { env } }) {
    const called = await callDatabase(env.DB, "read", (db) => stored.listEndpoints(db, Date.now(), after, limit + 1));
    if (!called.ok) return called;
    const webhooks = called.value.slice(0, limit).map(wire.webhook);
    return ok(200, { json: { webhooks, next_after: called.value.length > limit ? (webhooks.at(-1)?.id ?? null) : null } });
  },
});

export const getWebhook = route({
  id: "getWebhook",
  tag: "webhooks",
  method: "GET",
  path: "/api/webhooks/{id}",
  summary: "Get a webhook",
  who: "operator",
  successes: { 200: { description: "The webhook, without its secret.", content: WEBHOOK } },
  refusals: ["webhook_not_found"],
  async handle({ params: { id } }, { worker: { env } }) {
    const found = await find(env, id);
    return found.ok ? ok(200, { json: wire.webhook(found.value) }) : found;
  },
});

export const changeWebhook = route({
  id: "changeWebhook",
  tag: "webhooks",
  method: "PATCH",
  path: "/api/webhooks/{id}",
  summary: "Change a webhook",
  description: "A paused webhook gets its events once it is unpaused. Unpausing also enables a webhook whose endpoint answered 410.",
  who: "operator",
  body: { schema: requests.ChangeWebhookBody, bytesMax: OPERATOR_BODY_BYTES_MAX },
  successes: { 200: { description: "The webhook as it is now.", content: WEBHOOK } },
  refusals: ["webhook_not_found"],
  async handle({ params: { id }, body }, { worker: { env } }) {
    const fault = body.url === undefined ? null : targetFault(body.url, env.WEBHOOK_TARGETS);
    if (fault !== null) return invalid("url", fault);
    const changed = existing(await callDatabase(env.DB, "mutation", (db) => stored.changeEndpoint(db, id, body, Date.now())));
    return changed.ok ? ok(200, { json: wire.webhook(changed.value) }) : changed;
  },
});

export const deleteWebhook = route({
  id: "deleteWebhook",
  tag: "webhooks",
  method: "DELETE",
  path: "/api/webhooks/{id}",
  summary: "Delete a webhook",
  description: "Events that were not delivered are lost. To keep them, pause it.",
  who: "operator",
  successes: { 204: { description: "It is gone." } },
  refusals: ["webhook_not_found"],
  async handle({ params: { id } }, { worker: { env } }) {
    const called = await callDatabase(env.DB, "mutation", (db) => stored.deleteEndpoint(db, id));
    if (!called.ok) return called;
    return called.value ? ok(204, {}) : NOT_FOUND;
  },
});

export const rotateWebhookSecret = route({
  id: "rotateWebhookSecret",
  tag: "webhooks",
  method: "POST",
  path: "/api/webhooks/{id}/rotate",
  summary: "Rotate the secret of a webhook",
  description: "For 24 hours the secret before signs too. If the answer is lost, rotate again: the earlier secrets keep their time.",
  who: "operator",
  successes: { 200: { description: "The webhook with its new secret.", content: { [JSON_TYPE]: answers.RotatedWebhookAnswer } } },
  refusals: ["webhook_not_found"],
  async handle({ params: { id } }, { worker: { env } }) {
    const now = Date.now();
    const rotated = existing(await callDatabase(env.DB, "mutation", (db) => stored.rotateSecret(db, id, newSecret(), now)));
    if (!rotated.ok) return rotated;
    return ok(200, { json: { ...withSecret(rotated.value), previous_secret_expires_at: wire.instant(now + WEBHOOK_ROTATION_MS) } });
  },
});

export const testWebhook = route({
  id: "testWebhook",
  tag: "webhooks",
  method: "POST",
  path: "/api/webhooks/{id}/test",
  summary: "Send a test event",
  description: "Sends a signed `webhook.test` event once and at once, also if the webhook is paused or disabled.",
  who: "operator",
  successes: { 200: { description: "What the endpoint answered.", content: { [JSON_TYPE]: answers.WebhookTestAnswer } } },
  refusals: ["webhook_not_found"],
  async handle({ params: { id } }, { worker: { env }, attemptId }) {
    const found = await find(env, id);
    if (!found.ok) return found;
    // WEBHOOK_TARGETS may have changed since the URL was stored.
    const fault = targetFault(found.value.url, env.WEBHOOK_TARGETS);
    if (fault !== null) return ok(200, { json: { delivered: false, status: null, duration_ms: 0, error: `url ${fault}` } });
    const now = Date.now();
    const sent = await send(found.value, { id: `msg_test_${attemptId}`, type: "webhook.test", at: now }, now);
    return ok(200, { json: { delivered: sent.ok, status: sent.status, duration_ms: sent.ms, error: sent.ok ? null : sent.error } });
  },
});

export const replayWebhook = route({
  id: "replayWebhook",
  tag: "webhooks",
  method: "POST",
  path: "/api/webhooks/{id}/replay",
  summary: "Deliver a coupon's events again",
  description: "Each event has the same webhook-id as before, so a receiver that deduplicates ignores what it has.",
  who: "operator",
  query: {
    coupon: requests.CouponName,
    from_seq: requests.queryInteger(1, Number.MAX_SAFE_INTEGER, "The first event that is delivered again.", 1),
  },
  successes: { 202: { description: "They are on their way." } },
  refusals: ["webhook_not_found", "coupon_not_found"],
  async handle({ params: { id }, query: { coupon: name, from_seq: fromSeq } }, { worker: { env } }) {
    const found = await find(env, id);
    if (!found.ok) return found;
    if (found.value.coupons?.includes(name) === false) return invalid("coupon", "is none of the coupons of this webhook");
    // A courier whose coupon does not exist would store something under a name that a caller made up.
    const coupon = await callCoupon(env, name, (object) => object.read({ claimedBy: false }), "read");
    if (!coupon.ok) return coupon;
    const { COURIERS } = env;
    if (COURIERS === undefined)
      return { ok: false, code: "unavailable", error: "this Worker delivers nothing: bind COURIERS as in wrangler.toml" };
    try {
      await COURIERS.get(COURIERS.idFromName(name)).replay(id, fromSeq);
      return ok(202, {});
    } catch (cause) {
      return { ok: false, code: "outcome_unknown", cause };
    }
  },
});

type Found = { readonly ok: true; readonly value: stored.Endpoint };

async function find({ DB }: Env, id: string): Promise<Found | typeof NOT_FOUND | DatabaseFailure> {
  return existing(await callDatabase(DB, "read", (db) => stored.getEndpoint(db, id, Date.now())));
}

function existing(
  called: { readonly ok: true; readonly value: stored.Endpoint | null } | DatabaseFailure,
): Found | typeof NOT_FOUND | DatabaseFailure {
  if (!called.ok) return called;
  return called.value === null ? NOT_FOUND : { ok: true, value: called.value };
}

/** The same key names the same webhook, so that a retried create makes no second one. */
async function idOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  const hex = Array.from(new Uint8Array(digest, 0, 12), (byte) => byte.toString(16).padStart(2, "0"));
  return `wh_${hex.join("")}`;
}

function withSecret(endpoint: stored.Endpoint) {
  return { ...wire.webhook(endpoint), secret: endpoint.secrets[0] ?? "" };
}
