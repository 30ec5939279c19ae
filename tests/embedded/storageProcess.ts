import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const WRITER = new URL("./storageWriter.ts", import.meta.url).pathname;

/** Runs storageWriter.ts in a process of its own, until it ends or for so long after its first line. */
export function runWriter(
  args: string[],
  { killAfterMs, fileKilobytes }: { killAfterMs?: number; fileKilobytes?: number },
): Promise<{ lines: string[] }> {
  const limit = fileKilobytes === undefined ? "" : `ulimit -f ${fileKilobytes}; `;
  const child = spawn(
    "bash",
    ["-c", `${limit}exec "$@"`, "bash", process.execPath, "--import", "tsx", WRITER, ...args],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    if (output === "" && killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    output += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // A line that was cut off by the kill reports nothing.
    child.on("close", () => resolve({ lines: output.split("\n").slice(0, -1) }));
  });
}

/** storageWriter.ts in a process of its own that does what it is told. */
export class ObedientWriter {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(kind: string, path: string): Promise<ObedientWriter> {
    const child = spawn(process.execPath, ["--import", "tsx", WRITER, "obey", kind, path], {
      // LMDB writes to the standard error what it also rejects with.
      stdio: ["pipe", "pipe", "ignore"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    return new ObedientWriter(child, lines);
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer.done) throw new Error("The process has ended");
    return answer.value;
  }

  /** Lets no file of the process grow beyond so many bytes; `unlimited` takes that back. */
  async limitFiles(bytes: number | "unlimited"): Promise<void> {
    await promisify(execFile)("prlimit", [`--pid=${this.#child.pid}`, `--fsize=${bytes}:unlimited`]);
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
