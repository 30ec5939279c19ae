import { GROUP_CHARS, INDEX_AT, INDEXES } from "./keyGroups";

/**
 * Of which groups of keys there may be writes that are not in the database yet: of the others it alone has to be asked. Of a meeting to
 * which nobody has come lately that saves a look at all who have come to other ones.
 */
export class FreshGroups {
  /** The sequence of the record in which what is written now will be, or a higher one. */
  sequence = 0;
  /** By what their keys begin with, the last such sequence. */
  readonly #last = new Map<string, number>();
  /** By indexes: of what is in records behind this one all groups are noted. */
  readonly #from = new Float64Array(INDEXES).fill(Infinity);
  /** What was noted last, as most is noted several times. */
  #noted = { group: "", sequence: 0 };

  /** From now on, {@link note} is told of all groups of an index in which something is written. */
  watch(index: number): void {
    this.#from[index] = this.sequence;
  }

  note(group: string): void {
    const { sequence } = this;
    if (this.#noted.group === group && this.#noted.sequence === sequence) return;
    this.#noted = { group, sequence };
    this.#last.set(group, sequence);
  }

  /**
   * Whether there may be writes of keys that begin like this beside the database.
   *
   * @param applied the sequence up to which it has all records
   */
  mayHave(beginning: string, applied: number): boolean {
    const from = this.#from[beginning.charCodeAt(INDEX_AT)] ?? Infinity;
    if (beginning.length < GROUP_CHARS || from > applied) return true;
    const last = this.#last.get(beginning.slice(0, GROUP_CHARS));
    return last !== undefined && last > applied;
  }

  /** To be called when the database has all records up to this sequence. */
  forget(applied: number): void {
    for (const [group, last] of this.#last) if (last <= applied) this.#last.delete(group);
    this.#noted = { group: "", sequence: 0 };
  }
}
