/** Which files of a folder are modules, by the rules of the official bundler (convex/src/bundler). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".jsx"];

/** The files of a definition that are modules of it, relative to its folder, sorted. */
export function* entryPoints(root: string, folder = ""): Generator<string, void, undefined> {
  const here = readdirSync(path.join(root, folder), { withFileTypes: true });
  for (const entry of here.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      const isComponent = existsSync(path.join(root, file, "convex.config.ts"));
      if (file !== "_generated" && entry.name !== "node_modules" && !isComponent)
        yield* entryPoints(root, file);
    } else if (entry.isFile() && isModule(root, file)) {
      yield file;
    }
  }
}

function isModule(root: string, file: string): boolean {
  const name = path.basename(file);
  const extension = path.extname(file);
  if (!EXTENSIONS.includes(extension)) return false;
  if (name.startsWith(".") || name.startsWith("#") || file.includes(" ")) return false;
  if (name === "schema.ts" || name === "schema.js") return false;
  if (name.split(".").length > 2) return false;
  // A TypeScript file without import or export is not a module.
  return (
    !extension.startsWith(".ts") || /^\s*(import|export)/m.test(readFileSync(path.join(root, file), "utf8"))
  );
}

/** The file of this name, such as "schema", with whatever extension it has; `null` when there is none. */
export function configFile(root: string, name: string): string | null {
  return [`${name}.ts`, `${name}.js`].find((file) => existsSync(path.join(root, file))) ?? null;
}

/** Whether a module runs in Node alone. */
export function hasUseNode(root: string, file: string): boolean {
  const source = readFileSync(path.join(root, file), "utf8");
  return /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*["']use node["']/.test(source);
}
