// The frame of the console's pages: navigation, and a place for the island that fills the page.

import { HTML_TYPE } from "../../http/media-types.ts";
import { TextAnswer } from "../../http/answer-schemas.ts";
import { ok, route, type Route } from "../../http/route.ts";
import { page, type Page } from "../layout.tsx";

/** The pages of the console's navigation. */
const NAVIGATION = [
  ["/operator", "Sales"],
  ["/operator/new", "New sale"],
  ["/operator/webhooks", "Webhooks"],
] as const;

/** The path of the login page that leads back to `path`. */
export function loginPath(path: string): string {
  return `/operator/login?next=${encodeURIComponent(path)}`;
}

type Island = {
  readonly id: string;
  /** In OpenAPI's form. The island reads the parameters from its address. */
  readonly path: string;
  readonly title: string;
  /** The island, by its name in `src/web/islands`. */
  readonly script: string;
};

/** Declares a page of the console. A visitor who is not the operator is sent to the login page. */
export function consoleRoute({ id, path, title, script }: Island): Route {
  const shown = shell(title, script, path);
  return route({
    id,
    tag: "pages",
    method: "GET",
    path,
    summary: title,
    who: "everybody",
    successes: {
      200: { description: "The page.", content: { [HTML_TYPE]: TextAnswer } },
      303: { description: "To the login page." },
    },
    refusals: [],
    async handle(_input, { isOperator, path: asked }) {
      return (await isOperator()) ? ok(200, shown) : ok(303, { headers: { Location: loginPath(asked) } });
    },
  });
}

function shell(title: string, script: string, path: string): Page {
  const navigation = (
    <header class="bar">
      <a class="brand" href="/operator">
        Doorbuster
      </a>
      <nav aria-label="Console">
        {NAVIGATION.map(([href, label]) => (
          <a href={href} aria-current={href === path ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <form method="post" action="/operator/logout">
        <button class="quiet">Log out</button>
      </form>
    </header>
  );
  return page({
    title: `${title} · Doorbuster`,
    style: "console",
    script,
    navigation,
    children: (
      <div id="app">
        <h1>{title}</h1>
        <noscript>
          <p>The console needs JavaScript. The same actions are routes of the API.</p>
        </noscript>
        <p class="muted">Loading…</p>
      </div>
    ),
  });
}
