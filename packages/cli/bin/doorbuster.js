#!/usr/bin/env node
// Starts the command line: in a checkout from its sources, in the published package from the built file.

import { existsSync } from "node:fs";

const source = new URL("../src/main.ts", import.meta.url);
const isCheckout = existsSync(source);
if (isCheckout && !process.features.typescript) {
  console.error("doorbuster: this Node can't run the sources\n  next: npx doorbuster, which takes the checkout's own Node 24");
  process.exit(2);
}
await import(isCheckout ? source.href : "../dist/main.js");
