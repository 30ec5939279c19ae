import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { open, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listenIn, stateOfSocket } from "./lockSocket";

const LOCK_FILE = /^process-(\d+)-([\w-]+)\.lock$/;

/** Whether a file in a folder is such a lock. */
export function isLockFile(name: string): boolean {
  return LOCK_FILE.test(name);
}

/** The id of a process; that of one in another container says nothing here. */
export type Holder = number | "elsewhere";

export type ProcessLock = { release: () => Promise<void> } | { heldBy: Holder };

const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 40;

/**
 * Takes a folder for this process, or tells which live process has it.
 *
 * Each process puts down a file of its own, named by its id and the time of its start, and only then looks for the
 * files of others, so that of two at least one sees the other. Who sees one steps back and tries again after a
 * while; a process that has the folder does not go away, one that only tries does. The file of a dead process
 * counts for nothing, whether its id was given to another one or not, so that a kill releases the lock. Where that can be, the
 * file is a socket on which the process listens, as ids say nothing of processes in other containers.
 */
export async function lockFolder(folder: string): Promise<ProcessLock> {
  const mine = lockFileOf(process.pid, startOf(process.pid) ?? "unknown");
  const path = await realpath(folder);
  const place = join(path, mine);
  if (held.has(place)) return { heldBy: process.pid };
  held.add(place);
  try {
    // This process has made none of this name. One that was killed may have: after a boot both may have the same numbers.
    if ((await stateOfSocket(path, mine)) === "dead") await rm(place, { force: true });
    const lock = await tryToLock(path, mine);
    if ("heldBy" in lock) held.delete(place);
    else return { release: () => lock.release().finally(() => held.delete(place)) };
    return lock;
  } catch (error) {
    held.delete(place);
    throw error;
  }
}

/** The locks that this process has, or tries to get. */
const held = new Set<string>();

async function tryToLock(folder: string, mine: string): Promise<ProcessLock> {
  for (let attempt = 1; ; attempt++) {
    const release = await putDown(folder, mine);
    if (release === null) return { heldBy: "elsewhere" };
    const other = await findOther(folder, mine);
    if (other === null) return { release };
    await release();
    if (attempt === ATTEMPTS) return { heldBy: other };
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
}

/** Makes a lock file, and gives what takes it away; `null`: a process elsewhere, of the same id and start, has one. */
async function putDown(folder: string, name: string): Promise<(() => Promise<void>) | null> {
  try {
    const socket = await listenIn(folder, name);
    if (socket !== null) return socket.close;
    await (await open(join(folder, name), "wx", 0o600)).close();
    return () => rm(join(folder, name), { force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EEXIST") return null;
    throw error;
  }
}

/** The live process that has a folder, or `null`; `null` too when there is no such folder. */
export async function holderOf(folder: string): Promise<Holder | null> {
  try {
    return await findOther(folder, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function findOther(folder: string, mine: string): Promise<Holder | null> {
  for (const name of await readdir(folder)) {
    const [, id, start] = LOCK_FILE.exec(name) ?? [];
    if (id === undefined || start === undefined || name === mine) continue;
    if (startOf(Number(id)) === start) return Number(id);
    const state = await stateOfSocket(folder, name);
    if (state === "listening") return "elsewhere";
    if (state === "dead") await rm(join(folder, name), { force: true });
  }
  return null;
}

function lockFileOf(id: number, start: string): string {
  return `process-${id}-${start}.lock`;
}

/** When a process started, in the system's own words, or null if none with the id is alive. */
function startOf(id: number): string | null {
  try {
    if (process.platform === "linux") return startFromProc(readFileSync(`/proc/${id}/stat`, "utf8"));
    if (process.platform === "win32") return process.kill(id, 0) ? "unknown" : null;
    const start = execFileSync("ps", ["-o", "lstart=", "-p", String(id)], { encoding: "utf8" });
    return start.trim().replaceAll(/\W+/g, "-");
  } catch {
    return null;
  }
}

/** Field 22; the second field, the command, is in parentheses and may hold anything. A zombie is dead. */
function startFromProc(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
}
