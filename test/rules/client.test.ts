// The client's calls against scripted answers: keys, attempts, deadlines, and what ends them.

import { expect, test } from "vitest";

import { createClient, memoryKeys, storageKeys, type WatchEvent, type WatchOptions } from "../../packages/client/src/index.ts";
import { createOperator, RefusedError } from "../../packages/client/src/operator.ts";
import { AFTER, GRANTED, HALF, LOST, RECEIPT, refused, REPLAYED, scripted, type Script } from "../support/scripted-client.ts";

test.for([
  ["granted at once", [GRANTED], { outcome: "granted", replayed: false }, [0]],
  ["granted behind a lost answer", [LOST, HALF, REPLAYED], { outcome: "granted", replayed: true }, [0, 50, 150]],
  ["sold out behind a lost answer", [LOST, refused(400, "out_of_stock")], { outcome: "out_of_stock" }, [0, 50]],
  ["rate limited for a while", [refused(429, "rate_limited", AFTER), GRANTED], { outcome: "granted" }, [0, 2_050]],
  ["unavailable for a while", [refused(503, "unavailable", AFTER), GRANTED], { outcome: "granted" }, [0, 2_050]],
  ["of an unknown outcome for a while", [refused(503, "outcome_unknown"), REPLAYED], { outcome: "granted" }, [0, 50]],
  ["behind a proxy that fails for a while", [() => new Response("<html>", { status: 502 }), GRANTED], { outcome: "granted" }, [0, 50]],
  ["refused without a token", [refused(401, "unauthorized")], { outcome: "unauthorized", maybeGranted: false }, [0]],
  ["refused after a lost answer", [LOST, refused(401, "unauthorized")], { outcome: "unauthorized", maybeGranted: true }, [0, 50]],
] as const)("a claim that is %s ends as one outcome, with one key", async ([, script, outcome, at]) => {
  const { options, sent } = scripted(script);
  expect(await createClient(options).claim("c", "u")).toMatchObject(outcome);
  expect(sent.map((request) => request.at)).toEqual(at);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  expect(sent[0]?.key).toMatch(/^[\da-f]{32}$/);
});

test("a call whose token never comes ends at the deadline or an abort", async () => {
  const { options, sent } = scripted([GRANTED], { token: () => new Promise(() => undefined), attemptMs: 5, deadlineMs: 20 });
  expect(await createClient(options).claim("c", "u")).toMatchObject({ outcome: "unknown" });
  const aborting = new AbortController();
  const claim = createClient({ ...options, attemptMs: 60_000, deadlineMs: 60_000 }).claim("c", "u", aborting);
  aborting.abort(new Error("the page was left"));
  await expect(claim).rejects.toThrow("the page was left");
  expect(sent).toEqual([]);
});

test.for([
  ["rate limits", refused(429, "rate_limited", AFTER), "rate_limited"],
  ["is unavailable", refused(503, "unavailable", AFTER), "unavailable"],
  ["never answers", LOST, "unknown"],
] as const)("a claim of a server that %s until the deadline says so, and waits no longer", async ([, answer, outcome]) => {
  const { options, sent } = scripted([answer], { deadlineMs: 10_000 });
  expect(await createClient(options).claim("c", "u")).toMatchObject({ outcome });
  expect(sent.length).toBeGreaterThan(3);
  expect(sent.at(-1)?.at).toBeLessThan(10_000);
});

function hang(_: string, { signal }: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
}

test("a server that hangs costs one attempt, not the claim", async () => {
  let count = 0;
  const { options } = scripted([]);
  const client = createClient({
    ...options,
    attemptMs: 5,
    fetch: (...sent) => ((count += 1) === 1 ? hang(...sent) : Promise.resolve(GRANTED())),
  });
  expect(await client.claim("c", "u")).toMatchObject({ outcome: "granted" });
  expect(count).toBe(2);
});

/** `sessionStorage`, or one that a browser refuses to use. */
function storage(texts: Map<string, string>) {
  return {
    getItem: (name: string) => texts.get(name) ?? null,
    setItem: (name: string, text: string) => void texts.set(name, text),
    removeItem: (name: string) => void texts.delete(name),
  };
}

test("a claim keeps its key over a reload while the outcome is in doubt, and drops it after a final answer", async () => {
  const texts = new Map<string, string>();
  const { options, sent } = scripted([LOST, LOST, refused(401, "unauthorized"), refused(429, "rate_limited"), REPLAYED, GRANTED]);
  const reloaded = () => createClient({ ...options, deadlineMs: 120, keyStore: storageKeys(() => storage(texts)) });
  expect(await reloaded().claim("c", "u")).toMatchObject({ outcome: "unknown" });
  expect([...texts.values()]).toEqual([sent[0]?.key]);
  expect(await reloaded().claim("c", "u")).toMatchObject({ outcome: "unauthorized", maybeGranted: true });
  expect(texts.size).toBe(1);
  expect(await reloaded().claim("c", "u")).toMatchObject({ outcome: "granted", replayed: true });
  expect(texts.size).toBe(0);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  await reloaded().claim("c", "u");
  expect(sent.at(-1)?.key).not.toBe(sent[0]?.key);
});

test("a claim with the caller's key sends that, and stores none", async () => {
  const keyStore = memoryKeys();
  const { options, sent } = scripted([LOST], { deadlineMs: 100, keyStore: { ...keyStore, set: () => expect.unreachable() } });
  expect(await createClient(options).claim("c", "u", { key: "order-77", challengeToken: "solved" })).toMatchObject({ outcome: "unknown" });
  expect(sent[0]?.key).toBe("order-77");
  expect(sent[0]?.headers.get("turnstile-token")).toBe("solved");
});

test("a browser that refuses its storage keeps the key in memory", async () => {
  const { options, sent } = scripted([LOST, LOST, GRANTED], { deadlineMs: 120, keyStore: storageKeys(() => expect.unreachable()) });
  const client = createClient(options);
  expect(await client.claim("c", "u")).toMatchObject({ outcome: "unknown" });
  expect(await client.claim("c", "u")).toMatchObject({ outcome: "granted" });
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
});

test("an aborted claim rejects with the reason and keeps its key", async () => {
  const aborting = new AbortController();
  const keys = new Map<string, string>();
  const { options, sent } = scripted([
    () => {
      aborting.abort(new Error("the page was left"));
      return LOST();
    },
  ]);
  const client = createClient({ ...options, keyStore: storageKeys(() => storage(keys)) });
  await expect(client.claim("c", "u", { signal: aborting.signal })).rejects.toThrow("the page was left");
  expect(sent).toHaveLength(1);
  expect([...keys.values()]).toEqual([sent[0]?.key]);
  await expect(client.claim("c", "u", { signal: aborting.signal })).rejects.toThrow("the page was left");
  expect(sent).toHaveLength(1);
});

test("a claim gets a new token for each attempt, and rejects if there is none", async () => {
  let count = 0;
  const { options, sent } = scripted([LOST, GRANTED], { token: async () => `t${(count += 1)}` });
  await createClient(options).claim("c", "u");
  expect(sent.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer t1", "Bearer t2"]);
  const failing = createClient({ ...options, token: () => Promise.reject(new Error("logged out")) });
  await expect(failing.claim("c", "u")).rejects.toThrow("logged out");
});

test("a hold, a read and a release end with what the server answered", async () => {
  const hold = { coupon_name: "c", user_id: "u", held_at: "a", expires_at: "b", remaining_amount: 0 };
  const script = [
    LOST,
    () => Response.json(hold, { status: 201 }),
    () => Response.json({ ...RECEIPT, coupon_name: "a/b", user_id: "ä ?" }),
    () => new Response(null, { status: 204 }),
    LOST,
    LOST,
  ];
  const { options, sent } = scripted(script, { deadlineMs: 120 });
  const client = createClient(options);
  expect(await client.hold("c", "u", 60)).toEqual({ outcome: "held", hold });
  expect(await client.getUserClaim("a/b", "ä ?")).toMatchObject({ ok: true, value: { user_id: "ä ?" } });
  expect(sent[2]?.url).toBe("https://sale.example/api/coupons/a%2Fb/claims/%C3%A4%20%3F");
  expect(await client.releaseHold("c", "u")).toMatchObject({ ok: true, value: null });
  // A second release could end a later hold.
  expect(await client.releaseHold("c", "u")).toMatchObject({ ok: false, code: "outcome_unknown", maybeDone: true });
  expect(sent).toHaveLength(5);
  expect(await client.status("c")).toMatchObject({ ok: false, code: "unavailable", maybeDone: false });
  expect(sent.at(-1)?.headers.has("authorization")).toBe(false);
});

test.for(["", ".", ".."])("a call for the user %j sends no request, because the URL would name another resource", async (userId) => {
  const { options, sent } = scripted([GRANTED]);
  const operator = createOperator(options);
  expect(await operator.revoke("c", userId)).toMatchObject({ ok: false, code: "invalid_request" });
  expect(await createClient(options).releaseHold("c", userId)).toMatchObject({ ok: false, code: "invalid_request" });
  expect(sent).toEqual([]);
});

test.for([
  ["a creation, with one key", (of: ReturnType<typeof createOperator>) => of.create({ name: "n", amount: 1 }), true],
  ["a bulk claim, with one key", (of: ReturnType<typeof createOperator>) => of.bulkClaim("c", ["u"]), true],
  ["a change", (of: ReturnType<typeof createOperator>) => of.pause("c"), true],
  ["a part of a restore", (of: ReturnType<typeof createOperator>) => of.restorePart("c", 2, "{}\n"), true],
  ["a revoke of a position", (of: ReturnType<typeof createOperator>) => of.revoke("c", "u", { position: 1 }), true],
  ["a revoke of any claim", (of: ReturnType<typeof createOperator>) => of.revoke("c", "u"), false],
  ["a deletion", (of: ReturnType<typeof createOperator>) => of.delete("c"), false],
  ["the release of all holds", (of: ReturnType<typeof createOperator>) => of.releaseAllHolds("c"), false],
] as const)("the operator's client repeats %s after a lost answer only where docs/retrying.md allows it", async ([, act, isRepeated]) => {
  const { options, sent } = scripted([LOST, GRANTED]);
  expect((await act(createOperator(options))).ok).toBe(isRepeated);
  expect(sent).toHaveLength(isRepeated ? 2 : 1);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
});

function page(position: number, next: number | null) {
  return () => Response.json({ claims: [{ ...RECEIPT, position }], next });
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

test("the operator's claims come from all pages, and a refusal is thrown", async () => {
  const { options, sent } = scripted([page(1, 1), page(2, null), refused(404, "coupon_not_found")]);
  const operator = createOperator(options);
  expect((await all(operator.claims("c"))).map(({ position }) => position)).toEqual([1, 2]);
  expect(sent.map(({ url }) => new URL(url).search)).toEqual(["?after=0&limit=1000", "?after=1&limit=1000"]);
  await expect(all(operator.claims("c"))).rejects.toThrow(RefusedError);
  await expect(operator.exportClaims("c", "ndjson")).rejects.toThrow("a sentence");
});

function stream(...blocks: readonly string[]) {
  return () => new Response(blocks.join(""), { headers: { "Content-Type": "text/event-stream" } });
}
type Seen = { readonly name: string; readonly seq: number; readonly state: string; readonly epoch: string; readonly server_time: string };
const seen = (seq: number, state = "open", others: Partial<Seen> = {}): Seen => ({
  name: "c",
  seq,
  state,
  epoch: "e",
  server_time: "1",
  ...others,
});
const snapshot = (...of: Parameters<typeof seen>) => ({ type: "status", status: seen(...of) });
const status = (...of: Parameters<typeof seen>) => `id: ${of[0]}\ndata: ${JSON.stringify(seen(...of))}\n\n`;

test("a watcher reconnects with the last seq it saw, and yields no status twice", async () => {
  const { options, sent } = scripted([
    stream("retry: 2000\n", status(1), `event: state\nid: 2\ndata: {}\n\n`, status(2, "sold_out")),
    LOST,
    refused(503, "unavailable"),
    stream(status(2, "sold_out"), status(1), "data: <html>\n\n", status(8, "open", { name: "another" })),
    stream(status(3, "sold_out"), "event: deleted\ndata: {}\n\n", status(9)),
  ]);
  const events = await all(createClient(options).watch("c"));
  const state = { type: "state", from: "open", to: "sold_out", seq: 2 };
  expect(events).toEqual([snapshot(1), state, snapshot(2, "sold_out"), snapshot(3, "sold_out"), { type: "deleted" }]);
  expect(sent.map(({ headers }) => headers.get("last-event-id"))).toEqual([null, "2", "2", "2", "2"]);
  expect(sent.map(({ at }) => at)).toEqual([0, 2_050, 4_150, 6_350, 8_400]);
});

function watched(script: Script, options: WatchOptions = {}): Promise<WatchEvent[]> {
  return all(createClient(scripted(script).options).watch("c", options));
}

test("a watcher ends without a coupon, when it is aborted, and by an error if it is refused", async () => {
  expect(await watched([refused(404, "coupon_not_found")])).toEqual([{ type: "deleted" }]);
  await expect(watched([refused(400, "invalid_request")])).rejects.toThrow(RefusedError);
  const aborting = new AbortController();
  const leave = (): Promise<never> => {
    aborting.abort();
    return LOST();
  };
  expect(await watched([stream(status(1)), leave], aborting)).toHaveLength(1);
});
