// Prints the test run's result as one plain line, from the report that vitest writes when CI is set.
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync("coverage/tests.json", "utf8"));
const { numPassedTests, numFailedTests, numPendingTests } = report;
if (numPendingTests > 0) console.log(`${numPendingTests} tests were skipped, for the reasons printed above`);
console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed`);
process.exit(numPassedTests > 0 && numFailedTests === 0 ? 0 : 1);
