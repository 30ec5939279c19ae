/**
 * A map that forgets what has not been asked for in a long time: it holds what was used last, up to its capacity, and at most as
 * much again of what was used before that. Values must not be `undefined`.
 */
export class RecentMap<V> {
  #recent = new Map<string, V>();
  #older = new Map<string, V>();
  #weight = 0;

  /** @param weigh how much of the capacity an entry takes; every entry takes 1 by default */
  constructor(
    private readonly capacity: number,
    private readonly weigh: (key: string, value: V) => number = () => 1,
  ) {}

  get(key: string): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const older = this.#older.get(key);
    if (older !== undefined) {
      this.#older.delete(key);
      this.set(key, older);
    }
    return older;
  }

  set(key: string, value: V): void {
    this.#weight += this.weigh(key, value);
    this.#recent.set(key, value);
    if (this.#weight < this.capacity) return;
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#weight = 0;
  }

  delete(key: string): void {
    this.#recent.delete(key);
    this.#older.delete(key);
  }
}
