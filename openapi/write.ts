import { readFile, writeFile } from "node:fs/promises";
import { openapiDocument } from "./document";

/** Writes the document, or with `--check` exits 1 if the file is not what would be written. */
const file = new URL("openapi.json", import.meta.url);
const text = `${JSON.stringify(openapiDocument(), null, 2)}\n`;

if (!process.argv.includes("--check")) {
  await writeFile(file, text);
} else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
  console.error("openapi/openapi.json is not what the contract says: run `npm run openapi` and commit it");
  process.exit(1);
}
