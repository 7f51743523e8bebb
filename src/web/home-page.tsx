// The page at `/`: what this is, and where to go on.

import { HTML_TYPE, JSON_TYPE } from "../http/media-types.ts";
import { TextAnswer } from "../http/answer-schemas.ts";
import { ok, route } from "../http/route.ts";
import * as z from "zod";
import { page } from "./layout.tsx";

const HomeAnswer = z.object({ name: z.literal("Doorbuster"), links: z.record(z.string(), z.string()) });
const LINKS = { console: "/operator", docs: "/docs", openapi: "/openapi.json", health: "/health" };

export const getHome = route({
  id: "getHome",
  tag: "pages",
  method: "GET",
  path: "/",
  summary: "Get a page with links",
  description: "The same links in JSON for a caller who prefers it.",
  who: "everybody",
  successes: { 200: { description: "Where to go on.", content: { [HTML_TYPE]: TextAnswer, [JSON_TYPE]: HomeAnswer } } },
  refusals: [],
  handle({ mediaType }) {
    if (mediaType === JSON_TYPE) return ok(200, { json: { name: "Doorbuster", links: LINKS } });
    return ok(200, home());
  },
});

function home() {
  return page({
    title: "Doorbuster",
    children: (
      <>
        <h1>Doorbuster</h1>
        <p class="lead">This server gives out the units of flash sales: exactly as many as there are, and at most one to each user.</p>
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
