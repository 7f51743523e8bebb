import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// Otherwise the pool prints where it found .dev.vars, once for each test file.
process.env["WRANGLER_LOG"] ??= "error";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "hono/jsx" } },
  test: {
    // A hang is a failure; slowness is not. Timing is never asserted.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    // What a test printed, a seed above all, is shown where it failed.
    silent: "passed-only",
    projects: [
      {
        extends: true,
        // Inside workerd: real fetches through the Worker to real objects with real storage.
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: { r2Buckets: ["BUCKET"] }, verbose: false })],
        test: {
          name: "workers",
          include: ["test/{storms,worker}/**/*.test.ts"],
          setupFiles: ["test/support/read-model.ts"],
          provide: { migrations: await readD1Migrations("migrations") },
        },
      },
      {
        extends: true,
        // In Node: the engine on node:sqlite, the rules, the code's own shape.
        test: { name: "node", include: ["test/{architecture,rules}/**/*.test.ts", "{bench,scripts,verification}/**/*.test.ts"] },
      },
      {
        extends: true,
        // From outside: a server process and real sockets.
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], globalSetup: ["test/support/build-packages.ts"] },
      },
      {
        extends: true,
        // In Node, with pages in Chromium. `npm run test:pages` runs it where there is one.
        test: {
          name: "pages",
          include: ["test/pages/**/*.test.ts"],
          globalSetup: ["test/support/build-packages.ts", "test/pages/support/build.ts"],
        },
      },
    ],
  },
});
