// Planted bugs of the simulation as mutations: a test of the product has to notice them too.

import { PLANTED_BUGS } from "../../simulation/planted-bugs.ts";
import type { Mutation, Suite } from "../mutation.ts";

/** The planted bug `name`, which `suite` has to notice. */
export function planted(name: string, suite: Suite): Mutation {
  const { fault = "", edits = [] } = PLANTED_BUGS[name] ?? {};
  return { name, fault, edits, suite };
}
