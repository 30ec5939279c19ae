import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { GeneratorMessage, Reply } from "./main";
import type { LoadJob, LoadResult } from "./run";

/** The load generator: one process for all subjects, so that all meet the same one. Runs one job at a time. */
export class Generator {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL("main.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
  });
  #told: (reply: Reply) => void = () => undefined;

  constructor() {
    this.#child.on("message", (reply: Reply) => this.#told(reply));
    this.#child.on("exit", () => this.#told({ error: "The load generator has ended" }));
  }

  /** `onFirst` is told of the first answer. */
  run(job: LoadJob, onFirst: () => void = () => undefined): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      this.#told = (reply) => {
        if ("answered" in reply) onFirst();
        else if ("result" in reply) resolve(reply.result);
        else reject(new Error(reply.error));
      };
      this.#send({ job });
    });
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
