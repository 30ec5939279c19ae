/** `npm run bench`: measures the embedded runtime beside what an engineer would write instead. */
import { writeFile } from "node:fs/promises";
import { bench } from "./bench";
import { OptionError, readOptions, USAGE, type Options } from "./options";
import { markdown } from "./report";

const options = optionsOrEnd();
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());
const report = await bench(options, progress, interruption.signal);
console.log(markdown(report));
if (options.json !== null) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);

function progress(text: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${text}`);
}

function optionsOrEnd(): Options {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read) return read;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(1);
  }
}
