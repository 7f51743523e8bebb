// A page as a visitor gets it: its headers, its texts, and what it loads.

import { exports } from "cloudflare:workers";

import { fetchWith, type Settings } from "../../support/worker.ts";

export type Shown = {
  readonly status: number;
  readonly headers: Headers;
  readonly title: string;
  readonly h1: string;
  /** The text at the beginning of each element with an id that is not hidden. */
  readonly parts: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly scripts: readonly string[];
};

export function pathOfSale(name: string): string {
  return `/s/${encodeURIComponent(name)}`;
}

/** Returns a page of the Worker with `settings`, or with those of wrangler.toml. */
export async function shown(path: string, settings?: Settings, headers: Record<string, string> = {}): Promise<Shown> {
  const response =
    settings === undefined
      ? await exports.default.fetch(`https://doorbuster.test${path}`, { headers })
      : await fetchWith(settings, "GET", path, { headers });
  return parsed(response);
}

/** Parses a page by the platform's own parser. */
export async function parsed(response: Response): Promise<Shown> {
  const { status, headers } = response;
  const texts: Record<string, string> = {};
  const attributes: Record<string, Record<string, string>> = {};
  const scripts: string[] = [];
  const text = (key: string) => (chunk: Text) => void (texts[key] = (texts[key] ?? "") + chunk.text);
  const html = await new HTMLRewriter()
    .on("title", { text: text("title") })
    .on("h1", { text: text("h1") })
    .on("script", { element: (element) => void scripts.push(element.getAttribute("src") ?? "inline") })
    .on("[id]", {
      element({ attributes: all }) {
        const named = Object.fromEntries(Array.from(all, ([name = "", value = ""]) => [name, unescaped(value)]));
        attributes[named["id"] ?? ""] = named;
      },
    })
    .transform(response)
    .text();
  const visible = Object.keys(attributes).filter((id) => !("hidden" in (attributes[id] ?? {})));
  const parts = Object.fromEntries(
    visible.map((id) => [id, unescaped(new RegExp(`id="${id}"[^>]*>([^<]*)`).exec(html)?.[1] ?? "").trim()]),
  );
  return { status, headers, title: unescaped(texts["title"] ?? ""), h1: unescaped(texts["h1"] ?? "").trim(), parts, attributes, scripts };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
function unescaped(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? "");
}
