import { writeSync } from "node:fs";
import { LmdbStore } from "../../embedded/storage/lmdbStore";

/*
 * The process that storage.test.ts kills, or starves of disk.
 *
 *   commit <file> <first number>   commits numbered pieces without end, several at a time; reports each that resolved
 *   fill <file>                    commits until one is rejected, then a small one; reports what happened
 */
const [mode, path, first] = process.argv.slice(2) as [string, string, string];
const store = new LmdbStore(path);

if (mode === "commit") {
  let next = Number(first);
  await Promise.all(Array.from({ length: 5 }, keepCommitting));

  async function keepCommitting(): Promise<never> {
    for (;;) {
      const number = next++;
      const name = String(number).padStart(8, "0");
      const writes = new Map([["commit", `${number}`]]);
      for (let i = 0; i <= number % 40; i++) {
        writes.set(`commit${name}/${i}${i % 7 === 0 ? "x".repeat(2000) : ""}`, `${number}`);
      }
      await store.commit(writes);
      writeSync(1, `${number}\n`);
    }
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
