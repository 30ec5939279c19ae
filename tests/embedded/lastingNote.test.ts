import { expect, test, vi } from "vitest";
import { LastingNote } from "../../embedded/deploy/lastingNote";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Writes } from "../../embedded/storage/store";
import { Database } from "../../embedded/transaction/database";

const KEY = "note";

/** Refuses as many commits as it is told to. */
class RefusingStore extends MemoryStore {
  refuses = 0;
  refused = 0;

  override commit(writes: Writes): Promise<void> {
    if (this.refused === this.refuses) return super.commit(writes);
    this.refused++;
    return Promise.reject(new Error("No space left"));
  }
}

async function open(): Promise<{ store: RefusingStore; database: Database; note: LastingNote }> {
  const store = new RefusingStore();
  const database = await Database.open(store);
  return { store, database, note: new LastingNote(database, KEY) };
}

test("a note that the disk refuses is written again until the disk takes it, as it was last set", async () => {
  const { store, database, note } = await open();
  store.refuses = 3;
  note.set("first");
  note.set("second");
  await vi.waitFor(() => expect(database.get(KEY)).toBe("second"), { timeout: 10_000 });
  expect(store.refused).toBe(3);
  await database.durable();
  note.set("third");
  expect(database.get(KEY)).toBe("third");
  note.close();
});

test("a note that is closed is not written again", async () => {
  const { store, database, note } = await open();
  store.refuses = 1;
  note.set("refused");
  note.close();
  await expect(database.durable()).rejects.toThrow("No space left");
  await new Promise((resolve) => setImmediate(resolve));
  expect(store.refused).toBe(1);
  expect(database.get(KEY)).toBeUndefined();
});
