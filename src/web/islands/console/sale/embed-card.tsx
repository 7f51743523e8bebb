// The code that embeds a sale in a shop, to copy it.

import type { JSX } from "preact";

import { CopyButton } from "../share.tsx";
import { embedCode } from "./embed.ts";

export function EmbedCard({ name }: { readonly name: string }): JSX.Element {
  const code = embedCode(location.origin, name);
  return (
    <details class="card">
      <summary>Embed the sale in your shop</summary>
      <p class="small">Put this where the sale belongs, and list the shop's origin in ALLOWED_ORIGINS.</p>
      <pre class="code" tabIndex={0}>
        {code}
      </pre>
      <CopyButton text={code} label="Copy code" />
    </details>
  );
}
