/** Copies of the app that a test may break. */
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { PROJECT_FOLDER, temporaryFolder } from "./server";

/** Copies the app with all that it imports, and gives the folder of the copy. */
export async function copyApp(): Promise<string> {
  const project = await temporaryFolder();
  await cp(path.join(PROJECT_FOLDER, "convex"), path.join(project, "convex"), { recursive: true });
  await cp(path.join(PROJECT_FOLDER, "openapi"), path.join(project, "openapi"), { recursive: true });
  await symlink(path.join(PROJECT_FOLDER, "node_modules"), path.join(project, "node_modules"), "dir");
  return path.join(project, "convex");
}

/** Replaces a part of a file, which must be there once. */
export async function edit(app: string, file: string, part: string, replacement: string): Promise<void> {
  const target = path.join(app, file);
  const text = await readFile(target, "utf8");
  if (text.split(part).length !== 2) throw new Error(`${file} does not hold ${JSON.stringify(part)} once`);
  await writeFile(
    target,
    text.replace(part, () => replacement),
  );
}
