import type { Sheaf } from "./sheaf";

/** The longest key, in bytes. */
export const MAX_KEY_BYTES = 4 * 1024 * 1024;

/** The longest value, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export type Order = "asc" | "desc";

/** What is read of a store, or of one state of it. */
export interface Reading {
  /** The value of a key, or undefined. */
  get(key: string): string | undefined;

  /**
   * The entries with `start <= key < end` (`null`: to the last key), in byte order of their keys or in reverse.
   *
   * Entries are read as they are asked for, a few at a time, and nothing is held between two of them: a scan may
   * be left unfinished, and commits may land while it goes on. It then returns each entry that is there all the
   * time exactly once, in order, and an entry that a commit adds, changes or removes ahead of it either in its old
   * or in its new state. A scan that is drained without awaiting in between sees one state.
   */
  scan(start: string, end: string | null, order: Order): IterableIterator<[key: string, value: string]>;
}

export interface Snapshot extends Reading {
  /** Must be called when nothing more is read. */
  release(): void;
}

/**
 * What a commit changes, key by key; `null` deletes a key, and deleting a key that is not there is no error. Of several changes of
 * one key the last counts. A map is such a thing.
 */
export interface Writes {
  readonly size: number;
  forEach(change: (value: string | null, key: string) => void): void;
  /** The same, where sheaves stay as they are; without it there are none. Of their keys what is among the others counts. */
  forEachOrSheaf?(change: (value: string | null, key: string) => void, take: (sheaf: Sheaf) => void): void;
}

/** See {@link Writes.forEachOrSheaf}. */
export function forEachOrSheaf(
  writes: Writes,
  change: (value: string | null, key: string) => void,
  take: (sheaf: Sheaf) => void,
): void {
  if (writes.forEachOrSheaf) writes.forEachOrSheaf(change, take);
  else writes.forEach(change);
}

/** One by one. */
export function listOf(writes: Writes): (readonly [key: string, value: string | null])[] {
  const list: [string, string | null][] = [];
  writes.forEach((value, key) => list.push([key, value]));
  return list;
}

/**
 * A durable, ordered map from keys to texts: all that the runtime asks of a disk.
 *
 * A key is a *binary string*: one character, 0..255, for each byte, 1 byte to 4 MiB of them, ordered by bytes
 * (which is `<` on such strings). A value is any text of up to 16 MiB in UTF-8; it may be empty. One process at a
 * time holds a store.
 */
export interface Store extends Reading {
  /**
   * The first entries of {@link scan}, up to `limit`, at once.
   *
   * `tail` changes nothing of that but helps some stores to find them: it promises that `end` is behind `start`, and that whatever key is
   * ever written in the range begins with `start` and has so many characters behind it.
   */
  take(
    start: string,
    end: string | null,
    order: Order,
    limit: number,
    tail?: number,
  ): [key: string, value: string][];

  /**
   * The state as it is now, which stays as it is while commits go on. The space of what is overwritten meanwhile is not
   * used again before it is released.
   */
  snapshot(): Snapshot;

  /**
   * Applies all writes or none. Reads see them as soon as this has returned. Commits that come close together may share a promise.
   *
   * Resolves when the writes, and those of all commits before it, are on disk (synced). Rejects when they can't be: then they
   * are undone, and so are all commits after it that have not resolved, which reject too; later ones may succeed again. With an
   * {@link InDoubtError} that is certain only once one has.
   */
  commit(writes: Writes): Promise<void>;

  /** Waits for the commits under way and lets go of the files; the store is not to be used after it was called. */
  close(): Promise<void>;
}

/**
 * A commit was rejected that may be there after a restart, unless another one succeeds before: it had been written when the disk
 * failed, which then did not let it be taken away.
 */
export class InDoubtError extends Error {
  override readonly name = "InDoubtError";
}

/**
 * For implementations: throws for keys that no store takes.
 *
 * @throws RangeError
 */
export function checkKey(key: string): void {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) {
    throw new RangeError(`A key has 1 to ${MAX_KEY_BYTES} bytes, not ${key.length}`);
  }
}

/** For implementations: the first values of an iterator, up to `limit`. */
export function firstOf<T>(values: Iterator<T, unknown, undefined>, limit: number): T[] {
  const first: T[] = [];
  while (first.length < limit) {
    const { value, done } = values.next();
    if (done) break;
    first.push(value as T);
  }
  return first;
}
