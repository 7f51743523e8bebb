// Every mutant there is.

import { COMMIT_MUTANTS } from "./list/commit.ts";
import { EDGE_MUTANTS } from "./list/edge.ts";
import { HTTP_MUTANTS } from "./list/http.ts";
import { RULE_MUTANTS } from "./list/rules.ts";
import { STORAGE_MUTANTS } from "./list/storage.ts";
import type { Mutant } from "./mutant.ts";

export const MUTANTS: readonly Mutant[] = [...COMMIT_MUTANTS, ...RULE_MUTANTS, ...STORAGE_MUTANTS, ...EDGE_MUTANTS, ...HTTP_MUTANTS];
