/** Commits with sheaves, as the database makes them. */
import fc from "fast-check";
import { keysOfSheaf, SheafLayout, type Sheaf } from "../../embedded/storage/sheaf";
import type { Writes } from "../../embedded/storage/store";

/** How many characters all keys of sheaves end in that are alike in nothing else. */
export const SHEAF_TAIL_CHARS = 6;

/** Their first keys begin alike; of one the parts are neighbours and of the other they are not. */
const LAYOUTS = [
  new SheafLayout(4, [
    { prefix: "idx1:", parts: [0, 1, 3] },
    { prefix: "idx2:", parts: [2, 0, 3] },
    { prefix: "idx3:", parts: [3] },
  ]),
  new SheafLayout(4, [
    { prefix: "idx1:", parts: [1, 0, 3] },
    { prefix: "idx4:", parts: [0, 1, 3] },
  ]),
] as const;

/** A commit: sheaves, and beside them or later than them what a map has. */
export class WritesWithSheaves extends Map<string, string | null> implements Writes {
  constructor(
    private readonly sheaves: readonly Sheaf[],
    private readonly others: readonly (readonly [string, string | null])[],
  ) {
    super(sheaves.flatMap(keysOfSheaf).map((key) => [key, ""]));
    for (const [key, value] of others) this.set(key, value);
  }

  /** How many writes these are, several of one key counted as such. */
  get count(): number {
    return this.sheaves.flatMap(keysOfSheaf).length + this.others.length;
  }

  forEachOrSheaf(change: (value: string | null, key: string) => void, take: (sheaf: Sheaf) => void): void {
    this.sheaves.forEach(take);
    for (const [key, value] of this.others) change(value, key);
  }
}

/** What becomes of sheaves, of which only those who make commits know what keys there are. */
export type SheafPlan = {
  readonly rows: readonly { readonly layout: number; readonly parts: readonly string[] }[];
  /** Keys of this and earlier sheaves, by numbers, that are written. */
  readonly touched: readonly { readonly key: number; readonly value: string | null }[];
};

const part = fc.constantFrom("", "a", "ab", "\0", "\xff\xfe", "p".repeat(40), "é".repeat(255));

export const sheafPlan: fc.Arbitrary<SheafPlan> = fc.record({
  rows: fc.array(fc.record({ layout: fc.nat(1), parts: fc.array(part, { minLength: 3, maxLength: 3 }) }), {
    maxLength: 4,
  }),
  touched: fc.array(fc.record({ key: fc.nat(), value: fc.constantFrom(null, null, "", "1") }), {
    maxLength: 3,
  }),
});

/** Makes commits of plans: no key of a sheaf has been written before. */
export class SheafCommits {
  readonly #keys: string[] = [];
  #rows = 0;

  /** All keys that sheaves have had. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  commit(
    { rows, touched }: SheafPlan,
    others: readonly (readonly [string, string | null])[] = [],
  ): WritesWithSheaves {
    const sheaves = rows.map(({ layout, parts }): Sheaf => {
      // No two are alike, and their order is not that in which they come.
      const end = String((this.#rows++ * 7919) % 1_000_000).padStart(SHEAF_TAIL_CHARS, "0");
      return { layout: LAYOUTS[layout] as SheafLayout, parts: [...parts, end] };
    });
    this.#keys.push(...sheaves.flatMap(keysOfSheaf));
    const ofSheaves = touched.flatMap(({ key, value }) => {
      const known = this.#keys[key % this.#keys.length];
      return known === undefined ? [] : [[known, value] as const];
    });
    return new WritesWithSheaves(sheaves, [...ofSheaves, ...others]);
  }
}
