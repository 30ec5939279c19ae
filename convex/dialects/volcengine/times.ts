/** A time as this wire has it, of milliseconds since the epoch. */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
