import { expect, test } from "vitest";
import { Memtable } from "../../embedded/storage/memtable";
import { WaitingParts } from "../../embedded/storage/waitingParts";

const SIZES = { generationBytes: 1000, waitingBytes: 800, waitingGenerations: 3 };

/** So many bytes of entries of an index, as they are in memory. */
function entries(index: string, bytes: number, round = 0): [string, string][] {
  return Array.from({ length: bytes / 20 }, (_, i) => [`${index}${round}${String(i).padStart(6, "0")}`, ""]);
}

/** How much of what the memtable has waits then, by the first letters of the keys. */
function chosen(memtable: Memtable, waiting: WaitingParts, since: number): Record<string, number> {
  const parts = waiting.choose(memtable.parts, since);
  memtable.moveOut(parts);
  return Object.fromEntries([...parts].map(({ writes }) => [writes.list.keyAt(0).slice(0, 5), writes.bytes]));
}

test("entries without values wait, and whatever has a value or is small does not", () => {
  const memtable = new Memtable();
  memtable.add(new Map([...entries("index", 200), ["table", "v".repeat(500)], ["few", ""]]));
  const waiting = new WaitingParts(SIZES);
  expect(chosen(memtable, waiting, 1)).toEqual({ index: 200 });
  expect([waiting.bytes, waiting.since, memtable.bytes]).toEqual([200, 1, 200]);
});

test("the largest part goes first when there is no room for all", () => {
  const memtable = new Memtable();
  const waiting = new WaitingParts(SIZES);
  memtable.add(new Map([...entries("small", 300), ...entries("large", 400)]));
  expect(chosen(memtable, waiting, 1)).toEqual({ small: 300, large: 400 });
  memtable.add(new Map([...entries("small", 300, 1), ...entries("large", 400, 1)]));
  expect(chosen(memtable, waiting, 8)).toEqual({ small: 600 });
  expect([waiting.bytes, waiting.since]).toEqual([600, 1]);
});

test("nothing waits for longer than it may, and the log is kept for no more than what waits", () => {
  const memtable = new Memtable();
  const waiting = new WaitingParts(SIZES);
  const sinces: number[] = [];
  for (let round = 0; round < 9; round++) {
    memtable.add(new Map(entries("index", 100, round)));
    chosen(memtable, waiting, 10 * round);
    sinces.push(waiting.since);
  }
  expect(sinces).toEqual([0, 0, 0, Infinity, 40, 40, 40, Infinity, 80]);
});
