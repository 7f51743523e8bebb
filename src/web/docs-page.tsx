// The page at `/docs`: the reference of the API, made in the browser from `/openapi.json`.

import { TextAnswer } from "../http/answer-schemas.ts";
import { HTML_TYPE } from "../http/media-types.ts";
import { ok, route } from "../http/route.ts";
import { page, type Page } from "./layout.tsx";

/** What most callers need, by the method and path of an operation. */
const FIRST_STEPS = [
  ["post-/api/coupons", "Create a coupon", "as the operator: its name, its amount, and when it starts."],
  ["get-/api/coupons/{name}/status", "Read its status", "what a sale page shows."],
  ["post-/api/coupons/claim", "Claim one unit", "with an Idempotency-Key a retry is safe."],
] as const;

export const getDocs = route({
  id: "getDocs",
  tag: "pages",
  method: "GET",
  path: "/docs",
  summary: "Get the reference of the API",
  who: "everybody",
  successes: { 200: { description: "The page.", content: { [HTML_TYPE]: TextAnswer } } },
  refusals: [],
  handle: () => ok(200, docs()),
});

function docs(): Page {
  const navigation = (
    <header class="bar">
      <h1>API reference</h1>
      <nav aria-label="Doorbuster">
        <a href="/">Start page</a>
        <a href="/operator">Console</a>
        <a href="/openapi.json">openapi.json</a>
      </nav>
    </header>
  );
  return page({
    title: "API reference · Doorbuster",
    style: "docs",
    script: "docs",
    navigation,
    isWidget: true,
    children: (
      <div class="reference">
        <openapi-explorer spec-url="/openapi.json" collapse default-schema-tab="body" hide-components hide-server-selection>
          <div slot="overview-footer" class="first-steps">
            <noscript>
              <p>The reference needs JavaScript. The document that it shows is /openapi.json.</p>
            </noscript>
            <h2>First steps</h2>
            <ol>
              {FIRST_STEPS.map(([operation, title, purpose]) => (
                <li>
                  <a href={`#?route=${operation}`}>{title}</a>: {purpose}
                </li>
              ))}
            </ol>
            <p>
              Each operation has a form that sends the request to this server. If you are logged in to the console, it is sent as the
              operator.
            </p>
          </div>
        </openapi-explorer>
      </div>
    ),
  });
}
