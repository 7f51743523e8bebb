// A server on a disk whose power can be cut: to kill it is to cut the power, and to start the machine again.

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { seeded, type Random } from "../random.ts";
import { serve, type Served, type ServeOptions } from "../server/workerd.ts";
import { Disk, type Cuts } from "./disk.ts";
import { slowFsync } from "./slow-fsync.ts";

export class Power {
  /** Whether the disk can be made to lie about its flushes: that takes a C compiler. */
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

  /** Makes the disk below `folder`. Answers why not, where this machine or this user can't. */
  static async open(folder: string, seed: number): Promise<Power | string> {
    const disk = await Disk.open(folder).catch(
      (cause: unknown) => String(cause instanceof Error ? cause.message : cause).split("\n")[0] ?? "",
    );
    if (typeof disk === "string") return disk;
    const lies = join(folder, "lies");
    const library = await slowFsync(folder, lies);
    // What is spawned from here on inherits it; the disk's own commands don't take it over.
    if (library !== null) process.env["LD_PRELOAD"] = library;
    return new Power(disk, lies, library !== null, seed);
  }

  /** A folder for the files of one run. */
  state(label: string): string {
    return join(this.#disk.root, label);
  }

  get cuts(): Cuts {
    return this.#disk.cuts;
  }

  /** Serves `bundle`; where it `isLying`, flushes do nothing. Its `kill` cuts the power. */
  async serve(bundle: string, options: ServeOptions, isLying: boolean): Promise<Served> {
    await (isLying ? writeFile(this.#lies, "") : rm(this.#lies, { force: true }));
    const server = await serve(bundle, options);
    this.#server = server;
    return { ...server, kill: () => this.#disk.cut(server, this.#random) };
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    await this.#server?.kill();
    await this.#disk.close();
  }
}
