import { readFile } from "node:fs/promises";
import { DataFolderError } from "./dataFolder";
import { FILE_HEADER_BYTES, listLogFiles, readSalt, type LogFileName } from "./logFile";
import { hasRecordFrom, readRecord } from "./logRecord";
import type { LogMark } from "./logMark";
import { Memtable } from "./memtable";

/** `writes`: those which the database may lack. `last`: the sequence of the last record, here or in the database. */
export type Recovered = { readonly files: LogFileName[]; readonly writes: Memtable; readonly last: number };

/**
 * Reads what a log has beyond the database. Changes nothing, so it may be cut off and done again.
 *
 * A record that is not whole ends the log if nothing follows it: the process has died before it was on disk, and nobody was
 * answered. Anywhere else it is damage, since a record is written when the one before it is on disk.
 *
 * @throws DataFolderError
 */
export async function recoverLog(folder: string, { applied, applying }: LogMark): Promise<Recovered> {
  const files = await listLogFiles(folder);
  const writes = new Memtable();
  let last = applied;
  for (const [i, file] of files.entries()) {
    const next = files[i + 1]?.first;
    if (next !== undefined && next <= applied + 1) continue;
    if (file.first > last + 1) throw gap(folder, last + 1);
    last = Math.max(last, await recoverFile(file, next, applied, writes));
  }
  if (last < applying) throw gap(folder, last + 1);
  return { files, writes, last };
}

/** Adds the writes of a file's records, up to that with which the next file begins; gives the sequence of the last one. */
async function recoverFile(
  { path, first }: LogFileName,
  next: number | undefined,
  applied: number,
  writes: Memtable,
): Promise<number> {
  const file = await readFile(path);
  const salt = readSalt(file);
  if (salt === null) {
    // The header is on disk before anything follows it.
    if (next === undefined && file.length <= FILE_HEADER_BYTES) return first - 1;
    throw damaged(path, 0);
  }
  let at = FILE_HEADER_BYTES;
  let sequence = first;
  for (; sequence !== next; sequence++) {
    const record = readRecord(file, at, salt);
    if (record?.sequence !== sequence) {
      if (next !== undefined || hasRecordFrom(file, at, salt)) throw damaged(path, at);
      break;
    }
    if (sequence > applied) writes.addRecord(record);
    at = record.end;
  }
  return sequence - 1;
}

function damaged(path: string, at: number): DataFolderError {
  return new DataFolderError(
    `${path} is damaged at byte ${at}: restore the folder from a backup, or choose another data folder.`,
  );
}

function gap(folder: string, sequence: number): DataFolderError {
  return new DataFolderError(
    `${folder} lacks the part of its log from record ${sequence} on: restore the folder from a backup, or choose another data folder.`,
  );
}
