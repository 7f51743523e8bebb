// What `npm run deploy` calls: a deploy to one environment must not touch the database of another.

import { expect, test } from "vitest";

import { deploySteps } from "./deploy-steps.ts";

const APPLY = "d1 migrations apply DB --remote";

test.for([
  ["", ["deploy --env=", `${APPLY} --env=`]],
  ["--env staging", ["deploy --env staging", `${APPLY} --env=staging`]],
  ["--keep-vars --env=staging", ["deploy --keep-vars --env=staging", `${APPLY} --env=staging`]],
  ["-e staging", ["deploy -e staging", `${APPLY} --env=staging`]],
  ["--dry-run", ["deploy --env= --dry-run"]],
] as const)("npm run deploy with %j deploys, then migrates the same environment", ([args, expected]) => {
  const steps = deploySteps(args.split(" ").filter((arg) => arg !== ""));
  expect(steps.map((step) => step.join(" "))).toEqual(expected);
});
