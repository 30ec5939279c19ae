import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

export type ServerProcess = {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
};

/** The settings of a deployment are the bench's own, not those of whoever runs it. */
const SETTINGS =
  /^(WORKOS_|NODE_ENV$|PORT$|SITE_PORT$|DATA_FOLDER$|BIND_HOST$|ADMIN_KEY$|ALLOWED_|RATE_LIMIT_)/;

/**
 * Runs a server in a process of its own, until it has printed the first URL at which it is reached.
 *
 * @param args those of Node, with the script
 */
export async function startProcess(
  folder: string,
  args: readonly string[],
  environment: NodeJS.Dict<string>,
): Promise<ServerProcess> {
  const inherited = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(() => null);
  const found = new Promise<string>((resolve) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const match = /(http:\/\/[\d.:]+)\n/.exec(output);
      if (match?.[1]) resolve(match[1]);
    });
  });
  const url = await Promise.race([found, ended]);
  if (url === null || child.pid === undefined)
    throw new Error(`node ${args.join(" ")} ended before it could be reached`);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url, pid: child.pid, stop };
}

/** The processes that a process has started; none where there is no /proc. */
export async function childPids(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}
