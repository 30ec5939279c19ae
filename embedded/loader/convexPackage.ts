import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/** The module of the convex package that calls queries and mutations. */
const CALLING_MODULE = /[\\/]convex[\\/]dist[\\/]esm[\\/]server[\\/]impl[\\/]registration_impl\.js$/;

/** What `functions/directDatabase.js` makes contexts of. */
const PARTS = [
  "invokeQuery",
  "invokeMutation",
  "invokeFunction",
  "QueryImpl",
  "QueryInitializerImpl",
  "convexToJson",
  "jsonToConvex",
  "validateReturnValue",
];

// In a version of the package that has no such part, it is missing, and whoever adopts the parts does without.
const HANDED_OVER = PARTS.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`);
const HAND_OVER = `if (typeof Convex !== "undefined" && Convex.adopt) Convex.adopt({ ${HANDED_OVER.join(", ")} });\n`;

/** Has the app's convex package hand over parts of itself to the realm in which it is loaded. */
export const convexPackage: Plugin = {
  name: "convex-package",
  setup(plugin) {
    plugin.onLoad({ filter: CALLING_MODULE }, async ({ path }) => ({
      // Before the comment that names the source map, behind all else, whose places stay as they are.
      contents: (await readFile(path, "utf8")).replace(/^\/\/# sourceMappingURL=/m, `${HAND_OVER}$&`),
      loader: "js",
    }));
  },
};
