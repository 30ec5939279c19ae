import { open, type RootDatabase } from "lmdb";
import type { Store } from "./store";

/** A store in one file. */
export class LmdbStore implements Store {
  readonly #db: RootDatabase<string, string>;

  /** @param path the file; it is made if it is not there */
  constructor(path: string) {
    this.#db = open<string, string>({
      path,
      noSubdir: true,
      encoding: "string",
      keyEncoder: binaryKeys,
      overlappingSync: false,
    } as Parameters<typeof open<string, string>>[0]);
  }

  get(key: string): string | undefined {
    return this.#db.get(key);
  }

  *scan(
    start: string,
    end: string | null,
    order: "asc" | "desc",
  ): IterableIterator<[key: string, value: string]> {
    const range =
      order === "asc"
        ? { start, end: end ?? undefined }
        : {
            start: end ?? undefined,
            end: start,
            reverse: true,
            exclusiveStart: end !== null,
            inclusiveEnd: true,
          };
    for (const { key, value } of this.#db.getRange(range as { start: string; end: string }))
      yield [key, value];
  }

  async commit(writes: ReadonlyMap<string, string | null>): Promise<void> {
    const db = this.#db;
    await db.batch(() => {
      for (const [key, value] of writes) {
        if (value === null) void db.remove(key);
        else void db.put(key, value);
      }
    });
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

const binaryKeys = {
  writeKey(key: string, target: Buffer, start: number): number {
    if (start + key.length > target.length) throw new RangeError("The key does not fit into the buffer");
    return start + target.write(key, start, "latin1");
  },
  readKey(source: Buffer, start: number, end: number): string {
    return source.toString("latin1", start, end);
  },
};
