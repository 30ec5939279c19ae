import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { GeneratorMessage } from "./main";
import type { LoadJob, LoadResult } from "./run";

type Reply = { readonly result?: LoadResult; readonly error?: string };

/** The load generator: one process for all subjects, so that all meet the same one. Runs one job at a time. */
export class Generator {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL("main.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
  });
  #settle: (reply: Reply) => void = () => undefined;

  constructor() {
    this.#child.on("message", (reply: Reply) => this.#settle(reply));
    this.#child.on("exit", () => this.#settle({ error: "The load generator has ended" }));
  }

  async run(job: LoadJob): Promise<LoadResult> {
    const replied = new Promise<Reply>((resolve) => (this.#settle = resolve));
    this.#send({ job });
    const { result, error } = await replied;
    if (!result) throw new Error(error);
    return result;
  }

  /** Ends the job that is running, with a result. */
  stop(): void {
    this.#send({ job: null });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #send(message: GeneratorMessage): void {
    this.#child.send(message);
  }
}
