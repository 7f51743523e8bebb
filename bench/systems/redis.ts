// A Redis server of our own: on a Unix socket, with its append-only file in the lab's folder.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { ready, socketFolder, succeeds, versionOf } from "./own-server.ts";
import { Skipped, type Lab } from "./system.ts";

/** When Redis writes its file through to the disk: once a second, or before it answers. */
export type Fsync = "everysec" | "always";

/** What is installed, such as `7.0.15`, or null. */
export function redisVersion(): Promise<string | null> {
  return versionOf("redis-server", /v=(\S+)/);
}

/** Starts Redis, which ends with the run. It has an append-only file and no snapshots. */
export async function startRedis(lab: Lab, fsync: Fsync): Promise<{ readonly socket: string; readonly pid: number }> {
  if ((await redisVersion()) === null) throw new Skipped("redis-server is not installed");
  const folder = join(lab.folder, lab.fresh("redis"));
  await mkdir(folder);
  const socket = join(await socketFolder(lab), "redis.sock");
  const durability = ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""];
  const redis = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--dir", folder, ...durability], { stdio: "ignore" });
  const ended = once(redis, "exit");
  lab.atEnd(async () => {
    redis.kill("SIGKILL");
    await ended;
  });
  await ready("Redis", () => succeeds("redis-cli", ["-s", socket, "-e", "ping"]), ended);
  if (redis.pid === undefined) throw new Skipped("Redis did not start");
  return { socket, pid: redis.pid };
}
