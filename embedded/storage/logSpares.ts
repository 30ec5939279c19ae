import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LogSpare, type Begun } from "./logSpare";

/**
 * When a generation of writes is in the database, about as many files of the log are needed no more: four or five at once where
 * commits come fast. To make a new one is as much work for the disk as what will stand in it, and commits wait longer meanwhile.
 */
const MOST = 6;
const NAMES = Array.from({ length: MOST }, (_, i) => (i === 0 ? "log-spare" : `log-spare-${i + 1}`));

/** The files that a log keeps to write its next ones over. */
export class LogSpares {
  readonly #places: readonly LogSpare[];

  /** See {@link LogSpare}. */
  constructor(folder: string, bytes: number, newBeginning: () => Buffer) {
    this.#places = NAMES.map((name) => new LogSpare(join(folder, name), bytes, newBeginning));
  }

  get isReady(): boolean {
    return this.#places.some((place) => place.isReady);
  }

  /** Whether one will be ready soon, if nothing goes wrong. */
  get isComing(): boolean {
    return this.#places.some((place) => place.isComing);
  }

  /** Makes one, if there is none and none is coming. */
  prepare(): void {
    if (this.#places.every((place) => place.isFree)) this.#places[0]?.prepare();
  }

  /** Takes a file away that the log needs no more: keeps it, if there is room for it and it is long enough, or removes it. */
  recycle(path: string): Promise<void> {
    const place = this.#places.find((one) => one.isFree);
    return place ? place.recycle(path) : rm(path, { force: true });
  }

  /** Gives one away under a new name, of which the folder is still to be synced; `null`: there is none. */
  async take(path: string): Promise<Begun | null> {
    return (await this.#places.find((place) => place.isReady)?.take(path)) ?? null;
  }

  /** Removes them, when nothing else is asked for any more. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.close()));
  }
}
