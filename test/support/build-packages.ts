// Builds the packages once for all tests of a project, because the examples import them as a shop does.

import { execFileSync } from "node:child_process";

export default function setup(): void {
  execFileSync("npm", ["run", "build:packages"], { stdio: ["ignore", "ignore", "inherit"] });
}
