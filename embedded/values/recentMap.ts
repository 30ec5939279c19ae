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
  /** Of the young ones. */
  #weight = 0;

  /**
   * @param capacity the most that is kept; what was used among the last half as much is never forgotten
   * @param weigh how much of the capacity an entry takes; every entry takes 1 by default
   */
  constructor(
    capacity: number,
    private readonly weigh: (key: K, value: V) => number = () => 1,
  ) {
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
    this.#forgetYoung(key);
    this.#young.set(key, value);
    this.#weight += this.weigh(key, value);
    if (this.#weight < this.#generation) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }

  delete(key: K): void {
    this.#forgetYoung(key);
    this.#old.delete(key);
  }

  #forgetYoung(key: K): void {
    const young = this.#young.get(key);
    if (young === undefined) return;
    this.#young.delete(key);
    this.#weight -= this.weigh(key, young);
  }
}
