// The code that embeds a sale's page in a shop.

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** Returns the script tag for the sale `name` of the server at `origin`, escaped as HTML. */
export function embedCode(origin: string, name: string): string {
  const escaped = name.replaceAll(/[&"<>]/g, (character) => ESCAPES[character] ?? character);
  return `<script src="${origin}/embed.js" data-coupon="${escaped}" async></script>`;
}
