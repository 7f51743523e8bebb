// The addresses of a sale: its page, and the code that embeds it.

import type { JSX } from "preact";

import { CopyButton, ShareLink } from "../share.tsx";
import { embedCode } from "./embed.ts";

export function LinksCard({ name }: { readonly name: string }): JSX.Element {
  const code = embedCode(location.origin, name);
  return (
    <section class="card">
      <h2>Sale page</h2>
      <ShareLink name={name} />
      <details>
        <summary>Embed it in your shop</summary>
        <p class="small">Put this where the sale belongs, and list the shop's origin in ALLOWED_ORIGINS.</p>
        <pre class="code" tabIndex={0}>
          {code}
        </pre>
        <CopyButton text={code} label="Copy code" />
      </details>
    </section>
  );
}
