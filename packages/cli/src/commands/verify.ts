// `verify`: checks the files of sales. It runs the checkout's own verifier, which has none of the product's code.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Command } from "../args.ts";
import { CommandError, EXIT, usage } from "../failure.ts";

const VERIFIER = fileURLToPath(new URL("../../../../verification/verify/run.ts", import.meta.url));

export const verify: Command = {
  name: "verify",
  operands: ["FOLDER"],
  about: "Checks the files of sales in a server's state folder, or in a copy of it.",
  details: "It works in a checkout alone. A server may run meanwhile.",
  options: { coupon: { value: "NAME", help: "checks this sale alone" } },
  examples: ["doorbuster verify .doorbuster/state"],
  json: "`{checks}`",
  async run({ args, isJson }) {
    if (!existsSync(VERIFIER))
      throw new CommandError(
        EXIT.usage,
        "this is no checkout of Doorbuster, and the verifier is only there",
        "run it there: npx doorbuster verify FOLDER",
        {
          code: "usage",
        },
      );
    const folder = args.operand("FOLDER");
    if (!existsSync(folder))
      throw usage(`there is no folder ${folder}`, "npm run serve keeps its state in .doorbuster/state, and npm start in .wrangler/state");
    const coupon = args.text("coupon");
    const given = ["--state", folder, ...(coupon === undefined ? [] : ["--coupon", coupon]), ...(isJson ? ["--json"] : [])];
    const child = spawn(process.execPath, [VERIFIER, ...given], { stdio: "inherit" });
    await once(child, "close");
    if (child.exitCode === 0) return EXIT.done;
    // 1 to 63 is the number of failed checks, and 64 a wrong call.
    if (child.exitCode === null || child.exitCode > 64) return EXIT.unknown;
    return child.exitCode === 64 ? EXIT.usage : EXIT.refused;
  },
};
