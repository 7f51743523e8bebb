// `npm run verify`: checks the files of all coupons without the product's code.

import { join } from "node:path";

import { EXIT, runCommand, usage } from "../../scripts/cli/command.ts";
import { progressOf, type Progress } from "../../scripts/cli/progress.ts";
import type { ApiOptions } from "./api.ts";
import { receiptsIn } from "./receipts.ts";
import { printChecks, verify, type VerifyOptions } from "./verify.ts";

const COMMAND = "npm run verify";
const LOCAL_STATE = join(import.meta.dirname, "../../.wrangler/state/v3/do");

await runCommand(
  {
    name: COMMAND,
    about: `
Copies the SQLite file of each coupon's object and checks the copy with its own statements. None of the product's code runs.
A server may write meanwhile. Where the state has a read model (D1), its rows are compared with the ledgers. The exit code is the number of checks that failed, at most 63.

An acknowledged claim has to be stored, or to be revoked later. The claims of a deleted coupon count as lost.`,
    options: {
      state: { kind: "text", value: "FOLDER", default: LOCAL_STATE, help: "the folder that the server keeps its objects in" },
      coupon: { kind: "text", value: "NAME", help: "checks this coupon alone" },
      url: { kind: "text", value: "URL", env: "BASE_URL", help: "the server of that state; its answers are compared with the files" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token of that server, where it has one" },
      receipts: { kind: "text", value: "FILE", help: "the body of each 201 that clients got, a line each" },
      delivered: { kind: "flag", help: "fails where the read model is behind the ledgers" },
      json: { kind: "flag", help: "prints the checks as JSON" },
      all: { kind: "flag", help: "prints every check; otherwise more than 20 coupons print only failures" },
    },
  },
  async ({ options }) => {
    const { state, coupon, url, adminToken, receipts, delivered, json, all } = options;
    const wanted: VerifyOptions = {
      state,
      isDelivered: delivered,
      ...(coupon === undefined ? {} : { coupon }),
      ...(url === undefined ? {} : { api: apiOf(url, adminToken) }),
      ...(receipts === undefined ? {} : { receipts: await receiptsIn(receipts) }),
    };
    let progress: Progress | undefined;
    const checks = await verify({
      ...wanted,
      onProgress(count, total) {
        progress ??= progressOf("verifying", total);
        progress.update(count);
      },
    }).finally(() => progress?.stop());
    if (json) console.log(JSON.stringify({ checks }));
    else printChecks(checks, { all });
    return Math.min(checks.filter(({ verdict }) => verdict === "FAIL").length, EXIT.failuresMax);
  },
);

function apiOf(url: string, adminToken: string | undefined): ApiOptions {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usage({ name: COMMAND }, `--url takes an address such as http://127.0.0.1:8787, not "${url}"`);
  }
  return { url: new URL(url).origin, ...(adminToken === undefined ? {} : { adminToken }) };
}
