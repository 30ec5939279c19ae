/** Projects for the official command line, which wants one that depends on convex. */
import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporaryServer";

export const ADMIN_KEY = "tests|0123456789abcdef";

const BINARIES = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));

/** The folder of a new project without any functions. */
export async function newProject(): Promise<string> {
  const project = path.join(await temporaryFolder(), "project");
  await mkdir(path.join(project, "convex"), { recursive: true });
  await writeFile(path.join(project, "package.json"), '{"dependencies": {"convex": "*"}}');
  await symlink(path.dirname(BINARIES), path.join(project, "node_modules"));
  return project;
}

/** Where a command of the official packages is, and how it is run in a project against a server of {@link ADMIN_KEY}. */
export function cliCommand(project: string, server: { url: string }, command: "convex" | "convex-helpers") {
  const env = {
    PATH: `${BINARIES}:${process.env["PATH"] ?? ""}`,
    CONVEX_SELF_HOSTED_URL: server.url,
    CONVEX_SELF_HOSTED_ADMIN_KEY: ADMIN_KEY,
    HOME: path.dirname(project),
  };
  return { file: path.join(BINARIES, command), options: { cwd: project, env } };
}

/** Runs such a command to its end; gives what it has printed. */
export function runCli(
  project: string,
  server: { url: string },
  args: readonly string[],
  command: "convex" | "convex-helpers" = "convex",
): Promise<{ stdout: string; stderr: string }> {
  const { file, options } = cliCommand(project, server, command);
  return promisify(execFile)(file, [...args], options);
}
