/** Creation times, in ms since the epoch: documents that are inserted in the same ms have consecutive numbers. */

const time = new Float64Array(1);
/** Its halves, the lower one first: little endian, as all machines are that lmdb is built for. */
const halves = new Uint32Array(time.buffer);

/** The smallest number greater than a positive one. */
export function nextUp(x: number): number {
  time[0] = x;
  // Without bigints, each of which is an object.
  const low = (halves[0] as number) + 1;
  halves[0] = low;
  if (low > 0xffff_ffff) halves[1] = (halves[1] as number) + 1;
  return time[0];
}

/**
 * From 2004 to 2039 what is representable of a ms is every 4096th part of it, so that the text of a time is that of the ms, which is
 * that of the time before, and one of so many ends. To find the shortest text of a number anew takes ten times as long.
 */
const PARTS = 4096;
const FIRST_MS = 2 ** 40;
/** By the part of a ms what its text ends in, from the decimal point on. */
const ends = Array<string | null>(PARTS).fill(null);
let lastMs = { ms: 0, text: "0" };

/** What `String` gives of a time. */
export function timeText(time: number): string {
  if (!(time >= FIRST_MS && time < 2 * FIRST_MS)) return `${time}`;
  const ms = Math.floor(time);
  const part = (time - ms) * PARTS;
  if (lastMs.ms !== ms) lastMs = { ms, text: `${ms}` };
  const { text } = lastMs;
  return text + (ends[part] ??= `${FIRST_MS + part / PARTS}`.slice(text.length));
}
