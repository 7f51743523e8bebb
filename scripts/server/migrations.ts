// Applies migrations/ to a local database, as `wrangler d1 migrations apply` does, which takes two seconds.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { DATABASE_FOLDER, objectFile, ROOT } from "./config.ts";

/** Where `wrangler dev` keeps its databases, below the folder of `--persist-to`. Without an id, the binding's name is the id. */
const WRANGLER_FOLDER = "miniflare-D1DatabaseObject";
const BINDING = "DB";

/** The database of `npm run serve` below its state folder. */
export function servedDatabase(state: string): string {
  return join(state, DATABASE_FOLDER, objectFile(DATABASE_FOLDER, BINDING));
}

/** The database of `wrangler dev` below its state folder. */
export function wranglerDatabase(persistTo: string): string {
  return join(persistTo, "v3/d1", WRANGLER_FOLDER, objectFile(WRANGLER_FOLDER, BINDING));
}

/** Applies the migrations that a database does not have yet. Creates it if it is missing. Returns how many it applied. */
export function migrate(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    // wrangler's own table, so that it knows of them.
    database.exec(`CREATE TABLE IF NOT EXISTS d1_migrations (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`);
    const applied = new Set(
      database
        .prepare("SELECT name FROM d1_migrations")
        .all()
        .map(({ name }) => name),
    );
    const folder = join(ROOT, "migrations");
    const due = readdirSync(folder)
      .filter((name) => name.endsWith(".sql") && !applied.has(name))
      .sort();
    for (const name of due) {
      database.exec(`BEGIN IMMEDIATE; ${readFileSync(join(folder, name), "utf8")}`);
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(name);
      database.exec("COMMIT");
    }
    return due.length;
  } finally {
    database.close();
  }
}
