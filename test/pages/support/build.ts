// Builds the product once for all tests of pages.

import type { TestProject } from "vitest/node";

import { build, PRODUCT, removeScratch, scratchFolder } from "../../../scripts/server/workerd.ts";

declare module "vitest" {
  interface ProvidedContext {
    bundle: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await scratchFolder("pages");
  project.provide("bundle", await build(PRODUCT, folder));
  return () => removeScratch(folder);
}
