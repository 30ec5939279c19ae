import type * as FileSystem from "node:fs";
import { constants } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { SYNCED_WRITES, writeSynced, writeSyncedNow } from "../../embedded/storage/durableFiles";

/** How much the system takes at once. */
const system = vi.hoisted(() => ({ most: Infinity }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof FileSystem>();
  const writevSync = (file: number, parts: Buffer[], position: number) =>
    fs.writeSync(file, Buffer.concat(parts).subarray(0, system.most), 0, undefined, position);
  return { ...fs, writevSync };
});

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "durable-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("what is written in parts", () => {
  test("stands in the file whole, in however small pieces the system takes it", async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 30 }), fc.boolean(), async (given, most, atOnce) => {
        const buffers = given.map((bytes) => Buffer.from(bytes));
        const name = path.join(folder, "file");
        const file = await open(
          name,
          constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | SYNCED_WRITES,
        );
        await file.write(Buffer.from("before"), 0);
        system.most = most;
        vi.spyOn(file, "writev").mockImplementation(async (asked, position) => {
          const taken = Buffer.concat(asked as Buffer[]).subarray(0, most);
          const { bytesWritten } = await file.write(taken, 0, taken.length, position);
          return { bytesWritten, buffers: [...asked] };
        });
        if (atOnce) writeSyncedNow(file, buffers, "before".length);
        else await writeSynced(file, buffers, "before".length);
        await file.close();
        expect(await readFile(name)).toEqual(Buffer.concat([Buffer.from("before"), ...buffers]));
      }),
      { numRuns: 120 },
    );
  });
});
