import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DiskPatience } from "../../embedded/storage/diskPatience";

/** A disk, and the one that waits for it whenever there is patience. */
class Disk {
  /** In ms. */
  now = 0;
  readonly patience = new DiskPatience(() => this.now);
  readonly waits: { readonly from: number; readonly ms: number }[] = [];

  /** Writes something that takes so long, after so long. `false`: there was no patience. */
  write(ms: number, after = 0): boolean {
    this.now += after;
    if (!this.patience.isLeft) return false;
    this.waits.push({ from: this.now, ms });
    this.patience.during(() => (this.now += ms));
    return true;
  }
}

const ms = fc.double({ min: 0, max: 40, noNaN: true });
const write = fc.record({ ms, after: ms });

describe("whoever may wait for the disk", () => {
  test("waits for one that is quick, however often it is asked", () => {
    const disk = new Disk();
    for (let i = 0; i < 10_000; i++) expect(disk.write(0.4)).toBe(true);
  });

  test("waits for slow ones a twentieth of any time at most, beside one wait and what was saved in a second", () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 200 }), (writes) => {
        const disk = new Disk();
        for (const { ms, after } of writes) disk.write(ms, after);
        for (const [first, { from }] of disk.waits.entries()) {
          let waited = 0;
          for (const wait of disk.waits.slice(first)) {
            expect(waited).toBeLessThanOrEqual(0.05 * (wait.from - from + 1_000) + 1e-6);
            waited += Math.max(0, wait.ms - 0.5);
          }
        }
      }),
    );
  });

  test("comes back to a disk that was slow when it has done something else for twenty times as long", () => {
    const disk = new Disk();
    expect(disk.write(10_000)).toBe(true);
    expect(disk.write(0.1, 10)).toBe(false);
    expect(disk.write(0.1, 198_000)).toBe(false);
    expect(disk.write(0.1, 2_000)).toBe(true);
    expect(disk.write(0.1)).toBe(true);
  });

  test("is told what went wrong, and has waited for that too", () => {
    const disk = new Disk();
    const refuse = () => {
      disk.now += 1_000;
      throw new Error("no room");
    };
    expect(() => disk.patience.during(refuse)).toThrow("no room");
    expect(disk.patience.isLeft).toBe(false);
  });
});
