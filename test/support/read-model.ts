// Prepares the database of a test file: it has the tables of migrations/. Ends the objects after the file.

import { abortAllDurableObjects, applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    migrations: D1Migration[];
  }
}

await applyD1Migrations(env.DB, inject("migrations"));

// Without this the pool can hang: it waits for what goes on in objects after the last test.
afterAll(() => abortAllDurableObjects());
