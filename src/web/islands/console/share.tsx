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
  const copy = (): void =>
    void navigator.clipboard.writeText(text).then(
      () => setCopiedAt(Date.now()),
      () => undefined,
    );
  return (
    <>
      <button type="button" onClick={copy}>
        {label}
      </button>
      <span role="status">{isCopied ? "Copied" : ""}</span>
    </>
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
