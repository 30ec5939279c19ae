type Entry = [key: string, value: string | null];

/**
 * Merges scans of several layers of the same key space into one, in order. Where layers know the same key, the
 * first of `layers` wins; a `null` hides the key from the layers below.
 *
 * @param begun is told, before the first entry is given, of its key, `undefined` where there is none, and how many keys were hidden
 *   before it
 */
export function* mergeScan(
  layers: readonly Iterator<Entry, unknown, undefined>[],
  order: "asc" | "desc",
  begun?: (first: string | undefined, hidden: number) => void,
): Generator<[key: string, value: string], void, undefined> {
  let hidden = 0;
  let isFirst = true;
  for (const entry of mergeLayers(layers, order)) {
    if (entry[1] === null) {
      hidden++;
      continue;
    }
    if (isFirst) begun?.(entry[0], hidden);
    isFirst = false;
    yield entry as [string, string];
  }
  if (isFirst) begun?.(undefined, hidden);
}

/** The same with what is hidden, as a layer for others. */
export function* mergeLayers(
  layers: readonly Iterator<Entry, unknown, undefined>[],
  order: "asc" | "desc",
): Generator<Entry, void, undefined> {
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
    yield winner;
  }
}
