import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { refusalOfDisk } from "./diskError";
import { replaceFile, UNFINISHED } from "./durableFiles";
import { findDamage } from "./lmdbFile";
import { listLogFiles } from "./logFile";
import { holderOf, isLockFile, lockFolder } from "./processLock";

/** Why a data folder cannot be used: one line, with what to do about it. Nothing in the folder was changed. */
export class DataFolderError extends Error {
  override name = "DataFolderError";
}

export type DataFolder = {
  /** The folder, absolute. */
  path: string;
  /** The file for `LogStore`; it is there and looks sound, or is not there yet. The log beside it has not been looked at. */
  database: string;
  /**
   * To be called when the database has its first commit on disk. A database without one comes from a first start that was cut
   * off: the next start makes it anew. From this call on it is never thrown away.
   */
  keepDatabase(): Promise<void>;
  /** Lets another process have the folder; call it once the store is closed. A kill releases the folder too. */
  release: () => Promise<void>;
};

const MARKER = "format.json";
const NEW_MARKER = MARKER + UNFINISHED;
const FORMAT = "convex-embedded";
const VERSION = 3;
/** As this version, but without a log: a server of that time would not see what is in one. */
const VERSION_BEFORE_LOG = 2;
const DATABASE = "data.mdb";
/** LMDB's own is half as large; what is more has room for more readers. */
const LOCK_BYTES = 16 << 10;
/** What has to be free: more than a first start writes, in whole pages of a disk. */
const ROOM_BYTES = 256 << 10;
/** What file systems and file managers put into folders that people call empty. */
const HARMLESS = new Set(["lost+found", ".DS_Store"]);

/**
 * Takes a folder for this process alone, and makes it if it is not there. Only a folder that is empty or that this
 * function made is taken, and only if its database looks sound.
 *
 * @throws DataFolderError
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  await makeFolder(path);
  // Before the lock, because in a folder that is not ours nothing is touched, not even for a moment.
  await checkFormat(path);
  const lock = await lockFolder(path).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  if ("heldBy" in lock) {
    const { heldBy } = lock;
    const holder =
      heldBy === "elsewhere" ? "a process elsewhere, in another container perhaps" : `process ${heldBy}`;
    throw new DataFolderError(
      `${path} is in use by ${holder}: stop that process, or choose another data folder.`,
    );
  }
  try {
    const database = join(path, DATABASE);
    if ((await checkFormat(path)) === "new") await writeMarker(path, { database: "unmade" });
    const marker = await readMarker(path);
    const isMade = marker.database !== "unmade";
    if (isMade) checkDatabase(database);
    else await removeDatabase(path, database);
    if (marker.version !== VERSION) await writeMarker(path, isMade ? {} : { database: "unmade" });
    await makeDatabaseLock(`${database}-lock`);
    const keepDatabase = async () => {
      if (!isMade) await writeMarker(path);
    };
    return { path, database, keepDatabase, release: lock.release };
  } catch (error) {
    await lock.release();
    throw error instanceof DataFolderError ? error : cannotWrite(path, error);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR") {
      throw new DataFolderError(`${path} is not a directory: choose another data folder.`);
    }
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): DataFolderError {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice = refusalOfDisk(error)?.advice ?? "give this user read and write permission";
  return new DataFolderError(
    `${path} cannot be written to (${code ?? message}): ${advice}, or choose another data folder.`,
    { cause: error },
  );
}

/** "new" for a folder with nothing in it, "ours" for one of this format and version. */
async function checkFormat(path: string): Promise<"new" | "ours"> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  if (!names.includes(MARKER)) {
    if (names.every((name) => HARMLESS.has(name) || name === NEW_MARKER || isLockFile(name))) return "new";
    throw new DataFolderError(
      `${path} is not empty and was not made by this server: choose an empty data folder, or one that does not exist yet.`,
    );
  }
  const marker = await readMarker(path);
  if (marker.version === VERSION || marker.version === VERSION_BEFORE_LOG) return "ours";
  throw new DataFolderError(
    `${path} has version ${JSON.stringify(marker.version)} of the format, and this server reads versions ${VERSION_BEFORE_LOG} and ${VERSION}: use the server that made it, or choose another data folder.`,
  );
}

async function readMarker(path: string): Promise<{ version: unknown; database?: unknown }> {
  const file = join(path, MARKER);
  try {
    const marker: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof marker === "object" && marker !== null && "format" in marker && "version" in marker) {
      if (marker.format === FORMAT) return marker;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw cannotWrite(path, error);
  }
  throw new DataFolderError(
    `${file} does not say {"format":"${FORMAT}","version":${VERSION}}: restore the folder from a backup, or choose another data folder.`,
  );
}

/** Whether a live process has this folder open. */
export async function isInUse(folder: string): Promise<boolean> {
  return (await holderOf(resolve(folder))) !== null;
}

/** On disk before anything else is, and whole: a folder with data and without a marker would be taken for foreign. */
function writeMarker(path: string, more: { database?: "unmade" } = {}): Promise<void> {
  return replaceFile(
    join(path, MARKER),
    `${JSON.stringify({ format: FORMAT, version: VERSION, ...more })}\n`,
  );
}

async function removeDatabase(path: string, database: string): Promise<void> {
  // The log first: without it the database is that of a first start.
  for (const file of await listLogFiles(path)) await rm(file.path, { force: true });
  await rm(database, { force: true });
}

/**
 * LMDB makes its lock file without taking room for it, and writes to it through a memory map; where the disk is full that kills the
 * process, as does a new database of which only a part can be written. So it finds the file with its room taken, and some more free.
 */
async function makeDatabaseLock(file: string): Promise<void> {
  // With no other process here it can only be left over from one that died.
  await rm(file, { force: true });
  try {
    await writeFile(file, Buffer.alloc(ROOM_BYTES), { mode: 0o600 });
    await truncate(file, LOCK_BYTES);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

function checkDatabase(database: string): void {
  if (!existsSync(database)) return;
  const damage = findDamage(database);
  if (damage === null) return;
  throw new DataFolderError(
    `${database} ${damage}: restore the folder from a backup, or choose another data folder.`,
  );
}
