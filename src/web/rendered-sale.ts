// Renders the sale page. It is equal for all visitors, so one rendering of a snapshot serves a crowd.

import type { Found } from "../domain/rpc.ts";
import type { Env } from "../edge/env.ts";
import { page, sourcesIn, type Page } from "./layout.tsx";
import { sale, titleOf, type Identity, type Variant } from "./sale-markup.tsx";

/** Where Cloudflare's widget comes from. Without a site key, no page loads anything from there. */
const TURNSTILE_HOST = "https://challenges.cloudflare.com";

/** One rendering for each variant of a snapshot. A snapshot is one object for all its visitors. */
const rendered = new WeakMap<Found, Map<string, Page>>();

/** Returns the page of a snapshot. */
export function salePage(found: Found, variant: Variant, env: Env): Page {
  const origins = sourcesIn(env.ALLOWED_ORIGINS);
  const settings = { ...variant, identity: identityOf(env), origins, siteKey: env.TURNSTILE_SITE_KEY };
  const key = JSON.stringify(settings);
  const pages = rendered.get(found) ?? new Map<string, Page>();
  rendered.set(found, pages);
  const known = pages.get(key);
  if (known !== undefined) return known;
  const made = page({
    title: titleOf(found.coupon),
    style: "sale",
    script: "sale",
    frameOrigins: origins,
    widgetHost: settings.siteKey === undefined ? undefined : TURNSTILE_HOST,
    children: sale(found, settings),
  });
  pages.set(key, made);
  return made;
}

function identityOf({ IDENTITY, IDENTITY_SECRET, IDENTITY_JWKS_URL }: Env): Identity {
  if (IDENTITY_SECRET !== undefined || IDENTITY_JWKS_URL !== undefined) return "token";
  return IDENTITY === "off" ? "off" : "closed";
}
