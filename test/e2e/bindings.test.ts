// The database and the network of a Worker on workerd, without wrangler.

import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { build, removeScratch, scratchFolder, serve, type Served, type ServeOptions } from "../../scripts/server/workerd.ts";

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await scratchFolder("bindings");
  bundle = await build("verification/workers/bindings.ts", folder);
});

afterAll(() => removeScratch(folder));

const select = "SELECT as_of FROM freshness";

function insert(at: number): string {
  return `INSERT INTO freshness VALUES (1, ${at}) ON CONFLICT DO UPDATE SET as_of = excluded.as_of`;
}

/** Serves until the test ends. */
async function served(options: ServeOptions): Promise<Served> {
  const server = await serve(bundle, options);
  onTestFinished(server.kill);
  return server;
}

async function ask(url: string | undefined, statements: readonly string[]): Promise<unknown> {
  const response = await fetch(url ?? "", { method: "POST", body: JSON.stringify({ statements }) });
  return response.ok ? response.json() : response.text();
}

test("a served database has the tables, rolls back a failed batch, and survives SIGKILL", async () => {
  const state = join(folder, "state");
  const server = await served({ state, isolates: 2 });
  const [first, other] = server.urls;
  expect(await ask(first, [insert(1), select])).toEqual([[], [{ as_of: 1 }]]);
  expect(await ask(first, [insert(2), "SELECT nothing"])).toContain("D1_ERROR: near");
  expect(await ask(other, [select])).toEqual([[{ as_of: 1 }]]);
  expect(await ask(other, [insert(3)])).toEqual([[]]);
  await server.kill();
  const again = await served({ state });
  expect(await ask(again.url, [select])).toEqual([[{ as_of: 3 }]]);
});

test.for([
  ["any", `"reached"`],
  ["public", expect.stringContaining("internal error")],
  [undefined, expect.stringContaining("internal error")],
] as const)("with WEBHOOK_TARGETS %j, a fetch of 127.0.0.1 ends as %s", async ([targets, expected]) => {
  const target = createServer((_, response) => response.end(`"reached"`)).listen(0, "127.0.0.1");
  onTestFinished(() => void target.close());
  await once(target, "listening");
  const address = target.address();
  const { port } = address === null || typeof address === "string" ? { port: 0 } : address;
  const vars = targets === undefined ? {} : { WEBHOOK_TARGETS: targets };
  const server = await served({ state: join(folder, `network-${targets}`), vars });
  const response = await fetch(server.url, { method: "POST", body: JSON.stringify({ url: `http://127.0.0.1:${port}/` }) });
  expect(await response.text()).toEqual(expected);
});
