// The page at `/`: the operator's first sales.

import { expect, test } from "vitest";

import { create } from "../../support/api.ts";
import { fetchWith, type Settings } from "../../support/worker.ts";
import { deliver } from "../delivery/deliver.ts";

async function home(settings: Settings): Promise<string> {
  const response = await fetchWith(settings, "GET", "/", { headers: { Accept: "text/html" } });
  expect(response.status).toBe(200);
  return response.text();
}

test("the home page shows the operator five sales, and everybody else none", async () => {
  const names = Array.from({ length: 6 }, (_, index) => `${index} <script>&"/%`);
  for (const [index, name] of names.entries())
    expect((await create(name, 1500, { title: index === 1 ? "<i>Shoe" : null })).status).toBe(201);
  await deliver(...names);
  const own = await home({ ADMIN_AUTH: "off" });
  const links = Array.from(own.matchAll(/href="\/operator\/sales\/([^"]+)"/g), ([, name = ""]) => decodeURIComponent(name));
  expect(links).toEqual(names.slice(0, 5));
  expect(own).toContain("<bdi>0 &lt;script&gt;&amp;&quot;/%</bdi>");
  expect(own).toContain("<bdi>&lt;i&gt;Shoe</bdi>");
  expect(own).toContain("open, 1,500 of 1,500 remaining");
  expect(own).toContain('href="/operator/new"');
  const others = await home({ ADMIN_AUTH: undefined, ADMIN_TOKEN: "secret" });
  expect(others).not.toMatch(/operator\/sales|operator\/new/);
});

test.for([
  ["without a database", { DB: undefined }],
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a database of which only this is called
  [
    "with a database that fails",
    {
      DB: {
        prepare: () => {
          throw new Error("planted");
        },
      } as unknown as D1Database,
    },
  ],
] as const)("the home page %s shows the operator no list", async ([, settings]) => {
  const text = await home({ ADMIN_AUTH: "off", ...settings });
  expect(text).not.toContain("/operator/sales/");
  expect(text).toContain('href="/operator/new"');
});
