/** What a store holds, as a map says it: `null` where a key is deleted. */
export type Model = ReadonlyMap<string, string | null>;

/** What a store is to say of the keys with `start <= key < end`. */
export function entriesOf(
  model: Model,
  start = "",
  end: string | null = null,
  inOrder = "asc",
): [string, string | null][] {
  const entries = [...model].filter(([found]) => found >= start && (end === null || found < end));
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return inOrder === "asc" ? entries : entries.reverse();
}
