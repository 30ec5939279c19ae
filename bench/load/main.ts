/** The process that sends requests: runs the jobs that come over the channel to its parent, one after another. */
import { runLoad, type LoadJob, type LoadResult } from "./run";

export type GeneratorMessage = { readonly job: LoadJob } | { readonly job: null };

/** Of the first answer in a job, and of its end. */
export type Reply =
  { readonly answered: true } | { readonly result: LoadResult } | { readonly error: string };

let stop = new AbortController();

process.on("message", ({ job }: GeneratorMessage) => {
  if (job === null) return stop.abort();
  stop = new AbortController();
  runLoad(job, stop.signal, () => process.send?.({ answered: true } satisfies Reply)).then(
    (result) => process.send?.({ result } satisfies Reply),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? error.message : String(error) } satisfies Reply),
  );
});
process.on("disconnect", () => process.exit(0));
