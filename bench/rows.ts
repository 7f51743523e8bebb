// The rows of the benchmark: each with its system and its load.

import { claimsAndHoldsOf, claimsOf, type Load } from "./load/load.ts";
import type { RowKind } from "./record.ts";
import { postgresPeer, redisPeer } from "./systems/peers.ts";
import { answerOf, Skipped, workerSystem, type Lab, type System } from "./systems/system.ts";
import { PRODUCT } from "../scripts/server/workerd.ts";

export type Row = {
  readonly name: string;
  readonly kind: RowKind;
  /** For the report and `--help`. */
  readonly about: string;
  readonly start: (lab: Lab) => Promise<System>;
  readonly load: Load;
  /** How many claims one right answer stands for. */
  readonly unitsPerAnswer: number;
  /** More connections would only wait for each other's bulk claims. */
  readonly connectionsMax?: number;
  /** The coupon whose stored claims and holds are counted. A refusal must store none. */
  readonly counted: { readonly coupon: string; readonly perUnit: 0 | 1 } | null;
  /** Only runs where `--rows` names it. */
  readonly isExtra?: true;
};

/** More than any run can claim. */
const PLENTY = { bench: 2_147_483_647 };
const USERS_PER_BULK = 1000;
const BULK_CONNECTIONS_MAX = 8;
const UNLOGGED = { REQUEST_LOG: "off" };
const EACH = { coupon: "bench", perUnit: 1 } as const;

const CLAIM = { load: claimsOf("bench"), unitsPerAnswer: 1, counted: EACH } as const;
const UNSTORED_CLAIM = { ...CLAIM, counted: null } as const;
const REFUSAL = { load: claimsOf("one", 400), unitsPerAnswer: 1, counted: { coupon: "one", perUnit: 0 } } as const;

/** In the order of the run and of the report. */
export const ROWS = [
  {
    name: "static",
    kind: "bound",
    about: "a Worker that reads the same body and answers a constant: the floor",
    start: (lab) => workerSystem(lab, "bench/workers/static.ts", {}),
    ...UNSTORED_CLAIM,
  },
  {
    name: "static-refusal",
    kind: "bound",
    about: "the same with the headers and the body of the product's refusal",
    start: (lab) => workerSystem(lab, "bench/workers/static-refusal.ts", {}),
    ...REFUSAL,
    counted: null,
  },
  {
    name: "bare-call",
    kind: "bound",
    about: "static, and one call of an object that does nothing: the limit",
    start: (lab) => workerSystem(lab, "bench/workers/bare-call.ts", {}),
    ...UNSTORED_CLAIM,
  },
  {
    name: "bare-receipt",
    kind: "bound",
    about: "the same with the fields of the product's call, and the headers and the body of its answer",
    start: (lab) => workerSystem(lab, "bench/workers/bare-receipt.ts", {}),
    ...UNSTORED_CLAIM,
  },
  {
    name: "no-op",
    kind: "bound",
    about: "the product's app, and an object that does nothing",
    start: (lab) => workerSystem(lab, "bench/workers/no-op.ts", {}),
    ...UNSTORED_CLAIM,
  },
  {
    name: "no-op-unlogged",
    kind: "bound",
    about: "no-op without a log line for each request",
    start: (lab) => workerSystem(lab, "bench/workers/no-op.ts", {}, UNLOGGED),
    ...UNSTORED_CLAIM,
    isExtra: true,
  },
  { name: "claim", kind: "product", about: "the product", start: (lab) => workerSystem(lab, PRODUCT, PLENTY), ...CLAIM },
  {
    name: "mixed",
    kind: "product",
    about: "the product, claims and holds in turn",
    start: (lab) => workerSystem(lab, PRODUCT, PLENTY),
    load: claimsAndHoldsOf("bench"),
    unitsPerAnswer: 1,
    counted: EACH,
  },
  {
    name: "claim-unlogged",
    kind: "product",
    about: "the product without a log line for each request",
    start: (lab) => workerSystem(lab, PRODUCT, PLENTY, UNLOGGED),
    ...CLAIM,
    isExtra: true,
  },
  {
    name: "one-commit-per-claim",
    kind: "product",
    about: "the product without its mailbox: each claim is a commit of its own",
    start: (lab) => workerSystem(lab, "bench/workers/one-commit-per-claim.ts", PLENTY),
    ...CLAIM,
  },
  {
    name: "bulk",
    kind: "product",
    about: `the product, ${USERS_PER_BULK} users in each request, at most ${BULK_CONNECTIONS_MAX} connections; rate and CPU are of a claim`,
    start: bulkSystem,
    load: {
      method: "POST",
      path: "/api/coupons/bench/claims",
      body: { before: '{"user_ids":[', users: USERS_PER_BULK, after: "]}" },
      status: 200,
    },
    unitsPerAnswer: USERS_PER_BULK,
    connectionsMax: BULK_CONNECTIONS_MAX,
    counted: EACH,
  },
  {
    name: "in-object",
    kind: "bound",
    about: "the claim alone, without a user's request: an object claims for a thousand users at a time",
    start: (lab) => workerSystem(lab, "bench/workers/in-object.ts", PLENTY),
    load: { method: "POST", path: "/thousand", status: 201 },
    unitsPerAnswer: 1000,
    connectionsMax: BULK_CONNECTIONS_MAX,
    counted: EACH,
    isExtra: true,
  },
  {
    name: "sold-out",
    kind: "product",
    about: "the product, refusing new users of a coupon that is sold out",
    start: (lab) => soldOutSystem(lab, {}),
    ...REFUSAL,
  },
  {
    name: "sold-out-no-cache",
    kind: "product",
    about: "the same, but every refusal reaches the object",
    start: (lab) => soldOutSystem(lab, { SOLD_OUT_CACHE: "off" }),
    ...REFUSAL,
  },
  {
    name: "status",
    kind: "product",
    about: "the product, showing a coupon's status",
    start: (lab) => workerSystem(lab, PRODUCT, PLENTY),
    load: { method: "GET", path: "/api/coupons/bench/status", status: 200 },
    unitsPerAnswer: 1,
    counted: null,
  },
  {
    name: "postgres-row-lock",
    kind: "peer",
    about: "peer: Fastify and PostgreSQL, a transaction with SELECT … FOR UPDATE",
    start: (lab) => postgresPeer(lab, "postgres-row-lock.js"),
    ...CLAIM,
  },
  {
    name: "postgres-function",
    kind: "peer",
    about: "peer: Fastify and PostgreSQL, one call of one function",
    start: (lab) => postgresPeer(lab, "postgres-function.js"),
    ...CLAIM,
  },
  {
    name: "redis-everysec",
    kind: "peer",
    about: "peer: Fastify and a Lua script in Redis, which is on disk a second later",
    start: (lab) => redisPeer(lab, "everysec"),
    ...CLAIM,
  },
  {
    name: "redis-always",
    kind: "peer",
    about: "peer: Fastify and a Lua script in Redis, on disk before the answer",
    start: (lab) => redisPeer(lab, "always"),
    ...CLAIM,
  },
] as const satisfies readonly Row[];

async function bulkSystem(lab: Lab): Promise<System> {
  const system = await workerSystem(lab, PRODUCT, PLENTY);
  const answered = await fetch(`${system.url}/api/coupons/bench/claims`, { method: "POST", body: '{"user_ids":["first"]}' });
  await answered.arrayBuffer();
  if (answered.status === 404 || answered.status === 405)
    throw new Skipped(`this version has no bulk claims: it answers ${answered.status}`);
  return system;
}

async function soldOutSystem(lab: Lab, vars: Readonly<Record<string, string>>): Promise<System> {
  const system = await workerSystem(lab, PRODUCT, { one: 1 }, vars);
  await answerOf(`${system.url}/api/coupons/claim`, 201, { user_id: "winner", coupon_name: "one" });
  return system;
}
