// The client against wrong answers: those of proxies, gateways, caches and broken connections.

import { expect, test, vi } from "vitest";

import { createClient } from "../../packages/client/src/index.ts";
import { createOperator, RefusedError } from "../../packages/client/src/operator.ts";
import { LOST, RECEIPT, refused, scripted } from "../support/scripted-client.ts";

/** A refusal as the server writes it, with a claim. */
function refusal(code: string, claim: object = RECEIPT): object {
  return { error: "a sentence", code, request_id: "r", claim };
}
const json = (body: unknown, status = 201, headers: Record<string, string> = {}) => [Response.json(body, { status, headers })] as const;
const plain = (body: string | null, status = 201, headers: Record<string, string> = {}) =>
  [new Response(body, { status, headers })] as const;
const UNKNOWN = { outcome: "unknown" };
const HOUR = { "Retry-After": "3600" };

function start(controller: ReadableStreamDefaultController<Uint8Array>): void {
  controller.enqueue(new TextEncoder().encode("{"));
}

/** A body that comes in pieces, and then breaks off or falls silent. */
function trickle(end: "breaks off" | "falls silent") {
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> =>
    end === "breaks off" ? Promise.resolve(controller.error(new Error("reset"))) : new Promise(() => undefined);
  return [new Response(new ReadableStream({ start, pull }, { highWaterMark: 0 }), { status: 201 })] as const;
}

/** Each answer comes after a lost one, so the claim may have been granted. The last column is how the claim ends. */
test.for([
  ["a page of a proxy", ...plain("<html>", 200), UNKNOWN],
  ["an empty 201", ...plain(""), UNKNOWN],
  ["204", ...plain(null, 204), UNKNOWN],
  ["null", ...json(null), UNKNOWN],
  ["another object", ...json({ ok: true }, 200), UNKNOWN],
  ["a list", ...json([RECEIPT]), UNKNOWN],
  ["a receipt of another user", ...json({ ...RECEIPT, user_id: "v" }), UNKNOWN],
  ["a receipt of another coupon", ...json({ ...RECEIPT, coupon_name: "d" }), UNKNOWN],
  ["a receipt without its position", ...json({ ...RECEIPT, position: "1" }), UNKNOWN],
  ["a hold", ...json({ coupon_name: "c", user_id: "u", expires_at: "b" }), UNKNOWN],
  ["a body that breaks off", ...trickle("breaks off"), UNKNOWN],
  ["a body that falls silent", ...trickle("falls silent"), UNKNOWN],
  ["409 with the claim of another user", ...json(refusal("already_claimed", { ...RECEIPT, user_id: "v" }), 409), UNKNOWN],
  ["409 without the claim", ...json({ ...refusal("already_claimed"), claim: undefined }, 409), UNKNOWN],
  ["a redirect", ...plain("", 301, { Location: "/login" }), { outcome: "invalid", maybeGranted: true }],
  ["403 of a gateway with a code of its own", ...json({ code: "AccessDenied" }, 403), { outcome: "forbidden", maybeGranted: true }],
  ["a code that every object has", ...json(refusal("constructor"), 503), UNKNOWN],
  ["a new code with 503", ...json(refusal("new_code"), 503), UNKNOWN],
  ["429 until a date", ...json(refusal("rate_limited"), 429, { "Retry-After": "Thu, 01 Jan 1970 00:00:09 GMT" }), UNKNOWN],
  ["429 for an hour", ...plain("slow down", 429, HOUR), UNKNOWN],
  ["503 for longer than there are numbers", ...plain("", 503, { "Retry-After": "9".repeat(400) }), UNKNOWN],
  ["503 until something that is no date", ...plain("", 503, { "Retry-After": "-5" }), UNKNOWN],
  ["a receipt of the user, who was erased", ...json({ ...RECEIPT, user_id: "erased:00ff" }), { outcome: "granted" }],
] as const)("after a lost answer, %s never ends a claim by mistake", async ([, answer, outcome]) => {
  let count = 0;
  const { options } = scripted([]);
  const fetch = (): Promise<Response> => ((count += 1) === 1 ? LOST() : Promise.resolve(answer.clone()));
  const client = createClient({ ...options, fetch, attemptMs: 5, deadlineMs: 10_000 });
  expect(await client.claim("c", "u")).toMatchObject(outcome);
  expect(count).toBeLessThan(30);
});

const RESET = new TypeError("fetch failed");
const STREAMS = {
  exportClaims: (of: ReturnType<typeof createOperator>) => of.exportClaims("c", "csv"),
  exportReport: (of: ReturnType<typeof createOperator>) => of.exportReport(),
  backup: (of: ReturnType<typeof createOperator>) => of.backup("c"),
};

test("a firewall's refusal leaves a claim in doubt, but no read", async () => {
  const { options } = scripted([() => new Response("blocked", { status: 403 })]);
  expect(await createClient(options).claim("c", "u")).toMatchObject({ outcome: "forbidden", maybeGranted: true });
  expect(await createClient(options).getUserClaim("c", "u")).toMatchObject({ code: "forbidden", maybeDone: false });
});

test.for(["exportClaims", "exportReport", "backup"] as const)(
  "%s without a connection fails like every call of operators",
  async (name) => {
    const { options, sent } = scripted([() => Promise.reject(RESET)], { deadlineMs: 10_000 });
    const failure = { code: "unavailable", error: expect.stringContaining("check the address"), cause: RESET };
    expect(await createOperator(options).pause("c")).toMatchObject({ ...failure, code: "outcome_unknown", error: expect.any(String) });
    expect(await createOperator(options).get("c")).toMatchObject(failure);
    const thrown: unknown = await STREAMS[name](createOperator(options)).catch((cause: unknown) => cause);
    expect(thrown).toBeInstanceOf(RefusedError);
    expect(thrown).toMatchObject({ cause: RESET, refusal: { code: "unavailable", error: failure.error } });
    expect(sent.length).toBeGreaterThan(9);
  },
);

test("an operator's stream retries its beginning; a broken body rejects with RefusedError", async () => {
  const { options } = scripted([LOST, refused(503, "unavailable"), () => new Response("a,b\n"), () => trickle("breaks off")[0]]);
  const operator = createOperator(options);
  expect(await new Response(await operator.backup("c")).text()).toBe("a,b\n");
  const broken = new Response(await operator.exportClaims("c", "csv")).text();
  await expect(broken).rejects.toMatchObject({ name: "RefusedError", cause: { message: "reset" } });
  const aborting = new AbortController();
  const { options: silent } = scripted([() => trickle("falls silent")[0]]);
  const aborted = new Response(await createOperator(silent).exportClaims("c", "csv", aborting.signal)).text();
  aborting.abort(new Error("the page was left"));
  await expect(aborted).rejects.toThrow("the page was left");
});

test("a watcher leaves a refusal that falls silent, and comes again", async () => {
  vi.useFakeTimers();
  const { options, sent } = scripted([() => trickle("falls silent")[0], refused(404, "coupon_not_found")]);
  const fetch: typeof options.fetch = async (url, init) => {
    const answer = await (options.fetch ?? LOST)(url, init);
    if (sent.length > 1) return answer;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    void answer.body?.pipeTo(writable, init.signal ? { signal: init.signal } : {}).catch(() => undefined);
    return new Response(readable, { status: 503 });
  };
  const next = createClient({ ...options, fetch })
    .watch("c")
    .next();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect(sent).toHaveLength(2);
  expect((await next).value).toEqual({ type: "deleted" });
});
