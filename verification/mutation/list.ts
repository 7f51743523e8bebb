// Every mutant there is.

import { CALL_MUTANTS } from "./list/calls.ts";
import { CERTIFICATE_MUTANTS } from "./list/certificates.ts";
import { EDGE_MUTANTS } from "./list/edge.ts";
import { HTTP_MUTANTS } from "./list/http.ts";
import { MAILBOX_MUTANTS } from "./list/mailbox.ts";
import { RULE_MUTANTS } from "./list/rules.ts";
import { STORAGE_MUTANTS } from "./list/storage.ts";
import type { Mutant } from "./mutant.ts";

export const MUTANTS: readonly Mutant[] = [
  ...MAILBOX_MUTANTS,
  ...RULE_MUTANTS,
  ...CERTIFICATE_MUTANTS,
  ...STORAGE_MUTANTS,
  ...CALL_MUTANTS,
  ...EDGE_MUTANTS,
  ...HTTP_MUTANTS,
];
