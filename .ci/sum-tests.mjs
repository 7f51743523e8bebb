// Usage: node sum-tests.mjs FAILED_STEPS REPORT... Prints "N passed, N failed" over vitest's JSON reports; exits 1 if
// anything failed, a step or a test, or if a report is missing.
import { readFileSync } from "node:fs";

const [failedSteps, ...paths] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const path of paths) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    passed += report.numPassedTests;
    failed += report.numTotalTests - report.numPassedTests;
  } catch {
    failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || Number(failedSteps) > 0 || passed === 0 ? 1 : 0);
