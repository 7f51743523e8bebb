// A server on a disk whose power can be cut. Its `kill` cuts the power and starts the machine again.

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { seeded, type Random } from "../random.ts";
import { serve, type Served, type ServeOptions } from "../server/workerd.ts";
import { Disk, type Cuts } from "./disk.ts";
import { slowFsync } from "./slow-fsync.ts";

export class Power {
  /** Whether the disk can lie about its flushes. It needs a C compiler. */
  readonly canLie: boolean;
  readonly #disk: Disk;
  readonly #lies: string;
  readonly #random: Random;
  #server: Served | null = null;

  private constructor(disk: Disk, lies: string, canLie: boolean, seed: number) {
    this.#disk = disk;
    this.#lies = lies;
    this.#random = seeded(seed);
    this.canLie = canLie;
  }

  /** Makes the disk below `folder`. Returns the reason if this machine or this user can't. */
  static async open(folder: string, seed: number): Promise<Power | string> {
    const disk = await Disk.open(folder).catch(
      (cause: unknown) => String(cause instanceof Error ? cause.message : cause).split("\n")[0] ?? "",
    );
    if (typeof disk === "string") return disk;
    const lies = join(folder, "lies");
    const library = await slowFsync(folder, lies);
    // Servers inherit it. The disk's own commands remove it.
    if (library !== null) process.env["LD_PRELOAD"] = library;
    return new Power(disk, lies, library !== null, seed);
  }

  state(label: string): string {
    return join(this.#disk.root, label);
  }

  get cuts(): Cuts {
    return this.#disk.cuts;
  }

  /** Serves `bundle`. If `isLying`, flushes do nothing. */
  async serve(bundle: string, options: ServeOptions, isLying: boolean): Promise<Served> {
    await (isLying ? writeFile(this.#lies, "") : rm(this.#lies, { force: true }));
    const server = await serve(bundle, options);
    this.#server = server;
    return { ...server, kill: () => this.#disk.cut(server, this.#random) };
  }

  async close(): Promise<void> {
    await this.#server?.kill();
    await this.#disk.close();
  }
}
