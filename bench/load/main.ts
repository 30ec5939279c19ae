/** The process that sends requests: runs the jobs that come over the channel to its parent, one after another. */
import { runLoad, type LoadJob } from "./run";

export type GeneratorMessage = { readonly job: LoadJob } | { readonly job: null };

let stop = new AbortController();

process.on("message", ({ job }: GeneratorMessage) => {
  if (job === null) return stop.abort();
  stop = new AbortController();
  runLoad(job, stop.signal).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
