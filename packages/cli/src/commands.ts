// All commands, in the order of the help.

import type { Command } from "./args.ts";
import { backupCommands } from "./commands/backup.ts";
import { claimCommands } from "./commands/claims.ts";
import { completion } from "./commands/completion.ts";
import { couponCommands } from "./commands/coupons.ts";
import { endCommands } from "./commands/end.ts";
import { erase } from "./commands/erase.ts";
import { importClaims } from "./commands/import.ts";
import { loginCommands } from "./commands/login.ts";
import { verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";
import { webhookCommands } from "./commands/webhooks.ts";

export const COMMANDS: readonly Command[] = [
  ...couponCommands,
  watch,
  ...claimCommands,
  importClaims,
  ...backupCommands,
  ...endCommands,
  erase,
  ...webhookCommands,
  ...loginCommands,
  verify,
  completion(() => COMMANDS),
];
