import { readFile } from "node:fs/promises";

/**
 * The memory of processes, in bytes: what is theirs alone, and each one's share of what they share, without the pages of
 * mapped files, which the system can drop. Not a number where there is no /proc/<pid>/smaps_rollup.
 */
export async function memoryBytes(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(memoryOf));
  return all.reduce((sum, bytes) => sum + bytes, 0);
}

async function memoryOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => null);
  if (text === null) return Number.NaN;
  const kilobytes = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  return (kilobytes("Pss_Anon") + kilobytes("Pss_Shmem")) * 1024;
}
