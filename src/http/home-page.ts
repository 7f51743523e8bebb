// The page at `/`: where a visitor with a browser finds out what this is, and what to ask.

const STYLE =
  ":root{color-scheme:light dark;background:Canvas;color:CanvasText}body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}";

/** Allows the style above, by its hash, and nothing else. */
export const HOME_CSP =
  "default-src 'none'; style-src 'sha256-TNmgUSN49czPDojIJog1ByxlUDTWPbwjagDIbAjzBs8='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const HOME_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Doorbuster</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Doorbuster</h1>
<p>This server gives out the units of flash sales: exactly as many as there are, and at most one to each user.</p>
<ul>
<li><a href="/openapi.json">OpenAPI document</a>: every route, with examples</li>
<li><a href="/health">Health</a>: whether the server is up</li>
<li>Documentation: <code>README.md</code> and <code>docs/</code> in the repository</li>
</ul>
</main>
</body>
</html>
`;
