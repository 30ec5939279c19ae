/** To ask for the processor's time takes as long as some reads of the database do, so it is asked for no more often. */
const NOTED_EVERY_MS = 100;

/** How much time of the processor the process takes: less than passes where others have it too. */
export class CpuTime {
  #before = process.cpuUsage();
  #notedAt = performance.now();

  /** To be called when something begins that may be measured. It counts from now, or from a tenth of a second before at the most. */
  note(nowMs: number): void {
    if (nowMs - this.#notedAt < NOTED_EVERY_MS) return;
    this.#before = process.cpuUsage();
    this.#notedAt = nowMs;
  }

  msSinceNoted(): number {
    const { user, system } = process.cpuUsage(this.#before);
    return (user + system) / 1000;
  }
}
