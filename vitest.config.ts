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
        test: {
          name: "node",
          include: ["tests/{embedded,parity,openapi,e2e}/**/*.test.ts"],
          environment: "node",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
