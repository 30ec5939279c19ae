import type { Additions } from "./additions";
import { KeyFinder, type Ways } from "./keyFinder";
import type { PartEnd, PartWrites } from "./partWrites";
import type { SheafLayout } from "./sheaf";
import { SheafKeys } from "./sheafKeys";

/** Writes of keys that begin alike; or sheaves of a layout, each of which has several keys. */
export class MemtablePart {
  /** Which were told last that something is added. */
  lastAdditions: Additions | null = null;
  /** What finds the keys; of sheaves one for each key of the layout. */
  readonly finders: readonly KeyFinder[];

  /**
   * @param layout that of the sheaves, where the writes are such
   * @param ways of each finder
   */
  constructor(
    readonly writes: PartWrites,
    readonly layout: SheafLayout | null = null,
    ways: readonly Ways[] = [],
  ) {
    const { list } = writes;
    const lists = layout === null ? [list] : layout.keys.map((key) => new SheafKeys(list, layout, key));
    this.finders = lists.map((keys, i) => new KeyFinder(writes, keys, ways[i]));
  }

  /** How many keys were written, several writes of one key counted as such. */
  get length(): number {
    return this.writes.list.length * this.finders.length;
  }

  /** To be called when something was added. */
  makeReady(): void {
    for (const finder of this.finders) finder.makeReady();
  }

  /** See {@link Memtable.release}. */
  release(): void {
    if (!this.writes.isKept) for (const finder of this.finders) finder.release();
    this.writes.release();
  }

  /** Undoes what was written after a state. */
  cutTo(end: PartEnd): void {
    if (!this.writes.cutTo(end)) return;
    for (const finder of this.finders) finder.forget();
  }

  /** The same writes, which stay as they are. */
  copy(): MemtablePart {
    return new MemtablePart(this.writes.copy(), this.layout);
  }
}
