// Claims without JavaScript: the form of the sale page, and the page that says how the claim ended.

import * as z from "zod";

import { CLAIM_BODY_BYTES_MAX } from "../domain/limits.ts";
import { OUTCOME_COOKIE_SECONDS } from "../domain/service-limits.ts";
import type { ClaimResult, Found } from "../domain/rpc.ts";
import { callOrRefuse } from "../edge/certificates.ts";
import { snapshot } from "../edge/snapshots.ts";
import { TextAnswer } from "../http/answer-schemas.ts";
import { HTML_TYPE } from "../http/media-types.ts";
import { UserId } from "../http/request-schemas.ts";
import { ok, route } from "../http/route.ts";
import { page } from "./layout.tsx";
import { isOutcomeCode, outcomeView, type OutcomeCode } from "./outcome-view.ts";
import { salePath, titleOf } from "./sale-markup.tsx";

type Outcome = { readonly code: OutcomeCode; readonly position: number | undefined };

/** As the page's script does it: a keyboard that completes an address adds a space. */
const WrittenUserId = z.preprocess((sent) => (typeof sent === "string" ? sent.trim() : sent), UserId);

export const claimOnPage = route({
  id: "claimOnPage",
  tag: "pages",
  method: "POST",
  path: "/s/{name}",
  summary: "Claim one unit by the form of the sale page",
  description: "Without a key, a second try of a winner gets the receipt.",
  who: "user",
  isRateLimited: true,
  isClaim: true,
  needsChallenge: true,
  body: { schema: z.object({ user_id: WrittenUserId }), bytesMax: CLAIM_BODY_BYTES_MAX, isForm: true },
  successes: { 303: { description: "See the outcome page." } },
  refusals: [],
  async handle({ params: { name }, body: { user_id: userId } }, { worker, attemptId }) {
    const request = { userId, key: null, attemptId };
    const result = await callOrRefuse(worker, name, request, (coupon) => coupon.claim(request), true);
    if (!result.ok && result.code === "coupon_not_found") return { ok: false, code: result.code };
    const headers = { Location: `${salePath(name)}/outcome`, "Set-Cookie": cookieOf(name, outcomeOf(result)) };
    return ok(303, { headers, contentType: HTML_TYPE, text: null, ...(result.ok ? {} : { hidden: result }) });
  },
});

type Ended = ClaimResult | { readonly ok: false; readonly code: string };

function outcomeOf(result: Ended): Outcome {
  if (result.ok) return { code: "granted", position: result.claim.position };
  const code = isOutcomeCode(result.code) ? result.code : "no_answer";
  return { code, position: "claim" in result ? result.claim?.position : undefined };
}

/** A browser drops the path of a very long name, so the cookie names its sale. */
function cookieOf(name: string, { code, position }: Outcome): string {
  const value = `${code}.${position ?? ""}.${encodeURIComponent(name)}`;
  return `outcome=${value}; Path=${salePath(name)}; Max-Age=${OUTCOME_COOKIE_SECONDS}; HttpOnly; SameSite=Lax`;
}

/** Returns the outcome that the cookie has for this sale. Any other cookie is no answer. */
function outcomeIn(cookies: string, name: string): Outcome {
  for (const [, code = "", position, of] of cookies.matchAll(/(?:^|;\s*)outcome=([a-z_]+)\.(\d{0,10})\.([^;]*)/g))
    if (of === encodeURIComponent(name) && isOutcomeCode(code)) return { code, position: Number(position) || undefined };
  return { code: "no_answer", position: undefined };
}

export const getOutcomePage = route({
  id: "getOutcomePage",
  tag: "pages",
  method: "GET",
  path: "/s/{name}/outcome",
  summary: "Get the page that says how a claim by the form ended",
  who: "everybody",
  requestHeaders: ["Cookie"],
  successes: { 200: { description: "For this visitor alone.", content: { [HTML_TYPE]: TextAnswer } } },
  refusals: [],
  async handle({ params: { name } }, { worker, headers }) {
    const found = await snapshot(worker, name);
    if (!found.ok) return found;
    return ok(200, outcomePage(found, outcomeIn(headers.get("cookie") ?? "", name)));
  },
});

function outcomePage({ coupon }: Found, { code, position }: Outcome) {
  const { tone, headline, sentence, next, button } = outcomeView(code, { position, amount: coupon.amount });
  return page({
    title: `${headline} · ${titleOf(coupon)}`,
    style: "sale",
    children: (
      <article class="sale">
        <div class="words">
          <div class="logo" />
          <p class="eyebrow" dir="auto">
            {titleOf(coupon)}
          </p>
        </div>
        <section class="panel" aria-label="Outcome">
          <div class="outcome" data-tone={tone}>
            <h1>{headline}</h1>
            <p>{sentence}</p>
            <p class="muted">{next}</p>
          </div>
          <p>
            <a class="button" href={salePath(coupon.name)}>
              {button?.label ?? "Back to the sale"}
            </a>
          </p>
        </section>
      </article>
    ),
  });
}
