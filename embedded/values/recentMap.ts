/**
 * A map of bounded size that forgets what was not used for a long time. Values must not be `undefined`.
 *
 * It keeps two generations. What is used moves into the young one; when that is full, the old one is forgotten
 * and the young one becomes old. A lookup of something in use is then one lookup and no write, which a list in
 * exact order of use would need.
 */
export class RecentMap<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  readonly #generation: number;

  /** @param capacity the most entries that are kept; what was used among the last half as many is never forgotten */
  constructor(capacity: number) {
    this.#generation = Math.floor(capacity / 2);
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#generation) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
