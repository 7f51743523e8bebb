// The frame of every page, with the headers that keep it closed to everything but its own server.

import type { Child } from "hono/jsx";

import { HTML_TYPE } from "../http/media-types.ts";

export type Frame = {
  /** The text of the browser's tab. */
  readonly title: string;
  /** The stylesheet and the script of the page, by their names in `public/assets`. Each is optional. */
  readonly style?: string;
  readonly script?: string;
  /** The origins, besides the own one, that may show the page in a frame; nothing may when left out. */
  readonly frameOrigins?: Iterable<string>;
  /** Another host whose script and frame the page loads, as a CSP source. */
  readonly widgetHost?: string | undefined;
  /** A path that the browser goes to by itself, at once. */
  readonly loadsAgainAt?: string;
  /** Links above the content; for the console. */
  readonly navigation?: Child;
  /** The content is a widget of another project: it has its own `<main>` and sets inline styles. */
  readonly isWidget?: true;
  readonly children: Child;
};

/** Returns the origins that can stand in a policy. An app's own scheme allows more characters than a policy does. */
export function sourcesIn(origins: Iterable<string>): string[] {
  return Array.from(origins).filter((origin) => !/[;,'"\s]/.test(origin));
}

/** The answer of a page route, without its status. */
export type Page = {
  readonly contentType: `${typeof HTML_TYPE}; charset=utf-8`;
  readonly text: string;
  readonly headers: Readonly<Record<"Content-Security-Policy" | "Referrer-Policy" | "X-Content-Type-Options", string>>;
};

/** Returns a page. Everything that it loads is a file of its own server. No attribute runs code, nor styles but in a widget. */
export function page(frame: Frame): Page {
  const { title, style, script, frameOrigins, widgetHost, loadsAgainAt, navigation, isWidget, children } = frame;
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {loadsAgainAt === undefined ? null : <meta http-equiv="refresh" content={`0; url=${loadsAgainAt}`} />}
        <title>{title}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/base.css" />
        {style === undefined ? null : <link rel="stylesheet" href={`/assets/${style}.css`} />}
        <link rel="stylesheet" href="/theme.css" />
        {script === undefined ? null : <script type="module" src={`/assets/${script}.js`} />}
      </head>
      <body>
        {navigation ?? null}
        {isWidget === true ? children : <main id="main">{children}</main>}
      </body>
    </html>
  );
  const styles = isWidget === true ? "'self' 'unsafe-inline'" : "'self'";
  const [scripts, frames] = widgetHost === undefined ? ["'self'", ""] : [`'self' ${widgetHost}`, `frame-src ${widgetHost}; `];
  const frameAncestors = frameOrigins === undefined ? "'none'" : ["'self'", ...sourcesIn(frameOrigins)].join(" ");
  return {
    contentType: `${HTML_TYPE}; charset=utf-8`,
    // The renderer of JSX prints no doctype.
    // oxlint-disable-next-line typescript/no-base-to-string -- its types hide that an element has a text
    text: `<!doctype html>${html.toString()}`,
    headers: {
      "Content-Security-Policy": `default-src 'none'; script-src ${scripts}; style-src ${styles}; ${frames}img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ${frameAncestors}`,
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    },
  };
}
