// The page of the API reference: the package that shows it, and what its search dialog lacks.

import "openapi-explorer/dist/browser/openapi-explorer.min.js";

/** Names the search dialog for screen readers, each time the package makes one. */
function nameDialog(root: ShadowRoot): void {
  const dialog = root.querySelector("#advanced-search-modal");
  if (dialog === null || dialog.hasAttribute("role")) return;
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("aria-label", "Search");
  dialog.querySelector("header")?.setAttribute("role", "presentation");
}

const root = document.querySelector("openapi-explorer")?.shadowRoot;
if (root) new MutationObserver(() => nameDialog(root)).observe(root, { childList: true, subtree: true });
