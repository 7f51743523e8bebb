// The parts of the sale page that its script changes.

import { countdownText, isLongTimer } from "../sale-view.ts";

const article = document.querySelector("#sale");
if (!(article instanceof HTMLElement)) throw new TypeError("this page shows no sale");

export const sale: HTMLElement = article;

/** What the server says of this page, in `data-` attributes. */
export const settings = {
  status: sale.dataset["status"] ?? "",
  epoch: sale.dataset["epoch"] ?? "",
  isHoldFlow: sale.dataset["flow"] === "hold",
  identity: sale.dataset["identity"] ?? "closed",
  /** The origins of the shop. Its own pages may hand over a token too. */
  origins: [location.origin, ...(sale.dataset["origins"] ?? "").split(" ").filter((origin) => origin !== "")],
  siteKey: sale.dataset["siteKey"] ?? null,
  holdSeconds: Number(sale.dataset["holdSeconds"]),
} as const;

/** Returns the part with this id, or null if this page has none. */
export function part(id: string): HTMLElement | null {
  return document.getElementById(id);
}

/** Writes the text of a part, if it differs: an equal text would be said again. */
export function write(id: string, text: string): void {
  const element = part(id);
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/** Writes the rest of a countdown. Days need room. */
export function writeTimer(id: string, restMs: number): void {
  const text = countdownText(restMs);
  write(id, text);
  part(id)?.classList.toggle("long", isLongTimer(text));
}

export function show(id: string, isShown: boolean): void {
  const element = part(id);
  if (element !== null && element.hidden === isShown) element.hidden = !isShown;
}
