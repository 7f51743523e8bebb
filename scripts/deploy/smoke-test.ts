// Requests to a deployed Worker that show whether it works. They change nothing.

import { setTimeout as pause } from "node:timers/promises";

const PAUSE_MS = 1_000;
const ANSWER_WITHIN_MS = 15_000;

export type Tokens = { readonly adminToken: string | undefined; readonly serviceToken: string | undefined };

type Answer = { readonly status: number; readonly type: string; readonly text: string };
type Ask = (path: string, init?: { readonly token?: string | undefined; readonly body?: unknown }) => Promise<Answer>;

type SmokeCheck = { readonly name: string; /** Returns what is wrong, or null. */ readonly run: (ask: Ask) => Promise<string | null> };

/** Returns the checks. With the tokens they reach the objects and the database. */
function checksFor({ adminToken, serviceToken }: Tokens): SmokeCheck[] {
  return [
    {
      name: adminToken === undefined ? "/health (ADMIN_TOKEN is not given, so its parts are not checked)" : "/health?deep=1",
      run: async (ask) => {
        const answer = await ask(adminToken === undefined ? "/health" : "/health?deep=1", { token: adminToken });
        return answer.status === 200 && answer.text.includes(`"status":"healthy"`) ? null : said(answer);
      },
    },
    {
      name: "/ and its stylesheet",
      run: async (ask) => {
        const page = await ask("/");
        if (page.status !== 200 || !page.type.startsWith("text/html")) return said(page);
        const [path] = /\/assets\/[\w-]+\.css/.exec(page.text) ?? [];
        if (path === undefined) return "the page has no stylesheet";
        const asset = await ask(path);
        return asset.status === 200 && asset.type.startsWith("text/css") ? null : `${path}: ${said(asset)}`;
      },
    },
    {
      name: "the operator's routes are closed to others",
      run: async (ask) => {
        const answer = await ask("/api/coupons");
        return answer.status === 401 ? null : said(answer);
      },
    },
    {
      name:
        serviceToken === undefined
          ? "a claim of no coupon (SERVICE_TOKEN is not given, so it may be refused as unauthorized)"
          : "a claim of no coupon",
      run: async (ask) => {
        const body = { user_id: "smoke-test", coupon_name: `smoke-test-${crypto.randomUUID()}` };
        const answer = await ask("/api/coupons/claim", { token: serviceToken, body });
        const codes = serviceToken === undefined ? ["coupon_not_found", "unauthorized"] : ["coupon_not_found"];
        return codes.some((code) => answer.text.includes(`"code":"${code}"`)) ? null : said(answer);
      },
    },
  ];
}

function said({ status, text }: Answer): string {
  return `${status} ${text.slice(0, 200)}`;
}

async function sent(base: string, path: string, init: Parameters<Ask>[1] = {}): Promise<Answer> {
  const response = await fetch(new URL(path, base), {
    method: init.body === undefined ? "GET" : "POST",
    headers: { accept: path === "/" ? "text/html" : "*/*", ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }) },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return { status: response.status, type: response.headers.get("content-type") ?? "", text: await response.text() };
}

/** Runs each check until it passes. Past `waitMs`, a check runs once. Returns the names and the faults of all checks. */
export async function smokeTest(base: string, tokens: Tokens, waitMs: number) {
  const deadline = Date.now() + waitMs;
  const results: { readonly name: string; readonly fault: string | null }[] = [];
  for (const { name, run } of checksFor(tokens)) {
    const attempt = () => run((path, init) => sent(base, path, init)).catch((cause: unknown) => `no answer: ${String(cause)}`);
    let fault = await attempt();
    // A new address takes some seconds until it answers everywhere.
    while (fault !== null && Date.now() < deadline) {
      await pause(PAUSE_MS);
      fault = await attempt();
    }
    results.push({ name, fault });
  }
  return results;
}
