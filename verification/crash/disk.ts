// A disk whose power can be cut: an ext4 in a file, of which a cut keeps what the block device had been given.

import { execFile } from "node:child_process";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import type { Random } from "../random.ts";
import type { Served } from "../server/workerd.ts";

const IMAGE_BYTES = 24 * 1024 * 1024;
const SECTOR_BYTES = 512;
/** Two equal copies in a row show that nothing was written between them. */
const COPIES_MAX = 50;
const STOPPED_WITHIN_MS = 5_000;
/** Of so many cuts, one leaves some of the sectors that were not synced on the disk. */
const TORN_EVERY = 2;

/** What the cuts of a run have met. */
export type Cuts = {
  cuts: number;
  /** Cuts at which file data was not yet on the disk, and how many sectors. */
  unsynced: number;
  unsyncedSectors: number;
  /** Cuts after which a random part of those sectors was on the disk all the same, and how many. */
  torn: number;
  tornSectors: number;
};

/** Not what the server has: its `LD_PRELOAD` is its own. */
const { LD_PRELOAD: _preload, ...ENV } = process.env;

async function run(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { env: ENV });
  return stdout;
}

export class Disk {
  /** Where the file system is mounted. */
  readonly root: string;
  readonly cuts: Cuts = { cuts: 0, unsynced: 0, unsyncedSectors: 0, torn: 0, tornSectors: 0 };
  readonly #folder: string;
  #image: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.root = join(folder, "disk");
    this.#image = join(folder, "image-0");
  }

  /** Makes and mounts one below `folder`. Throws where this machine or this user can't. */
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
   * Stops `server`, cuts the power and ends it: afterwards the file system has what the block device had at that instant, after a
   * replay of its journal. The dirty pages of its files are lost, but for a random part of their sectors now and then.
   */
  async cut(server: Served, random: Random): Promise<void> {
    process.kill(server.pid, "SIGSTOP");
    await stopped(server.pid);
    const given = await this.#copy();
    // Only to learn what was not synced: the copy is taken already.
    await run("sync", "-f", this.root);
    const synced = await this.#copy();
    const sectors = unsyncedSectors(given, synced, await this.#dataExtents());
    await server.kill();
    await this.close();
    this.cuts.cuts += 1;
    this.cuts.unsyncedSectors += sectors.length;
    if (sectors.length > 0) this.cuts.unsynced += 1;
    if (sectors.length > 0 && random.below(TORN_EVERY) === 0) this.#tear(given, synced, sectors, random);
    await rm(this.#image);
    this.#image = join(this.#folder, `image-${this.cuts.cuts}`);
    await writeFile(this.#image, given);
    await this.#mount();
  }

  /** Unmounts it. */
  async close(): Promise<void> {
    await run("umount", this.root);
  }

  async #mount(): Promise<void> {
    await run("mount", "-o", "loop,noatime", this.#image, this.root);
  }

  /** The image at one instant, of which nothing is written while the server is stopped, or hardly anything. */
  async #copy(): Promise<Buffer> {
    let before = await readFile(this.#image);
    for (let copies = 1; copies < COPIES_MAX; copies += 1) {
      const after = await readFile(this.#image);
      if (after.equals(before)) return after;
      before = after;
    }
    throw new Error(`the disk was written while ${COPIES_MAX} copies were taken`);
  }

  #tear(given: Buffer, synced: Buffer, sectors: readonly number[], random: Random): void {
    this.cuts.torn += 1;
    for (const sector of sectors) {
      if (random.below(2) === 0) continue;
      synced.copy(given, sector * SECTOR_BYTES, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
      this.cuts.tornSectors += 1;
    }
  }

  /** Where the data of files lies, in sectors: the journal and what describes files are not among it. */
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

function unsyncedSectors(given: Buffer, synced: Buffer, extents: readonly (readonly [first: number, last: number])[]): number[] {
  const sectors: number[] = [];
  for (const [first, last] of extents) {
    for (let sector = first; sector <= last; sector += 1) {
      const [from, until] = [sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES];
      if (given.compare(synced, from, until, from, until) !== 0) sectors.push(sector);
    }
  }
  return sectors;
}

/** Resolves once no thread of the process runs any more, in the kernel neither. */
async function stopped(pid: number): Promise<void> {
  const until = performance.now() + STOPPED_WITHIN_MS;
  while (performance.now() < until) {
    const threads = await readdir(`/proc/${pid}/task`);
    const stats = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")));
    // The state follows the name, which stands in parentheses (source: proc(5)).
    if (stats.every((stat) => /\) [Tt] /.test(stat.slice(stat.lastIndexOf(")"))))) return;
    await pause(1);
  }
  throw new Error("the server could not be stopped");
}
