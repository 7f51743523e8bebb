// `npm run rebuild`: writes the read model again, from the ledgers of the coupons.

import { setTimeout as pause } from "node:timers/promises";

import { CommandFailure, EXIT, runCommand } from "./cli/command.ts";
import { progressOf } from "./cli/progress.ts";

const COMMAND = "npm run rebuild";
const POLL_MS = 250;
/** Coupons that are rebuilt at the same time. Each takes some time of the database. */
const AT_ONCE = 4;

await runCommand(
  {
    name: COMMAND,
    operands: "[NAME...]",
    operandsMax: 100_000,
    about: `
Writes the rows of the read model (D1) again from the ledgers of the coupons: after the database was restored, damaged
or replaced. Without names, it takes all coupons that the read model lists. If the database is new, name them. It waits
until each is complete. Sales go on meanwhile.`,
    options: {
      baseUrl: { kind: "text", value: "URL", default: "http://127.0.0.1:8787", env: true, help: "where Doorbuster answers" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token" },
    },
  },
  async ({ options, operands, signal }) => {
    const ask = asker(options.baseUrl, options.adminToken);
    const names = operands.length > 0 ? operands : await listedNames(ask);
    if (names.length === 0) throw new CommandFailure("the read model lists no coupon: give the names of the coupons");
    const progress = progressOf("rebuild", names.length);
    const left = [...names];
    let doneCount = 0;
    const failures: string[] = [];
    async function worker(): Promise<void> {
      for (let name = left.shift(); name !== undefined && !signal.aborted; name = left.shift()) {
        const failure = await rebuild(ask, name, signal, (note) => progress.update(doneCount, note));
        if (failure !== null) failures.push(`${name}: ${failure}`);
        doneCount += 1;
        progress.update(doneCount, name);
      }
    }
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    } finally {
      progress.stop();
    }
    for (const failure of failures) console.error(failure);
    console.log(`rebuilt ${names.length - failures.length} of ${names.length} coupons`);
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

/** The fields of answers that are read here. */
type Body = {
  readonly error?: string;
  readonly coupons?: readonly { readonly name: string }[];
  readonly next_after?: string | null;
  readonly sinks?: readonly { readonly sink: string; readonly lag_events: number; readonly last_error: string | null }[];
};
type Ask = (method: string, path: string) => Promise<{ readonly status: number; readonly body: Body }>;

function asker(baseUrl: string, token: string | undefined): Ask {
  return async (method, path) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, baseUrl), { method, headers }).catch((cause: unknown) => {
      throw new CommandFailure(`${baseUrl} can't be reached: ${String(cause)}`);
    });
    const text = await response.text();
    const body = (response.headers.get("content-type") === "application/json" ? JSON.parse(text) : {}) as Body;
    if (response.status === 401) throw new CommandFailure(`${body.error ?? ""} (give it as --admin-token or ADMIN_TOKEN)`);
    return { status: response.status, body };
  };
}

async function listedNames(ask: Ask): Promise<string[]> {
  const names: string[] = [];
  for (let after: string | null = null; ;) {
    const query: string = after === null ? "" : `&after=${encodeURIComponent(after)}`;
    const { status, body } = await ask("GET", `/api/coupons?limit=1000${query}`);
    if (status !== 200) throw new CommandFailure(`the coupons can't be listed: ${body.error ?? status}`);
    names.push(...(body.coupons ?? []).map(({ name }) => name));
    after = body.next_after ?? null;
    if (after === null) return names;
  }
}

/** Rebuilds one coupon and waits for it. Returns what went wrong, or null. */
async function rebuild(ask: Ask, name: string, signal: AbortSignal, note: (text: string) => void): Promise<string | null> {
  const path = `/api/coupons/${encodeURIComponent(name)}/delivery`;
  const begun = await ask("POST", `${path}/rebuild`);
  if (begun.status !== 202) return begun.body.error ?? `HTTP ${begun.status}`;
  while (!signal.aborted) {
    const { status, body } = await ask("GET", path);
    if (status === 404) return "deleted meanwhile";
    const sink = (body.sinks ?? []).find((one) => one.sink === "d1");
    if (sink?.lag_events === 0) return null;
    note(`${name}: ${sink?.lag_events ?? "?"} events left ${sink?.last_error ?? ""}`);
    await pause(POLL_MS);
  }
  return "interrupted";
}
