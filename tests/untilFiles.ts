import { mkdir, watch } from "node:fs/promises";

/** Waits until something holds that changes of the files in a folder bring about. The folder is made if it is not there. */
export async function untilFiles(folder: string, holds: () => Promise<boolean>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ended = new AbortController();
  const changes = watch(folder, { signal: ended.signal })[Symbol.asyncIterator]();
  // Watching begins with the first of these, before anything is looked at.
  for (let change = changes.next(); ; change = changes.next()) {
    if (await holds()) {
      change.catch(() => undefined);
      return ended.abort();
    }
    await change;
  }
}
