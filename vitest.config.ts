import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Components come to tests as sources that Vite has to find with `import.meta.glob`. */
const COMPONENTS = /@convex-dev/;

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
          server: { deps: { inline: ["convex-test", COMPONENTS] } },
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
          server: { deps: { inline: [COMPONENTS] } },
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
