// Prints the test run's result as one plain line, from the report that vitest writes when CI is set.
import { readFileSync } from "node:fs";

const { numPassedTests, numFailedTests } = JSON.parse(readFileSync("coverage/tests.json", "utf8"));
console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed`);
process.exit(numPassedTests > 0 && numFailedTests === 0 ? 0 : 1);
