// A PostgreSQL server of our own, on a Unix socket. Every commit is on disk before its answer.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import { ready, socketFolder, succeeds, versionOf } from "./own-server.ts";
import { Skipped, type Lab } from "./system.ts";

/** Where Debian keeps a version's programs, which are not on the PATH. */
const DEBIAN = "/usr/lib/postgresql";

/** fsync and synchronous_commit are defaults that matter. No checkpoint falls into a run. */
const SETTINGS = {
  listen_addresses: "",
  fsync: "on",
  synchronous_commit: "on",
  shared_buffers: "256MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "30min",
} as const;

/** What is installed, such as `15.14`, or null. */
export async function postgresVersion(): Promise<string | null> {
  const programs = await programsFolder();
  return programs === null ? null : versionOf(join(programs, "postgres"), /\) (\S+)/);
}

/** Starts PostgreSQL, which ends with the run. Its user is `bench`, without a password. */
export async function startPostgres(lab: Lab): Promise<{ readonly socketFolder: string; readonly pid: number }> {
  const programs = await programsFolder();
  if (programs === null) throw new Skipped("PostgreSQL is not installed");
  const owner = await unprivileged();
  const folder = join(lab.folder, lab.fresh("postgres"));
  await mkdir(folder);
  if (owner !== null) {
    // The folders above it are ours, and it only has to pass through the lab's.
    await chown(folder, owner.uid, owner.gid);
    await chmod(lab.folder, 0o711);
  }
  const sockets = await socketFolder(lab);
  await promisify(execFile)(join(programs, "initdb"), ["-D", folder, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"], {
    cwd: folder,
    ...owner,
  }).catch((cause: unknown) => {
    throw new Skipped(`PostgreSQL can't make its files in ${folder}: ${String(cause).split("\n")[1] ?? ""}`);
  });
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: sockets }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const postgres = spawn(join(programs, "postgres"), ["-D", folder, ...settings], { cwd: folder, ...owner, stdio: "ignore" });
  const ended = once(postgres, "exit");
  lab.atEnd(async () => {
    // It ends at once, without a checkpoint, since its files are thrown away.
    postgres.kill("SIGQUIT");
    await ended;
  });
  await ready("PostgreSQL", () => succeeds(join(programs, "pg_isready"), ["-q", "-h", sockets, "-d", "postgres"]), ended);
  if (postgres.pid === undefined) throw new Skipped("PostgreSQL did not start");
  return { socketFolder: sockets, pid: postgres.pid };
}

/** The folder of the newest version's programs, or null where none is installed. */
async function programsFolder(): Promise<string | null> {
  const versions = (await readdir(DEBIAN).catch(() => [])).toSorted((a, b) => Number(b) - Number(a));
  const folders = [...versions.map((version) => join(DEBIAN, version, "bin")), ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders.find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

/** The user that runs PostgreSQL, which refuses to run as root. Null where we are not root. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  return { uid: await idOfPostgres("-u"), gid: await idOfPostgres("-g") };
}

async function idOfPostgres(option: "-u" | "-g"): Promise<number> {
  const { stdout } = await promisify(execFile)("id", [option, "postgres"]).catch(() => {
    throw new Skipped("PostgreSQL can't be run by root, and there is no user postgres");
  });
  return Number(stdout);
}
