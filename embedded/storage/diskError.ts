import { getSystemErrorName } from "node:util";

const FULL = "make room on its disk";
/** LMDB calls it an input/output error too when the disk had room for a part of what it wrote. */
const FAULTY = "see whether its disk is full or damaged";

/** What is to be done about a disk that takes no writes, by the system's code. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", FULL],
  ["EDQUOT", FULL],
  ["EROFS", "mount its disk writable, and check it if it has become read-only by itself"],
  ["EIO", FAULTY],
]);

/** Why a disk takes no writes, and what to do about it, as the end of a sentence about a file or folder. */
export type DiskRefusal = { readonly code: string; readonly advice: string };

/** The disk's refusal that an error is, or was caused by; null if it is about something else. */
export function refusalOfDisk(error: unknown): DiskRefusal | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
    const name = typeof code === "number" && code > 0 ? getSystemErrorName(-code) : code;
    const advice = typeof name === "string" ? ADVICE.get(name) : undefined;
    // Of watching files there is too much with the code of a full disk.
    if (advice !== undefined && syscall !== "watch") return { code: String(name), advice };
  }
  return null;
}

/** {@link refusalOfDisk} as a sentence for a client; null if it is about something else. */
export function describeRefusal(error: unknown): string | null {
  const refusal = refusalOfDisk(error);
  return refusal && `The server could not write to disk (${refusal.code}): ${refusal.advice}.`;
}
