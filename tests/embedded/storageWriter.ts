import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { LogStore } from "../../embedded/storage/logStore";
import type { Store } from "../../embedded/storage/store";
import { LmdbAlone } from "./storageLmdb";
import { SMALL_LOG, SMALL_LOG_WITH_THREAD } from "./storageSizes";

/*
 * The process that the tests of the storage kill, or starve of disk.
 *
 *   commit <kind> <file> <first number>   commits numbered pieces without end, several at a time; reports each that resolved
 *   exit <kind> <file>                    commits numbered pieces, and ends the process in the midst of it
 *   fill <kind> <file>                    commits until one is rejected, then a small one; reports what happened
 *   obey <kind> <file>                    commits what it reads, a key a line, and reports how that went, or "get <key>"
 *
 * `kind`: lmdb, log, or small-log for a log with small files and generations, which with thread-log a thread of its own brings over.
 */
const [mode, kind, path, first] = process.argv.slice(2) as [string, string, string, string];
const store = await openStore();

async function openStore(): Promise<Store> {
  if (kind === "lmdb") return new LmdbAlone(path);
  if (kind === "log") return LogStore.open(path);
  return LogStore.open(path, kind === "small-log" ? SMALL_LOG : SMALL_LOG_WITH_THREAD);
}

if (mode === "commit" || mode === "exit") {
  let next = mode === "exit" ? 0 : Number(first);
  await Promise.all(Array.from({ length: 5 }, keepCommitting));

  async function keepCommitting(): Promise<never> {
    for (;;) {
      const number = next++;
      const name = String(number).padStart(8, "0");
      const writes = new Map([["commit", `${number}`]]);
      for (let i = 0; i <= number % 40; i++) {
        writes.set(`commit${name}/${i}${i % 7 === 0 ? "x".repeat(2000) : ""}`, `${number}`);
      }
      // As entries of an index are, which stay in memory for longer than what has a value.
      for (let i = 0; i < 5; i++) writes.set(`entry${(number * 7919 + i * 31) % 97}/${i}/${name}`, "");
      await store.commit(writes);
      writeSync(1, `${number}\n`);
      if (mode === "exit" && number === 400) process.exit();
    }
  }
} else if (mode === "obey") {
  writeSync(1, "ready\n");
  for await (const line of createInterface({ input: process.stdin })) {
    const key = line.replace("get ", "");
    const answer = line.startsWith("get ")
      ? String(store.get(key))
      : await store.commit(new Map([[key, "x".repeat(5000)]])).then(
          () => "committed",
          (error: unknown) => (error as Error).message,
        );
    writeSync(1, `${answer.slice(0, 200)}\n`);
  }
} else {
  let resolved = 0;
  let rejected = 0;
  let message = "";
  while (rejected === 0) {
    const value = "x".repeat(100_000);
    const writes = new Map([
      [`big${resolved}a`, value],
      [`big${resolved}b`, value],
    ]);
    try {
      await store.commit(writes);
      resolved++;
    } catch (error) {
      rejected++;
      message = (error as Error).message;
    }
  }
  const afterwards = await store.commit(new Map([["small", "1"]])).then(
    () => true,
    () => false,
  );
  await store.close();
  writeSync(1, `${JSON.stringify({ resolved, rejected, message, afterwards })}\n`);
}
