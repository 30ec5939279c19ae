import { readFile, writeFile } from "node:fs/promises";
import { dialectDocuments } from "./dialects";
import { openapiDocument } from "./document";

/** Writes the documents, or with `--check` exits 1 if a file is not what would be written. */
const documents = { openapi: openapiDocument(), ...dialectDocuments };

for (const [name, document] of Object.entries(documents)) {
  const file = new URL(`${name}.json`, import.meta.url);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (!process.argv.includes("--check")) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(
      `openapi/${name}.json is not what the contract says: run \`npm run openapi\` and commit it`,
    );
    process.exitCode = 1;
  }
}
