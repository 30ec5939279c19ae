import type { MemtablePart } from "./memtablePart";
import type { PartEnd } from "./partWrites";

/** What was added to a memtable, to be undone together: of each part that has some of it, where it ended before. */
export class Additions {
  readonly #ends = new Map<MemtablePart, PartEnd>();

  /** To be told of a part before something is added to it. */
  before(part: MemtablePart): void {
    if (part.lastAdditions === this) return;
    if (!this.#ends.has(part)) this.#ends.set(part, part.writes.end);
    part.lastAdditions = this;
  }

  /** What was added, if nothing else was added after it, as bytes; in the order in which it came where it is of one part. */
  bytes(): Buffer[] {
    return [...this.#ends].flatMap(([part, end]) => part.writes.from(end));
  }

  /** See {@link MemtablePart.makeReady}. */
  makeReady(): void {
    for (const part of this.#ends.keys()) part.makeReady();
  }

  /** Takes all of it back, and all that was added to these parts after it. */
  undo(): void {
    for (const [part, end] of this.#ends) part.cutTo(end);
  }
}
