import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // A hang is a failure; slowness is not. Timing is never asserted.
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        // Inside workerd: real fetches through the Worker to real objects with real storage.
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: { name: "workers", include: ["test/{contract,stress,chaos,edge}/**/*.test.ts"] },
      },
      {
        extends: true,
        // In Node: the engine on node:sqlite, the rules, the code's own shape.
        test: { name: "node", include: ["test/{engine,property,architecture}/**/*.test.ts"] },
      },
    ],
  },
});
