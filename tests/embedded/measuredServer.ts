/**
 * A server with the fixture app in a process of its own, for tests that measure it: `fork` it with `--expose-gc`. It sends its
 * address when it is ready, and a {@link Measurement} for each message that it gets.
 */
import { createServer } from "../../embedded/index";

/** What the process holds once all garbage is gone. `faults`: how many errors the runtime took for its own. */
export type Measurement = {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly faults: number;
};

const [appFolder = "", dataFolder = ""] = process.argv.slice(2);
let faults = 0;

process.on("message", () => {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external, residentBytes: rss, faults } satisfies Measurement);
});
const { url, siteUrl } = await createServer({
  appFolder,
  dataFolder,
  port: 0,
  sitePort: 0,
  onFault: (error) => {
    faults++;
    console.error(error);
  },
});
process.send?.({ url, siteUrl });
