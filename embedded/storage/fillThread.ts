import { Worker } from "node:worker_threads";
import type { Marks } from "./generationFill.js";
import type { Report, Request } from "./lmdbWorker.js";
import type { SharedWrites } from "./memtable";

/** See `GenerationFill` for what these do. */
export type Fill = { readonly next: () => Promise<number | null> };

/** Little that it makes lives longer than a transaction. */
const YOUNG_GENERATION_MB = 12;

/** A thread that brings generations of writes into the database: most of the work that a write makes can be done beside all else. */
export class FillThread {
  readonly #worker: Worker;
  /** What it has said that nobody has asked for yet, or who has asked for what it has not said yet. */
  readonly #said: Report[] = [];
  #asked: { readonly resolve: (report: Report) => void; readonly reject: (error: Error) => void } | null =
    null;
  #failure: Error | null = null;
  readonly #ended: Promise<void>;

  /** @param path the file of the database */
  constructor(path: string) {
    this.#worker = new Worker(new URL("./lmdbWorker.js", import.meta.url), {
      workerData: { path },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on("message", (report: Report) => {
      if (this.#asked) this.#asked.resolve(report);
      else this.#said.push(report);
      this.#asked = null;
      this.#worker.unref();
    });
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    void this.#ended.then(() => this.#fail(new Error("The thread that writes it has ended")));
    // It keeps the process alive only while somebody waits for it.
    this.#worker.unref();
  }

  /** Whether it can't be used any more. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Begins to bring over a generation. One at a time. */
  fill(generation: SharedWrites, marks: Marks): Fill {
    this.#ask(
      { ask: "fill", generation, marks },
      generation.map(({ addresses }) => addresses.buffer),
    );
    let isRefused = false;
    const next = async () => {
      if (isRefused) this.#ask({ ask: "goOn" });
      isRefused = false;
      const report = await this.#hear();
      if ("written" in report) return report.written;
      isRefused = true;
      throw new Error(report.refused);
    };
    return { next };
  }

  /** Ends it, when nothing is to be brought over. */
  async close(): Promise<void> {
    this.#ask({ ask: "close" });
    this.#worker.ref();
    await this.#ended;
  }

  #ask(request: Request, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transferred);
  }

  #hear(): Promise<Report> {
    const said = this.#said.shift();
    if (said) return Promise.resolve(said);
    if (this.#failure) return Promise.reject(this.#failure);
    this.#worker.ref();
    return new Promise((resolve, reject) => (this.#asked = { resolve, reject }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#asked?.reject(this.#failure);
    this.#asked = null;
  }
}
