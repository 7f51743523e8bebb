// Builds and servers of a command, removed and ended when the command ends.

import { CommandFailure, type Call, type Options } from "../cli/command.ts";
import { build, removeScratch, scratchFolder, serve, type Served, type ServeOptions } from "./workerd.ts";

export type Ending = Pick<Call<Options>, "atEnd" | "signal">;

/** A scratch folder until the command ends. */
export async function folderFor({ atEnd }: Ending, purpose: string): Promise<string> {
  const folder = await scratchFolder(purpose);
  atEnd(() => removeScratch(folder));
  return folder;
}

/** Builds `entry` below `folder`. Returns the bundle's path. Throws {@link CommandFailure}. */
export async function bundleFor({ atEnd, signal }: Ending, entry: string, folder: string): Promise<string> {
  const building = build(entry, folder, signal);
  // An interrupted build still writes into the folder for a moment.
  atEnd(() => building.catch(() => undefined));
  return building.catch(() => {
    throw new CommandFailure(`${entry} does not build: npx wrangler deploy ${entry} --dry-run shows why`);
  });
}

/** Serves a bundle until the command ends. */
export async function serverFor({ atEnd, signal }: Ending, bundle: string, options: ServeOptions): Promise<Served> {
  const served = await serve(bundle, { ...options, signal });
  atEnd(() => served.kill());
  return served;
}
