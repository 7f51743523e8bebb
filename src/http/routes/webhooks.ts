// The routes of webhooks: create, list, get, change, delete, rotate the secret, test and replay.

import { COURIERS_WOKEN_MAX, WEBHOOK_ROTATION_MS, WEBHOOKS_MAX } from "../../domain/delivery-limits.ts";
import { OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { callCourier, wakeCouriers } from "../../edge/courier-calls.ts";
import type { Env } from "../../edge/env.ts";
import { liveCoupons } from "../../read-model/queries.ts";
import * as stored from "../../read-model/webhooks.ts";
import { send } from "../../webhooks/send.ts";
import { newSecret } from "../../webhooks/sign.ts";
import { targetFault } from "../../domain/webhook-target.ts";
import { changeDatabase, fromDatabase } from "../database.ts";
import { JSON_TYPE } from "../media-types.ts";
import { invalid } from "../refusals.ts";
import * as wire from "../../wire.ts";
import { ok, route } from "../route.ts";
import * as answers from "../webhook-answer-schemas.ts";
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
    const created = { ...body, key, id: `wh_${crypto.randomUUID()}`, secret: newSecret() };
    const result = await changeDatabase(env, (db) => stored.createEndpoint(db, created, Date.now()));
    if (!result.ok) return result;
    if (!result.value.ok) return result.value;
    const { endpoint, isNew } = result.value;
    const headers = { Location: `/api/webhooks/${endpoint.id}`, ...(isNew ? {} : { "Idempotent-Replayed": "true" }) };
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
    const result = await fromDatabase(env, (db) => stored.listEndpoints(db, Date.now(), after, limit + 1));
    if (!result.ok) return result;
    const webhooks = result.value.slice(0, limit).map(wire.webhook);
    return ok(200, { json: { webhooks, next_after: result.value.length > limit ? (webhooks.at(-1)?.id ?? null) : null } });
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
  async handle({ params: { id }, body }, { worker: { env, waitUntil } }) {
    const fault = body.url === undefined ? null : targetFault(body.url, env.WEBHOOK_TARGETS);
    if (fault !== null) return invalid("url", fault);
    const changed = existing(await changeDatabase(env, (db) => stored.changeEndpoint(db, id, body, Date.now())));
    if (!changed.ok) return changed;
    if (body.paused === false) waitUntil(wakeCouriersOf(env, changed.value));
    return ok(200, { json: wire.webhook(changed.value) });
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
    const result = await changeDatabase(env, (db) => stored.deleteEndpoint(db, id));
    if (!result.ok) return result;
    return result.value ? ok(204, {}) : NOT_FOUND;
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
    const rotated = existing(await changeDatabase(env, (db) => stored.rotateSecret(db, id, newSecret(), now)));
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
    const replayed = await callCourier(env, name, (courier) => courier.replay(id, fromSeq), "repeatable");
    if (!replayed.ok) return replayed;
    // The courier's list of webhooks is older than the database.
    return replayed.value ? ok(202, {}) : { ok: false, code: "unavailable" };
  },
});

async function find(env: Env, id: string) {
  return existing(await fromDatabase(env, (db) => stored.getEndpoint(db, id, Date.now())));
}

/** Refuses what is not there. */
function existing<Failure extends { readonly ok: false }>(result: { readonly ok: true; readonly value: stored.Endpoint | null } | Failure) {
  if (!result.ok) return result;
  return result.value === null ? NOT_FOUND : { ok: true as const, value: result.value };
}

function withSecret(endpoint: stored.Endpoint) {
  return { ...wire.webhook(endpoint), secret: endpoint.secrets[0] ?? "" };
}

/** An endpoint that receives again gets what it missed. Of all coupons, the first that are not archived are woken. */
async function wakeCouriersOf(env: Env, { coupons }: stored.Endpoint): Promise<void> {
  const found = coupons === null ? await fromDatabase(env, (db) => liveCoupons(db, COURIERS_WOKEN_MAX, Date.now())) : null;
  const names = coupons ?? (found?.ok === true ? found.value.map(({ name }) => name) : []);
  await wakeCouriers(env, names);
}
