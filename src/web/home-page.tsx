// The page at `/`: what this is, and where to go on. The operator sees the first sales too.

import type { Child } from "hono/jsx";
import * as z from "zod";

import { remaining } from "../domain/coupon.ts";
import { TextAnswer } from "../http/answer-schemas.ts";
import { currentSales } from "../http/current-sales.ts";
import { HTML_TYPE, JSON_TYPE } from "../http/media-types.ts";
import { ok, route } from "../http/route.ts";
import { page, type Page } from "./layout.tsx";

type Sales = NonNullable<Awaited<ReturnType<typeof currentSales>>>;

const HomeAnswer = z.object({ name: z.literal("Doorbuster"), links: z.record(z.string(), z.string()) });
const LINKS = { console: "/operator", docs: "/docs", openapi: "/openapi.json", health: "/health" };

export const getHome = route({
  id: "getHome",
  tag: "pages",
  method: "GET",
  path: "/",
  summary: "Get a page with links",
  description: "The same links in JSON for a caller who prefers it. The operator's page lists the first sales.",
  who: "everybody",
  successes: { 200: { description: "Where to go on.", content: { [HTML_TYPE]: TextAnswer, [JSON_TYPE]: HomeAnswer } } },
  refusals: [],
  async handle({ mediaType }, { worker, isOperator }) {
    if (mediaType === JSON_TYPE) return ok(200, { json: { name: "Doorbuster", links: LINKS } });
    return ok(200, (await isOperator()) ? home(<Operator sales={await currentSales(worker.env)} />) : home(null));
  },
});

function home(operator: Child): Page {
  return page({
    title: "Doorbuster",
    children: (
      <>
        <h1>Doorbuster</h1>
        <p class="lead">This server gives out the units of flash sales: exactly as many as there are, and at most one to each user.</p>
        {operator}
        <ul class="links">
          <li>
            <a href={LINKS.console}>Operator console</a>
            <span>Create a sale, watch it, pause it, export it.</span>
          </li>
          <li>
            <a href={LINKS.docs}>API reference</a>
            <span>Every route, with examples to try.</span>
          </li>
          <li>
            <a href={LINKS.health}>Health</a>
            <span>Whether this server is up.</span>
          </li>
        </ul>
      </>
    ),
  });
}

/** `sales` is null if there is no database that answers. */
function Operator({ sales }: { readonly sales: Sales | null }) {
  return (
    <>
      <div class="head">
        <h2>Sales</h2>
        <a class="button primary" href="/operator/new">
          New sale
        </a>
      </div>
      {sales === null || sales.length === 0 ? null : (
        <>
          <ul class="links">
            {sales.map((sale) => (
              <li>
                <a href={`/operator/sales/${encodeURIComponent(sale.name)}`}>
                  <bdi>{sale.title ?? sale.name}</bdi>
                </a>
                <span>
                  {sale.state.replace("_", " ")}, {remaining(sale).toLocaleString("en")} of {sale.amount.toLocaleString("en")} remaining
                </span>
              </li>
            ))}
          </ul>
          <p>
            <a href={LINKS.console}>All sales</a>
          </p>
        </>
      )}
      <h2>More</h2>
    </>
  );
}
