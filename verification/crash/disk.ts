// A disk whose power can be cut: an ext4 in a file. A cut keeps the writes that reached the block device.

import { execFile } from "node:child_process";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import type { Random } from "../random.ts";
import type { Served } from "../../scripts/server/workerd.ts";

const IMAGE_BYTES = 24 * 1024 * 1024;
const SECTOR_BYTES = 512;
/** Two equal copies in a row show that nothing was written between them. */
const COPIES_MAX = 50;
const STOPPED_WITHIN_MS = 5_000;
/** One of so many cuts keeps a random part of the unsynced sectors. */
const TORN_EVERY = 2;

export type Cuts = {
  cuts: number;
  /** Cuts with unsynced file data, and its sectors. */
  unsynced: number;
  unsyncedSectors: number;
  /** Cuts that kept a random part of those sectors, and how many. */
  torn: number;
  tornSectors: number;
};

/** Without the `LD_PRELOAD` of the server. */
const { LD_PRELOAD: _preload, ...ENV } = process.env;

async function run(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { env: ENV });
  return stdout;
}

export class Disk {
  /** The mount point. */
  readonly root: string;
  readonly cuts: Cuts = { cuts: 0, unsynced: 0, unsyncedSectors: 0, torn: 0, tornSectors: 0 };
  readonly #folder: string;
  #image: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.root = join(folder, "disk");
    this.#image = join(folder, "image-0");
  }

  /** Makes and mounts a disk below `folder`. Throws if this machine or this user can't. */
  static async open(folder: string): Promise<Disk> {
    const disk = new Disk(folder);
    await mkdir(disk.root, { recursive: true });
    const image = await open(disk.#image, "w");
    await image.truncate(IMAGE_BYTES).finally(() => image.close());
    await run("mkfs.ext4", "-q", "-F", disk.#image);
    await disk.#mount();
    return disk;
  }

  /**
   * Stops `server`, cuts the power and ends it. The file system then has the block device's content of that
   * instant, after a replay of its journal. Dirty pages are lost, except sometimes a random part of their
   * sectors.
   */
  async cut(server: Served, random: Random): Promise<void> {
    process.kill(server.pid, "SIGSTOP");
    await stopped(server.pid);
    const received = await this.#copy();
    // The copy is taken. This only shows which sectors were unsynced.
    await run("sync", "-f", this.root);
    const synced = await this.#copy();
    const sectors = unsyncedSectors(received, synced, await this.#dataExtents());
    await server.kill();
    await this.close();
    this.cuts.cuts += 1;
    this.cuts.unsyncedSectors += sectors.length;
    if (sectors.length > 0) this.cuts.unsynced += 1;
    if (sectors.length > 0 && random.below(TORN_EVERY) === 0) this.#tear(received, synced, sectors, random);
    await rm(this.#image);
    this.#image = join(this.#folder, `image-${this.cuts.cuts}`);
    await writeFile(this.#image, received);
    await this.#mount();
  }

  async close(): Promise<void> {
    await run("umount", this.root);
  }

  async #mount(): Promise<void> {
    await run("mount", "-o", "loop,noatime", this.#image, this.root);
  }

  /** The image at one instant. Hardly anything is written while the server is stopped. */
  async #copy(): Promise<Buffer> {
    let before = await readFile(this.#image);
    for (let copies = 1; copies < COPIES_MAX; copies += 1) {
      const after = await readFile(this.#image);
      if (after.equals(before)) return after;
      before = after;
    }
    throw new Error(`the disk was written while ${COPIES_MAX} copies were taken`);
  }

  #tear(received: Buffer, synced: Buffer, sectors: readonly number[], random: Random): void {
    this.cuts.torn += 1;
    for (const sector of sectors) {
      if (random.below(2) === 0) continue;
      synced.copy(received, sector * SECTOR_BYTES, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
      this.cuts.tornSectors += 1;
    }
  }

  /** The sectors of file data, without the journal and metadata. */
  async #dataExtents(): Promise<readonly (readonly [first: number, last: number])[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    if (files.length === 0) return [];
    const text = await run("filefrag", `-vb${SECTOR_BYTES}`, ...files);
    return Array.from(text.matchAll(/^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):/gm), ([, first, last]) => [
      Number(first),
      Number(last),
    ]);
  }
}

function unsyncedSectors(received: Buffer, synced: Buffer, extents: readonly (readonly [first: number, last: number])[]): number[] {
  const sectors: number[] = [];
  for (const [first, last] of extents) {
    for (let sector = first; sector <= last; sector += 1) {
      const [from, until] = [sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES];
      if (received.compare(synced, from, until, from, until) !== 0) sectors.push(sector);
    }
  }
  return sectors;
}

/** Resolves once no thread of the process runs, in user space or in the kernel. */
async function stopped(pid: number): Promise<void> {
  const until = performance.now() + STOPPED_WITHIN_MS;
  while (performance.now() < until) {
    const threads = await readdir(`/proc/${pid}/task`);
    const stats = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")));
    // The state follows the name in parentheses (proc(5)).
    if (stats.every((stat) => /\) [Tt] /.test(stat.slice(stat.lastIndexOf(")"))))) return;
    await pause(1);
  }
  throw new Error("the server could not be stopped");
}
