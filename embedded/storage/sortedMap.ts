import { createRequire } from "node:module";
import type BTree from "sorted-btree";

/**
 * A map in the order of its keys, kept in memory. (The package is CommonJS with a `default` export, which Node
 * and the test runner would each hand to an `import` in another way.)
 */
export type SortedMap<K, V> = BTree<K, V>;

export const SortedMap = (createRequire(import.meta.url)("sorted-btree") as { default: typeof BTree })
  .default;

/** The order of keys, which is that of their bytes. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
