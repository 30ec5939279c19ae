import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Anteroom } from "../../embedded/functions/anteroom";

/** Calls that go through an anteroom into a queue, of which batches are taken. */
class Calls {
  readonly queue: number[] = [];
  readonly entered: number[] = [];
  readonly anteroom = new Anteroom(() => this.queue.length);

  /** `fails`: it turns out to be nothing that runs. */
  async call(number: number, fails = false): Promise<void> {
    await this.anteroom.enter();
    this.entered.push(number);
    if (!fails) this.queue.push(number);
  }

  batch(size: number): void {
    const ran = this.queue.splice(0, size);
    this.anteroom.ran(ran.length);
  }
}

test("who waits is let in, in the order of coming, as many as a batch has", async () => {
  const calls = new Calls();
  for (let i = 0; i < 100; i++) {
    void calls.call(i);
    await Promise.resolve();
  }
  await setImmediate();
  const first = calls.entered.length;
  expect(first).toBeLessThan(20);
  while (calls.queue.length > 0) {
    const before = calls.entered.length;
    calls.batch(12);
    await setImmediate();
    expect(calls.entered.length - before).toBeLessThanOrEqual(12);
  }
  expect(calls.entered).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("all are let in sometime, whoever fails, and whoever else is in the queue without having waited", async () => {
  const step = fc.oneof(
    fc.record({ calls: fc.array(fc.boolean(), { maxLength: 30 }) }),
    // All of these fail.
    fc.nat(40).map((count) => ({ calls: Array<boolean>(count).fill(true) })),
    fc.record({ batch: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ others: fc.nat(15) }),
    fc.constant({ turn: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.constantFrom(0, 20, 200), async (steps, turns) => {
      const calls = new Calls();
      let made = 0;
      for (const one of steps) {
        if ("calls" in one) for (const fails of one.calls) void calls.call(made++, fails);
        else if ("batch" in one) calls.batch(one.batch);
        else if ("others" in one) calls.queue.push(...Array<number>(one.others).fill(-1));
        else await setImmediate();
      }
      // As long as there is something in the queue batches come, and for so many turns others come in as fast.
      for (let i = 0; i < 200 && (calls.queue.length > 0 || calls.entered.length < made); i++) {
        if (calls.queue.length > 0) calls.batch(10);
        if (i < turns) calls.queue.push(...Array<number>(10).fill(-1));
        await setImmediate();
      }
      expect(calls.entered).toEqual(Array.from({ length: made }, (_, i) => i));
    }),
    { numRuns: 300 },
  );
});
