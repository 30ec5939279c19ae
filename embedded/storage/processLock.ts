import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { open, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LOCK_FILE = /^process-(\d+)-([\w-]+)\.lock$/;

/** Whether a file in a folder is such a lock. */
export function isLockFile(name: string): boolean {
  return LOCK_FILE.test(name);
}

export type ProcessLock = { release: () => Promise<void> } | { heldBy: number };

const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 40;

/**
 * Takes a folder for this process, or tells the id of the live process that has it.
 *
 * Each process puts down a file of its own, named by its id and the time of its start, and only then looks for the
 * files of others, so that of two at least one sees the other. Who sees one steps back and tries again after a
 * while; a process that has the folder does not go away, one that only tries does. The file of a dead process
 * counts for nothing, whether its id was given to another one or not, so that a kill releases the lock.
 */
export async function lockFolder(folder: string): Promise<ProcessLock> {
  const mine = lockFileOf(process.pid, startOf(process.pid) ?? "unknown");
  const place = join(await realpath(folder), mine);
  if (held.has(place)) return { heldBy: process.pid };
  held.add(place);
  try {
    // One of this name is of a process that was killed, if this one has not made it: after a boot both may have the same numbers.
    await rm(place, { force: true });
    const lock = await tryToLock(folder, mine);
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
    try {
      await (await open(join(folder, mine), "wx", 0o600)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return { heldBy: process.pid };
      throw error;
    }
    const release = () => rm(join(folder, mine), { force: true });
    const other = await findOther(folder, mine);
    if (other === null) return { release };
    await release();
    if (attempt === ATTEMPTS) return { heldBy: other };
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
}

/** The id of the live process that has a folder, or `null`; `null` too when there is no such folder. */
export async function holderOf(folder: string): Promise<number | null> {
  try {
    return await findOther(folder, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function findOther(folder: string, mine: string): Promise<number | null> {
  for (const name of await readdir(folder)) {
    const [, id, start] = LOCK_FILE.exec(name) ?? [];
    if (id === undefined || start === undefined || name === mine) continue;
    if (startOf(Number(id)) === start) return Number(id);
    await rm(join(folder, name), { force: true });
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
