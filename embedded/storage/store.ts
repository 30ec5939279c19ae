/** The longest key, in bytes. */
export const MAX_KEY_BYTES = 4 * 1024 * 1024;

/** The longest value, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export type Order = "asc" | "desc";

/** What is read of a store, or of one state of it. */
export interface Reading {
  /** The value of a key in the latest committed state, or undefined. */
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
 * A durable, ordered map from keys to texts: all that the runtime asks of a disk.
 *
 * A key is a *binary string*: one character, 0..255, for each byte, 1 byte to 4 MiB of them, ordered by bytes
 * (which is `<` on such strings). A value is any text of up to 16 MiB in UTF-8; it may be empty. One process at a
 * time holds a store.
 */
export interface Store extends Reading {
  /**
   * The committed state as it is now, which stays as it is while commits go on. The space of what is overwritten meanwhile is not
   * used again before it is released.
   */
  snapshot(): Snapshot;

  /**
   * Applies all writes or none; `null` deletes a key, and deleting a key that is not there is no error.
   *
   * Resolves when the writes are on disk (synced) and every later `get` and `scan` sees them; what a read sees is
   * on disk. Several commits may be under way, and they apply in the order of the calls. The map must not be changed before
   * it has settled. A commit that rejects has applied nothing, and so may have others
   * that were under way with it, which reject too; later ones may succeed again. With an {@link InDoubtError} that is certain only
   * once one has.
   */
  commit(writes: ReadonlyMap<string, string | null>): Promise<void>;

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
 * For implementations: rejects keys that no store takes.
 *
 * @throws RangeError
 */
export function checkKeys(writes: ReadonlyMap<string, string | null>): void {
  for (const key of writes.keys()) {
    if (key.length === 0 || key.length > MAX_KEY_BYTES) {
      throw new RangeError(`A key has 1 to ${MAX_KEY_BYTES} bytes, not ${key.length}`);
    }
  }
}
