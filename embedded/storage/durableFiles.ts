import { closeSync, constants, fdatasyncSync, fsync, fsyncSync, openSync, writevSync } from "node:fs";
import { open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const sync = promisify(fsync);

/** What a file is called until it is whole: its own name and this. */
export const UNFINISHED = ".new";

/**
 * Writes a file that only its owner may read. A reader, and a crash at any moment, sees the old file or the new one; it is on
 * disk when this resolves. Only one writer at a time.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = path + UNFINISHED;
  const file = await open(unfinished, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await syncFolder(dirname(path));
}

/** Writes all bytes at a place of a file. */
export async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Of a file that is opened: a write is done when it is on disk. Not where that means less than a sync does, as on macOS, whose disks
 * may keep it to themselves; there it is nothing.
 */
export const SYNCED_WRITES = process.platform === "linux" ? constants.O_DSYNC : 0;

/** Writes parts one behind the other at a place of a file that was opened with {@link SYNCED_WRITES}. They are on disk when this resolves. */
export async function writeSynced(
  file: FileHandle,
  parts: readonly Buffer[],
  position: number,
): Promise<void> {
  const total = bytesOf(parts);
  for (let done = 0; done < total;) {
    const { bytesWritten } = await file.writev(done === 0 ? parts : partsFrom(parts, done), position + done);
    done += bytesWritten;
  }
  if (SYNCED_WRITES === 0) await file.datasync();
}

/** As {@link writeSynced}, at once. */
export function writeSyncedNow({ fd }: FileHandle, parts: readonly Buffer[], position: number): void {
  const total = bytesOf(parts);
  for (let done = 0; done < total;) {
    done += writevSync(fd, done === 0 ? parts : partsFrom(parts, done), position + done);
  }
  if (SYNCED_WRITES === 0) fdatasyncSync(fd);
}

/** How many bytes parts have together. */
export function bytesOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function partsFrom(parts: readonly Buffer[], start: number): Buffer[] {
  let behind = start;
  return parts.flatMap((part) => {
    const left = part.subarray(Math.min(behind, part.length));
    behind = Math.max(0, behind - part.length);
    return left.length === 0 ? [] : [left];
  });
}

/** Brings to disk which files a folder has. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === "win32") return;
  // To open and to close it takes less time than to hear that another thread has done so, where this one has work.
  const folder = openSync(path, "r");
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** As {@link syncFolder}, at once. */
export function syncFolderNow(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
