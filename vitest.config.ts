import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // For .ci/run, which ends with a line of totals.
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: "coverage/tests.json" }]] : ["default"],
    projects: [
      {
        test: {
          name: "convex",
          include: ["tests/convex/**/*.test.ts"],
          environment: "edge-runtime",
          server: { deps: { inline: ["convex-test"] } },
        },
      },
      {
        // The same tests on the embedded runtime.
        resolve: {
          alias: { "convex-test": fileURLToPath(new URL("embedded/convexTest.ts", import.meta.url)) },
        },
        test: {
          name: "convex-on-embedded",
          include: ["tests/convex/**/*.test.ts"],
          environment: "node",
        },
      },
      {
        test: {
          name: "node",
          include: ["tests/{embedded,parity,openapi,e2e,bench}/**/*.test.ts"],
          environment: "node",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
