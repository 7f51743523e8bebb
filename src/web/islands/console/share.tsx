// The address of a sale's page, with a button that copies it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useNow } from "./live.ts";
import { salePath } from "./new-sale.ts";

const COPIED_MS = 3_000;

/** Copies `text`, and says so. Nothing where the browser has no clipboard, as on plain HTTP. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }): JSX.Element | null {
  const [copiedAt, setCopiedAt] = useState(0);
  const now = useNow(1_000);
  if (!isSecureContext) return null;
  const isCopied = now - copiedAt < COPIED_MS;
  return (
    <button
      type="button"
      onClick={() =>
        void navigator.clipboard.writeText(text).then(
          () => setCopiedAt(Date.now()),
          () => undefined,
        )
      }
    >
      <span role="status">{isCopied ? "Copied" : label}</span>
    </button>
  );
}

/** The link of a sale's page, to share it. */
export function ShareLink({ name }: { readonly name: string }): JSX.Element {
  const path = salePath(name);
  return (
    <p class="share">
      <a class="code" href={path} target="_blank">
        {location.origin}
        {path}
      </a>
      <CopyButton text={`${location.origin}${path}`} label="Copy address" />
    </p>
  );
}
