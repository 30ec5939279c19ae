import fc from "fast-check";
import { expect, test } from "vitest";
import { History } from "../../embedded/transaction/history";

const keys = ["a", "b", "c", "d"];
const write = fc.tuple(fc.constantFrom(...keys), fc.option(fc.nat({ max: 9 }).map(String)));
const commits = fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

/** Plays commits, each a second after the one before, and gives the state after each of them. */
function play(
  history: History,
  clock: { nowMs: number },
  writes: readonly (readonly [string, string | null])[][],
) {
  const state = new Map<string, string>();
  const states = [new Map(state)];
  for (const [i, commit] of writes.entries()) {
    clock.nowMs += 1_000;
    const before: [string, string | undefined][] = [];
    for (const [key, value] of new Map(commit)) {
      before.push([key, state.get(key)]);
      if (value === null) state.delete(key);
      else state.set(key, value);
    }
    if (history.isKept) history.add(BigInt(i + 1), before);
    states.push(new Map(state));
  }
  return states;
}

function undone(state: ReadonlyMap<string, string>, before: ReadonlyMap<string, string | null>) {
  const result = new Map(state);
  for (const [key, value] of before) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

test("undoing what came after a timestamp gives the state at that time", () => {
  fc.assert(
    fc.property(commits, (writes) => {
      const clock = { nowMs: 0 };
      const history = new History(() => clock.nowMs);
      history.keep(0n);
      const states = play(history, clock, writes);
      const last = states.at(-1) ?? new Map<string, string>();
      for (const [i, state] of states.entries()) {
        const before = history.before(BigInt(i), BigInt(writes.length));
        expect(before && undone(last, before)).toEqual(state);
      }
    }),
  );
});

test("states older than 30 s are forgotten, younger ones are not, and nothing is kept when nobody has asked for 30 s", () => {
  const clock = { nowMs: 0 };
  const history = new History(() => clock.nowMs);
  expect(history.isKept).toBe(false);
  history.keep(0n);
  const last = 40n;
  for (let timestamp = 1n; timestamp <= last; timestamp++) {
    clock.nowMs += 1_000;
    history.keep(timestamp);
    history.add(timestamp, [["a", String(timestamp)]]);
  }
  expect(history.before(8n, last)).toBeUndefined();
  expect(history.before(9n, last)).toEqual(new Map([["a", "10"]]));
  clock.nowMs += 30_001;
  expect(history.isKept).toBe(false);
  expect(history.before(39n, last)).toBeUndefined();
  expect(history.before(last, last)).toEqual(new Map());
});

test("much that is written is forgotten sooner", () => {
  const history = new History(() => 0);
  history.keep(0n);
  const large = "x".repeat(1024 * 1024);
  for (let timestamp = 1n; timestamp <= 100n; timestamp++) history.add(timestamp, [["a", large]]);
  expect(history.before(50n, 100n)).toBeUndefined();
  expect(history.before(80n, 100n)).toBeDefined();
});
