// The types of the client are those of the OpenAPI document, and its operator's calls are documented ones.

import { expect, test } from "vitest";
import type * as z from "zod";

import * as operator from "../../packages/client/src/operator.ts";
import type * as client from "../../packages/client/src/index.ts";
import type { WebhookMessage } from "../../packages/client/src/webhooks.ts";
import type { RefusalCode } from "../../src/domain/refusals.ts";
import type * as answers from "../../src/http/answer-schemas.ts";
import { createApp } from "../../src/http/app.ts";
import type * as delivery from "../../src/http/delivery-schemas.ts";
import { REFUSAL_DETAILS, RefusalFields } from "../../src/http/openapi-schemas.ts";
import type * as requests from "../../src/http/request-schemas.ts";
import type * as webhookAnswers from "../../src/http/webhook-answer-schemas.ts";
import type { DocumentedPayload } from "../../src/http/webhook-schemas.ts";

type Operation = { readonly parameters?: readonly { readonly name: string; readonly in: string }[]; readonly security?: readonly object[] };
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> };
};
const served = await createApp().request("/openapi.json", {}, { REQUEST_LOG: "off" });
const document = (await served.json()) as Document;

/** A type without `readonly` and intersections, so that two of them can be compared exactly. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Plain<Exclude<T[K], undefined>> }
    : T;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Same<A, B> = Equal<Plain<A>, Plain<B>>;
type Is<Schema extends z.ZodType, T> = Same<z.output<Schema>, T>;
/** Whether a request type has the schema's fields, and no other values. */
type Sends<Schema extends z.ZodType, T> = Plain<T> extends z.input<Schema> ? Equal<keyof z.input<Schema>, keyof T> : false;

/** Each named schema of the document. A wrong type of the client does not compile. */
const COMPARED = {
  CreateCouponRequest: true satisfies Sends<typeof requests.CreateCouponBody, operator.NewCoupon>,
  ChangeCouponRequest: true satisfies Sends<typeof requests.ChangeCouponBody, operator.Change>,
  ClaimRequest: true satisfies Sends<typeof requests.ClaimBody, { user_id: string; coupon_name: string }>,
  BulkClaimRequest: true satisfies Sends<typeof requests.BulkClaimBody, { user_ids: string[] }>,
  HoldRequest: true satisfies Sends<typeof requests.HoldBody, { user_id: string; ttl_seconds: number }>,
  CreateWebhookRequest: true satisfies Sends<typeof requests.CreateWebhookBody, operator.NewWebhook>,
  ChangeWebhookRequest: true satisfies Sends<typeof requests.ChangeWebhookBody, operator.WebhookChange>,
  Coupon: true satisfies Is<typeof answers.CouponAnswer, operator.Coupon>,
  CouponList: true satisfies Is<typeof answers.CouponsAnswer, operator.CouponPage>,
  Receipt: true satisfies Is<typeof answers.ReceiptAnswer, client.Receipt>,
  GrantedClaim: true satisfies Is<typeof answers.ClaimAnswer, client.GrantedReceipt>,
  BulkClaim: true satisfies Is<typeof answers.BulkClaimAnswer, operator.BulkClaim>,
  Hold: true satisfies Is<typeof answers.HoldAnswer, client.NewHold>,
  HoldList: true satisfies Is<typeof answers.HoldsAnswer, operator.HoldPage>,
  ReleasedHolds: true satisfies Is<typeof answers.ReleasedHoldsAnswer, operator.ReleasedHolds>,
  UserClaim: true satisfies Is<typeof answers.UserClaimAnswer, client.UserClaim>,
  RevokedClaim: true satisfies Is<typeof answers.RevokedClaimAnswer, operator.RevokedClaim>,
  ClaimList: true satisfies Is<typeof answers.ClaimsAnswer, operator.ClaimPage>,
  UserClaimList: true satisfies Is<typeof answers.WalletAnswer, operator.UserClaimPage>,
  Erasure: true satisfies Is<typeof answers.ErasedAnswer, operator.Erasure>,
  History: true satisfies Is<typeof answers.HistoryAnswer, operator.HistoryPage>,
  Timeline: true satisfies Is<typeof answers.TimelineAnswer, operator.Timeline>,
  CouponMetrics: true satisfies Is<typeof answers.MetricsAnswer, operator.CouponMetrics>,
  Delivery: true satisfies Is<typeof delivery.DeliveryAnswer, operator.Delivery>,
  FailingDelivery: true satisfies Is<typeof delivery.FailingAnswer, operator.FailingDelivery>,
  Status: true satisfies Is<typeof answers.StatusAnswer, client.Status>,
  Webhook: true satisfies Is<typeof webhookAnswers.WebhookAnswer, operator.Webhook>,
  WebhookWithSecret: true satisfies Is<typeof webhookAnswers.WebhookSecretAnswer, operator.WebhookWithSecret>,
  RotatedWebhook: true satisfies Is<typeof webhookAnswers.RotatedWebhookAnswer, operator.RotatedWebhook>,
  WebhookList: true satisfies Is<typeof webhookAnswers.WebhooksAnswer, operator.WebhookPage>,
  WebhookTest: true satisfies Is<typeof webhookAnswers.WebhookTestAnswer, operator.WebhookTest>,
};
true satisfies Same<client.RefusalCode, RefusalCode>;
true satisfies Same<WebhookMessage, DocumentedPayload>;

const REFUSAL_FIELD_NAMES = {
  error: true,
  code: true,
  request_id: true,
  fields: true,
  claim: true,
  starts_at: true,
  amount_min: true,
  ttl_seconds_max: true,
  retry_after: true,
} satisfies Record<keyof client.Refusal, true>;

test("the client has a type for each schema of the document but health, and for each field of a refusal", () => {
  const schemas = Object.entries(document.components.schemas).filter(([, { properties = {} }]) => !("code" in properties));
  const names = schemas.map(([name]) => name).filter((name) => !/^(Health|Unhealthy)$/.test(name));
  expect(names.sort()).toEqual(Object.keys(COMPARED).sort());
  const fields = [RefusalFields, ...Object.values(REFUSAL_DETAILS)].flatMap(({ shape }) => Object.keys(shape));
  expect(new Set(Object.keys(REFUSAL_FIELD_NAMES))).toEqual(new Set(fields));
});

/** Calls every function of the operator's client. Returns the requests that it sent. */
async function requestsOfAllCalls(): Promise<{ readonly route: string; readonly query: readonly string[]; readonly headers: Headers }[]> {
  const sent: { route: string; query: string[]; headers: Headers }[] = [];
  const { webhooks: hooks, ...calls } = operator.createOperator({
    baseUrl: "https://sale.example/",
    token: "t",
    actor: "alice",
    fetch: (url, { method, headers }) => {
      const { pathname, searchParams } = new URL(url);
      sent.push({ route: `${method} ${pathname}`, query: [...searchParams.keys()], headers: new Headers(headers) });
      return Promise.resolve(new Response(`{"claims":[],"next":null}`));
    },
  });
  const page = { after: "a", limit: 1 };
  await calls.create({ name: "n", amount: 1 });
  await calls.get("{name}");
  await calls.list({ ...page, state: "open", q: "q" });
  await calls.change("{name}", { amount: 2 });
  await calls.pause("{name}");
  await calls.resume("{name}");
  await calls.archive("{name}");
  await calls.delete("{name}");
  await calls.history("{name}", { after: 1, limit: 1 });
  await calls.timeline("{name}", { points: 1 });
  await calls.metrics("{name}");
  await calls.bulkClaim("{name}", ["u"]);
  await calls.claims("{name}").next();
  await calls.exportClaims("{name}", "csv");
  await calls.exportReport({ from: "f", to: "t" });
  await calls.revoke("{name}", "{user_id}", { position: 1 });
  await calls.userClaims("{user_id}", page);
  await calls.eraseUser("{user_id}", { after: "a", coupon: "c" });
  await calls.holds("{name}", page);
  await calls.releaseAllHolds("{name}");
  await calls.delivery("{name}");
  await calls.failingDeliveries({ limit: 1 });
  await calls.rebuild("{name}");
  await hooks.create({ url: "u", events: ["claim.granted"] });
  await hooks.get("{id}");
  await hooks.list(page);
  await hooks.change("{id}", { paused: true });
  await hooks.delete("{id}");
  await hooks.rotate("{id}");
  await hooks.test("{id}");
  await hooks.replay("{id}", { coupon: "c", from_seq: 1 });
  return sent;
}

test("the operator's client sends every operation of operators as the document has it", async () => {
  const sent = await requestsOfAllCalls();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  );
  for (const { route, query, headers } of sent) {
    const { parameters = [] } = operations.find((one) => one.route === decodeURIComponent(route))?.operation ?? {};
    const named = new Set(parameters.map(({ name }) => name.toLowerCase()));
    const special = ["idempotency-key", "x-actor"].filter((name) => headers.has(name));
    expect({ route, unknown: [...query, ...special].filter((name) => !named.has(name)) }).toEqual({ route, unknown: [] });
    expect(headers.get("authorization")).toBe("Bearer t");
  }
  const routes = new Set(sent.map(({ route }) => decodeURIComponent(route)));
  const ofOperators = operations.filter(({ operation }) => operation.security?.some((one) => "operator" in one)).map(({ route }) => route);
  // The first two are calls of users too, so the client of users has them.
  expect(ofOperators.filter((route) => !routes.has(route))).toEqual([
    "GET /api/coupons/{name}/claims/{user_id}",
    "DELETE /api/coupons/{name}/holds/{user_id}",
    "GET /metrics",
  ]);
});
