// Watches every page of a context for what a clean page never does.

import type { BrowserContext, ConsoleMessage, Page, Request } from "playwright-core";

/** What the pages of a context did wrong, in order. */
const faultsOf = new WeakMap<BrowserContext, string[]>();

const DATA_TYPES = new Set(["document", "fetch", "xhr", "eventsource"]);

/** A page reports violations of its policy through this function. */
const REPORT = "reportPolicyViolation";

/** Watches a new context. `origin` is the server's. `isServerLost` says whether failed requests are the test's own doing. */
export async function watch(context: BrowserContext, origin: string, isServerLost: () => boolean): Promise<void> {
  const faults: string[] = [];
  faultsOf.set(context, faults);
  await context.exposeFunction(REPORT, (violation: string) => void faults.push(`policy: ${violation}`));
  await context.addInitScript(`addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    ${REPORT}(effectiveDirective + " blocks " + blockedURI);
  })`);
  context.on("console", (message) => faults.push(...consoleFaults(message)));
  context.on("weberror", (error) => faults.push(`page error: ${error.error().message}`));
  context.on("request", (request) => {
    if (!isOwn(request, origin)) faults.push(`another host: ${request.url()}`);
  });
  context.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // A page aborts its own requests when it is left or closes a stream.
    if (why === "net::ERR_ABORTED" || (isServerLost() && isOwn(request, origin))) return;
    faults.push(`failed request: ${request.url()} ${why}`);
  });
  context.on("response", (response) => {
    const request = response.request();
    // Refusals of the API and pages of errors are answers. A missing script or picture is a fault.
    if (response.status() >= 400 && !DATA_TYPES.has(request.resourceType())) faults.push(`status ${response.status()}: ${request.url()}`);
  });
}

function consoleFaults(message: ConsoleMessage): string[] {
  // Failed requests and statuses are judged by the request itself.
  if (message.type() !== "error" || message.text().startsWith("Failed to load resource:")) return [];
  return [`console: ${message.text()}`];
}

function isOwn(request: Request, origin: string): boolean {
  return ["data:", "blob:", `${origin}/`].some((start) => request.url().startsWith(start));
}

/** Returns the faults in the context of `page` since the last call. */
export async function takeFaults(page: Page): Promise<string[]> {
  // Events arrive in order, so those before this answer are here. A page that is being left does not answer.
  for (const one of page.context().pages()) await one.evaluate("0").catch(() => undefined);
  return faultsOf.get(page.context())?.splice(0) ?? [];
}

/** Throws if there is a fault in the context of `page`. The fixture `open` calls it when a test ends. */
export async function expectClean(page: Page): Promise<void> {
  const faults = await takeFaults(page);
  if (faults.length > 0) throw new Error(`the page is not clean:\n${faults.join("\n")}`);
}
