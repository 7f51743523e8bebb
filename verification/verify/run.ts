// `npm run verify`: looks into the files of all coupons, past the product, and says of each whether it adds up.

import { join } from "node:path";

import { EXIT, runCommand, usage } from "../cli/command.ts";
import { progressOf, type Progress } from "../cli/progress.ts";
import type { ApiOptions } from "./api.ts";
import { toldIn } from "./told.ts";
import { printChecks, verify, type VerifyOptions } from "./verify.ts";

const COMMAND = "npm run verify";
const LOCAL_STATE = join(import.meta.dirname, "../../.wrangler/state/v3/do");

await runCommand(
  {
    name: COMMAND,
    about: `
Copies the SQLite files of the coupons' objects, one after the other, and checks each copy with statements of its own; nothing
of the product's code runs. A server may go on meanwhile. The exit code is the number of checks that failed, at most 63.

Of a claim that a client was told about, "there" is: among the claims, or released later. A coupon that was deleted since
has forgotten its claims, and they count as lost.`,
    options: {
      state: { kind: "text", value: "FOLDER", default: LOCAL_STATE, help: "the folder that the server keeps its objects in" },
      coupon: { kind: "text", value: "NAME", help: "checks this coupon alone" },
      url: { kind: "text", value: "URL", env: "BASE_URL", help: "the server of that state: its answers are compared with the files" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token of that server, where it has one" },
      told: { kind: "text", value: "FILE", help: "what clients were told: the body of each 201, a line each" },
      all: { kind: "flag", help: "prints every check; of more than 20 coupons only what failed is printed otherwise" },
    },
  },
  async ({ options }) => {
    const { state, coupon, url, adminToken, told, all } = options;
    const wanted: VerifyOptions = {
      state,
      ...(coupon === undefined ? {} : { coupon }),
      ...(url === undefined ? {} : { api: apiOf(url, adminToken) }),
      ...(told === undefined ? {} : { told: await toldIn(told) }),
    };
    let progress: Progress | undefined;
    const checks = await verify({
      ...wanted,
      onProgress(count, total) {
        progress ??= progressOf("verifying", total);
        progress.update(count);
      },
    }).finally(() => progress?.stop());
    printChecks(checks, { all });
    return Math.min(checks.filter(({ verdict }) => verdict === "FAIL").length, EXIT.failuresMax);
  },
);

function apiOf(url: string, adminToken: string | undefined): ApiOptions {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usage({ name: COMMAND }, `--url takes an address such as http://127.0.0.1:8787, not "${url}"`);
  }
  return { url: new URL(url).origin, ...(adminToken === undefined ? {} : { adminToken }) };
}
