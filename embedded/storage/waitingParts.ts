import type { MemtablePart } from "./memtablePart";

/** A part that has less than this share of a generation changes few pages in any case. */
const LEAST_SHARE = 1 / 32;

export type WaitingSizes = {
  /** Writes are brought into the database when so many bytes of them have come. */
  readonly generationBytes: number;
  /** Parts may wait that have so many bytes together. */
  readonly waitingBytes: number;
  /** And for so many generations each, as the log is kept for them. */
  readonly waitingGenerations: number;
};

type Wait = { readonly since: number; readonly times: number };

/**
 * The parts of the writes in memory that are not brought into the database with all others, but wait for more of their own: those
 * of keys without values, which index entries are. They are small and lie far apart, so that a few of them change nearly as many pages
 * of the database as many do.
 */
export class WaitingParts {
  #waits: ReadonlyMap<MemtablePart, Wait> = new Map();
  #bytes = 0;

  constructor(private readonly sizes: WaitingSizes) {}

  /** How much waited when it was chosen. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first sequence of a record of which a part waits. */
  get since(): number {
    return Math.min(Infinity, ...[...this.#waits.values()].map(({ since }) => since));
  }

  /**
   * Chooses among these parts. The others do not wait any more.
   *
   * @param since the first sequence of a record that may be in a part which does not wait yet
   */
  choose(parts: readonly MemtablePart[], since: number): ReadonlySet<MemtablePart> {
    const { generationBytes, waitingBytes, waitingGenerations } = this.sizes;
    const mayWait = (part: MemtablePart) => {
      if (part.writes.bytes < generationBytes * LEAST_SHARE) return false;
      const times = this.#waits.get(part)?.times ?? 0;
      return times < waitingGenerations && !part.writes.haveValues;
    };
    const waits = new Map<MemtablePart, Wait>();
    this.#bytes = 0;
    // The largest gains least from waiting longer.
    for (const part of parts.filter(mayWait).sort((a, b) => a.writes.bytes - b.writes.bytes)) {
      if (this.#bytes + part.writes.bytes > waitingBytes) break;
      this.#bytes += part.writes.bytes;
      const wait = this.#waits.get(part);
      waits.set(part, { since: wait?.since ?? since, times: (wait?.times ?? 0) + 1 });
    }
    this.#waits = waits;
    return new Set(waits.keys());
  }
}
