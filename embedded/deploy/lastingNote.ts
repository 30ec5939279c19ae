import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../transaction/database";

/** Between two attempts to write what the disk has refused. */
const RETRY_MS = 1_000;

/** A note of the database that is written again as long as the disk refuses it, so that nobody waits for ever for what it tells. */
export class LastingNote {
  #text = "";
  #isWriting = false;
  readonly #closing = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly key: string,
  ) {}

  /** Writes it. What is visible at once may be gone again until the disk takes it. */
  set(text: string): void {
    this.#text = text;
    this.database.commit([[this.key, text]]);
    if (!this.#isWriting) void this.#write();
  }

  /** From now on nothing is written again. */
  close(): void {
    this.#closing.abort();
  }

  async #write(): Promise<void> {
    const { signal } = this.#closing;
    this.#isWriting = true;
    while (!(await this.#isDurable())) {
      await sleep(RETRY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) break;
      this.database.commit([[this.key, this.#text]]);
    }
    this.#isWriting = false;
  }

  /** Whether the last text has got to the disk. */
  async #isDurable(): Promise<boolean> {
    for (let text = ""; text !== this.#text;) {
      text = this.#text;
      try {
        await this.database.durable();
      } catch {
        return false;
      }
    }
    return true;
  }
}
