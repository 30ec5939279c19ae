import { expect, test } from "vitest";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Order } from "../../embedded/storage/store";
import { Database } from "../../embedded/transaction/database";
import { IndexBuild } from "../../embedded/transaction/indexBuild";
import { LIMITS } from "../../embedded/transaction/limits";
import { readRows } from "../../embedded/transaction/query";
import { Transaction } from "../../embedded/transaction/transaction";

/** A store that counts how often it is asked for a range. */
class CountingStore extends MemoryStore {
  looks = 0;

  override take(start: string, end: string, order: Order, limit: number) {
    this.looks++;
    return super.take(start, end, order, limit);
  }
}

const MEETINGS = ["a", "b"].map((meeting) => `meeting ${meeting.repeat(24)}`) as [string, string];
const use = { operation: "db.patch", system: false } as const;

async function stage(people = 3) {
  const store = new CountingStore();
  const database = await Database.open(store);
  const wanted = new Map([["", new Map([["people", [{ name: "by_meeting", fields: ["meeting"] }]]])]]);
  const build = new IndexBuild(database, wanted, new Map());
  await build.done;
  await build.finish([]);
  const write = <T>(work: (transaction: Transaction) => T): T => {
    const transaction = new Transaction(database, null);
    const result = work(transaction);
    transaction.commit();
    return result;
  };
  const insert = (meeting: string, name: string) =>
    write((transaction) => transaction.insert("people", { meeting, name }));
  const ids = Array.from({ length: people }, (_, i) => insert(MEETINGS[0], `${i}`));
  /** The names of the people in a meeting, and how often the store was asked for them. */
  const read = (meeting: string, transaction = new Transaction(database, null)) => {
    const before = store.looks;
    const range = [{ type: "Eq", fieldPath: "meeting", value: meeting } as const];
    const source = { type: "IndexRange", indexName: "people.by_meeting", range, order: null } as const;
    const rows = readRows(transaction, { source, operators: [] });
    const names = rows.map(({ text }) => (JSON.parse(text) as { name: string }).name);
    return { names, looks: store.looks - before };
  };
  return { database, write, insert, ids, read };
}

test("a range that was read is not looked for again until something is written to it", async () => {
  const { insert, read } = await stage();
  expect(read(MEETINGS[0])).toEqual({ names: ["0", "1", "2"], looks: 1 });
  expect(read(MEETINGS[0])).toEqual({ names: ["0", "1", "2"], looks: 0 });
  insert(MEETINGS[1], "another");
  expect(read(MEETINGS[0])).toEqual({ names: ["0", "1", "2"], looks: 0 });
  insert(MEETINGS[0], "3");
  expect(read(MEETINGS[0])).toEqual({ names: ["0", "1", "2", "3"], looks: 1 });
});

test("a document of a known range is given as it is by now", async () => {
  const { write, ids, read } = await stage();
  read(MEETINGS[0]);
  write((transaction) => transaction.patch(ids[1] as string, { name: "renamed" }, use));
  expect(read(MEETINGS[0])).toEqual({ names: ["0", "renamed", "2"], looks: 0 });
  write((transaction) => transaction.remove(ids[1] as string, use));
  expect(read(MEETINGS[0]).names).toEqual(["0", "2"]);
});

test("a transaction that has written sees its own writes in a range that is known", async () => {
  const { database, ids, read } = await stage();
  read(MEETINGS[0]);
  const transaction = new Transaction(database, null);
  transaction.patch(ids[0] as string, { name: "mine" }, use);
  expect(read(MEETINGS[0], transaction).names).toEqual(["mine", "1", "2"]);
  expect(read(MEETINGS[0]).names).toEqual(["0", "1", "2"]);
});

test("a range whose start is too long is looked for each time", async () => {
  const { read } = await stage();
  for (const chars of [60_000, 70_000]) read("x".repeat(chars));
  expect(read("x".repeat(60_000)).looks).toBe(0);
  expect(read("x".repeat(70_000)).looks).toBe(1);
});

test("what is read of a known range counts as what is read of another", async () => {
  const { database, read } = await stage();
  const readAgain = (documentsRead: number) => {
    const transaction = new Transaction(database, null);
    transaction.usage.limits = { ...LIMITS, documentsRead };
    read(MEETINGS[0], transaction);
    return transaction.usage.readShare;
  };
  const first = readAgain(10);
  expect(first).toBe(0.3);
  expect(readAgain(10)).toBe(first);
  expect(() => readAgain(2)).toThrow("Too many documents read");
});
