// The form of a planted bug.

import type { Edit } from "../mutation/mutation.ts";
import type { PlatformBugs } from "./context.ts";

/** A bug in one sentence. An edit that does not fit ends the run. */
export type PlantedBug = { readonly fault: string; readonly platformBugs?: PlatformBugs; readonly edits?: readonly Edit[] };

export const bug = (fault: string, ...edits: readonly (readonly [file: string, find: string, replace: string])[]): PlantedBug => ({
  fault,
  edits: edits.map(([file, find, replace]) => ({ file: `src/${file}.ts`, find, replace })),
});
