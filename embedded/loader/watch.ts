import { watch } from "node:fs";

/** Editors write a file in several steps, and several files at once: changes so close together are one. */
const SETTLE_MS = 50;

/**
 * Calls `changed` when something in a folder has changed, never while a call is still running; what changes meanwhile leads to
 * one more. Gives what ends it, after the call that is running.
 */
export function watchFolder(folder: string, changed: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;
  const watcher = watch(folder, { recursive: true }, (_event, file) => {
    // What the bundler does not read can't change the app.
    if (isClosed || file === null || file.endsWith("~") || file.startsWith("_generated")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(() => (isClosed ? undefined : changed()));
    }, SETTLE_MS);
  });
  // The folder was removed: there is nothing more to watch, and what is loaded stays.
  watcher.on("error", () => watcher.close());
  return () => {
    isClosed = true;
    clearTimeout(timer);
    watcher.close();
    return running;
  };
}
