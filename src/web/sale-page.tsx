// The page of a sale at `/s/{name}`. It costs the coupon's object no more than a read a second.

import * as z from "zod";

import { snapshot } from "../edge/snapshots.ts";
import { TextAnswer } from "../http/answer-schemas.ts";
import { HTML_TYPE } from "../http/media-types.ts";
import { ok, route } from "../http/route.ts";
import { salePage } from "./rendered-sale.ts";

const flag = z.string().optional();

export const getSalePage = route({
  id: "getSalePage",
  tag: "pages",
  method: "GET",
  path: "/s/{name}",
  summary: "Get the page of a sale",
  who: "everybody",
  isEmbeddable: true,
  query: { flow: flag, embed: flag },
  successes: { 200: { description: "May be cached for a second.", content: { [HTML_TYPE]: TextAnswer } } },
  refusals: [],
  async handle({ params: { name }, query: { flow, embed } }, { worker }) {
    const found = await snapshot(worker, name);
    if (!found.ok) return found;
    const variant = { flow: flow === "hold" ? "hold" : "claim", isEmbedded: embed === "1" } as const;
    return ok(200, { ...salePage(found, variant, worker.env), cacheControl: "public, max-age=1" });
  },
});
