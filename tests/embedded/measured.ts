/** Starts {@link ./measuredServer} and measures it. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { FIXTURE_APP } from "./harness";
import type { Measurement } from "./measuredServer";

const cleanups: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (let cleanUp = cleanups.pop(); cleanUp; cleanUp = cleanups.pop()) await cleanUp();
});

/** Runs a script of this folder in a process of its own, until the tests are done. */
export function forkScript(name: string, args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const child = fork(script, args, { execArgv: ["--expose-gc", "--import", "tsx"] });
  const ended = once(child, "exit");
  cleanups.push(() => {
    child.kill("SIGKILL");
    return ended;
  });
  return child;
}

/** What the process sends next. Rejects when it ends. */
export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      child.off("exit", onExit);
      resolve(message as T);
    };
    const onExit = () => reject(new Error("The process has ended"));
    child.once("message", onMessage);
    child.once("exit", onExit);
  });
}

export class MeasuredServer {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
    readonly siteUrl: string,
  ) {}

  static async start(): Promise<MeasuredServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "measured-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const child = forkScript("measuredServer.ts", [FIXTURE_APP, path.join(folder, "data")]);
    const { url, siteUrl } = await nextMessage<{ url: string; siteUrl: string }>(child);
    return new MeasuredServer(child, url, siteUrl);
  }

  async measure(): Promise<Measurement> {
    const answer = nextMessage<Measurement>(this.process);
    this.process.send("measure");
    return answer;
  }

  /** Measures until it holds no more than this: clients that have gone are forgotten as their sockets close. */
  async shrinksTo(heapBytes: number): Promise<void> {
    while ((await this.measure()).heapBytes > heapBytes);
  }
}
