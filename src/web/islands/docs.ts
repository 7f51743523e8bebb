// The page of the API reference: the package that shows it, and its mends.

import "openapi-explorer/dist/browser/openapi-explorer.min.js";

// The package would push this address, and then "back" would lead to the reference again.
if (location.hash === "") history.replaceState(history.state, "", "#?route=overview");

function mend(root: ShadowRoot): void {
  // Screen readers need the name of the search dialog.
  for (const dialog of root.querySelectorAll(".dialog-box:not([role])")) {
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.setAttribute("aria-label", "Search");
    dialog.querySelector("header")?.setAttribute("role", "presentation");
  }
  // A webhook is a request to another server, so there is nothing to try here.
  for (const webhook of root.querySelectorAll(`api-request[enable-console="true"]:not([path^="/"])`))
    webhook.setAttribute("enable-console", "false");
}

const root = document.querySelector("openapi-explorer")?.shadowRoot;
if (root) new MutationObserver(() => mend(root)).observe(root, { childList: true, subtree: true });
