type Entry = [key: string, value: string | null];

/**
 * Merges scans of several layers of the same key space into one, in order. Where layers know the same key, the
 * first of `layers` wins; a `null` hides the key from the layers below.
 */
export function* mergeScan(
  layers: readonly Iterator<Entry, unknown, undefined>[],
  order: "asc" | "desc",
): Generator<[key: string, value: string], void, undefined> {
  const heads = layers.map((layer) => layer.next());
  for (;;) {
    let best: string | undefined;
    let winner: Entry | undefined;
    for (const head of heads) {
      if (head.done) continue;
      const entry = head.value as Entry;
      const key = entry[0];
      if (best === undefined || (order === "asc" ? key < best : key > best)) {
        best = key;
        winner = entry;
      }
    }
    if (winner === undefined) return;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i];
      const layer = layers[i];
      if (head && layer && !head.done && (head.value as Entry)[0] === best) heads[i] = layer.next();
    }
    if (winner[1] !== null) yield winner as [string, string];
  }
}
