/** Live queries of different callers: which have one result, and which never do. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ANONYMOUS, type Caller } from "../../embedded/functions/caller";
import type { Outcome } from "../../embedded/functions/calls";
import { LiveQueries, type LiveQuery, type Watcher } from "../../embedded/sync/liveQueries";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Json } from "../../embedded/values/json";
import { startRuntime, type TestRuntime } from "./harness";

const callerOf = (subject: string): Caller => ({
  kind: "user",
  identity: { subject, issuer: "https://issuer.example", tokenIdentifier: `issuer|${subject}` },
});

/** Live queries on a runtime of their own, whose calls for a run are counted. */
class Audience {
  readonly #live: LiveQueries;
  readonly #watched: LiveQuery[] = [];
  #check: () => void = () => undefined;
  #watcher: Watcher = this.watcher(() => undefined);
  /** How many queries were run since {@link settled} was called last. */
  runs = 0;

  private constructor(
    readonly host: TestRuntime,
    maxLength: number,
  ) {
    this.#live = new LiveQueries({
      evaluate: (run) =>
        host.runtime.evaluate({
          call: run.call,
          isKnown: (ask) => run.isKnown(ask),
          done: (evaluation) => {
            if (evaluation) this.runs++;
            run.done(evaluation);
          },
        }),
      onCommit: (listener) => host.database.onCommit(listener),
      onLoss: (listener) => host.database.onLoss(listener),
      maxLength,
    });
  }

  static async gather({ maxLength = Infinity, store = new MemoryStore() } = {}): Promise<Audience> {
    return new Audience(await startRuntime(store), maxLength);
  }

  watcher(drop: () => void): Watcher {
    return { changed: () => this.#check(), drop };
  }

  watch(path: string, caller: Caller, args: Json = { circle: "tea" }, watcher = this.#watcher): LiveQuery {
    const call = { path, args, caller, internalAllowed: caller.kind === "admin", journal: null };
    const query = this.#live.watch(call, watcher);
    this.#watched.push(query);
    return query;
  }

  unwatch(query: LiveQuery, watcher = this.#watcher): void {
    this.#watched.splice(this.#watched.indexOf(query), 1);
    this.#live.unwatch(query, watcher);
  }

  /** Waits until all have a result of the present state. Gives how many queries were run for that. */
  async settled(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (this.#watched.every(({ isCurrent }) => isCurrent)) resolve();
      };
      this.#check();
    });
    const { runs } = this;
    this.runs = 0;
    return runs;
  }

  /** Lets people into a circle; gives their notes' ids. */
  admit(...subjects: string[]): Promise<string[]> {
    const notes = subjects.map((text) => ({ author: "in tea", text, rank: 0 }));
    return Promise.all(notes.map((note) => this.host.mutation<string>("notes:add", note)));
  }

  write(text: string, rank = 0): Promise<string> {
    return this.host.mutation("notes:add", { author: "tea", text, rank });
  }
}

function valueOf({ evaluation }: LiveQuery): unknown {
  const outcome = evaluation?.outcome;
  return outcome?.ok ? JSON.parse(outcome.value) : new Error(outcome?.failure.message);
}

const people = ["ann", "ben", "cem"];

test("a query that asks who calls in a nested query alone is run once for all to whom that gives the same", async () => {
  const audience = await Audience.gather();
  await audience.admit(...people);
  const queries = people.map((subject) => audience.watch("circles:entries", callerOf(subject)));
  await audience.settled();
  await audience.write("first");
  expect(await audience.settled()).toBe(1);
  expect(queries.map(valueOf)).toEqual([["first"], ["first"], ["first"]]);
  expect(new Set(queries.map(({ evaluation }) => evaluation)).size).toBe(1);
});

test("who comes later gets the result that is there, until what it was made of changes", async () => {
  const audience = await Audience.gather();
  await audience.admit(...people);
  await audience.write("first");
  const [ann = "", ...others] = people;
  audience.watch("circles:entries", callerOf(ann));
  await audience.settled();
  const later = others.map((subject) => audience.watch("circles:entries", callerOf(subject)));
  expect(await audience.settled()).toBe(0);
  expect(later.map(valueOf)).toEqual([["first"], ["first"]]);
  await audience.host.mutation("notes:add", { author: "another circle", text: "elsewhere" });
  expect(await audience.settled()).toBe(0);
});

test("who may not see a result is refused, whoever else has it", async () => {
  const audience = await Audience.gather();
  await audience.admit("ann");
  const ann = audience.watch("circles:entries", callerOf("ann"));
  await audience.settled();
  const others = [callerOf("eve"), ANONYMOUS, { kind: "unidentified", problem: "Bad token" } as const];
  const refused = others.map((caller) => audience.watch("circles:entries", caller));
  await audience.settled();
  for (const round of ["first", "second"]) {
    await audience.write(round);
    await audience.settled();
    for (const query of refused) expect(valueOf(query)).toBeInstanceOf(Error);
  }
  expect(valueOf(ann)).toEqual(["first", "second"]);
});

test("who is put out loses the result at once, and the others keep it", async () => {
  const audience = await Audience.gather();
  const [note = ""] = await audience.admit("ann", "ben");
  const [ann, ben] = ["ann", "ben"].map((subject) => audience.watch("circles:entries", callerOf(subject)));
  await audience.settled();
  await Promise.all([audience.host.mutation("notes:remove", { id: note }), audience.write("secret")]);
  await audience.settled();
  expect(ann && valueOf(ann)).toBeInstanceOf(Error);
  expect(ben && valueOf(ben)).toEqual(["secret"]);
});

test("who becomes something else in the circle gets what those are shown", async () => {
  const audience = await Audience.gather();
  const [note = ""] = await audience.admit("ann", "ben");
  await audience.write("hidden", 1);
  const [ann, ben] = ["ann", "ben"].map((subject) => audience.watch("circles:entries", callerOf(subject)));
  await audience.settled();
  await audience.host.mutation("notes:overwrite", {
    id: note,
    value: { author: "in tea", text: "ann", rank: 1 },
  });
  await audience.settled();
  expect(ann && valueOf(ann)).toEqual(["hidden"]);
  expect(ben && valueOf(ben)).toEqual([]);
});

test("a query that asks nobody who calls is run once for everybody", async () => {
  const audience = await Audience.gather();
  const callers = [...people.map(callerOf), ANONYMOUS];
  const queries = callers.map((caller) => audience.watch("circles:people", caller));
  await audience.settled();
  await audience.admit("ann");
  expect(await audience.settled()).toBe(1);
  expect(queries.map(valueOf)).toEqual([1, 1, 1, 1]);
});

test.each(["entriesAndName", "greeting"])(
  "a result that names the caller is nobody else's (%s)",
  async (name) => {
    const audience = await Audience.gather();
    await audience.admit(...people);
    const queries = people.map((subject) => audience.watch(`circles:${name}`, callerOf(subject)));
    await audience.settled();
    await audience.admit("dan");
    await audience.settled();
    for (const [i, query] of queries.entries()) expect(valueOf(query)).toContain(people[i]);
  },
);

test.each(["time", "dateOfToday", "draw", "chatty"])(
  "a result that depends on the clock or on chance, or was logged, is nobody else's (%s)",
  async (name) => {
    const audience = await Audience.gather();
    await audience.admit(...people);
    for (const subject of people) audience.watch(`circles:${name}`, callerOf(subject));
    expect(await audience.settled()).toBe(3);
  },
);

test("chance is another one for everybody, in a nested query too", async () => {
  const audience = await Audience.gather();
  await audience.admit(...people);
  const draws = people.map((subject) => audience.watch("circles:draw", callerOf(subject)));
  await audience.settled();
  expect(new Set(draws.map(valueOf)).size).toBe(3);
});

test("a query that goes on when a nested one fails that asked who calls is run for everybody", async () => {
  const audience = await Audience.gather();
  await audience.admit("ann");
  const callers = ["eve", "fay"].map(callerOf);
  const queries = callers.map((caller) => audience.watch("circles:entriesOrNone", caller));
  expect(await audience.settled()).toBe(2);
  await audience.admit("eve");
  await audience.settled();
  expect(queries.map(valueOf)).toEqual([2, "closed"]);
});

test("what an admin may watch is not found by others", async () => {
  const audience = await Audience.gather();
  const admin = audience.watch("circles:internalPeople", { kind: "admin" });
  await audience.settled();
  const other = audience.watch("circles:internalPeople", callerOf("ann"));
  await audience.settled();
  expect(valueOf(admin)).toBe(0);
  expect(valueOf(other)).toEqual(new Error("Could not find public function for 'circles:internalPeople'."));
});

test("pages that are shared stay without gaps, and each caller's journal is that of all", async () => {
  const audience = await Audience.gather();
  await audience.admit(...people);
  for (const [rank, text] of ["a", "c", "e"].entries()) await audience.write(text, rank);
  const first = { circle: "tea", paginationOpts: { numItems: 2, cursor: null } };
  const pages = people.map((subject) => audience.watch("circles:entriesPage", callerOf(subject), first));
  await audience.settled();
  await audience.write("b", 0.5);
  expect(await audience.settled()).toBe(1);
  const texts = pages.map((query) =>
    (valueOf(query) as { page: { text: string }[] }).page.map(({ text }) => text),
  );
  expect(texts).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  // Who begins now has no journal: two rows are a page.
  await audience.admit("dan");
  const late = audience.watch("circles:entriesPage", callerOf("dan"), first);
  await audience.settled();
  expect((valueOf(late) as { page: unknown[] }).page).toHaveLength(2);
});

test("when all results together are too long, whoever has the most is dropped, and what many share counts in parts", async () => {
  const audience = await Audience.gather({ maxLength: 9_000 });
  const dropped: string[] = [];
  const join = (name: string, paths: string[]) => {
    const queries: LiveQuery[] = [];
    const watcher = audience.watcher(() => {
      dropped.push(name);
      for (const query of queries) audience.unwatch(query, watcher);
    });
    for (const path of paths) {
      for (const circle of ["tea", "coffee"])
        queries.push(audience.watch(path, callerOf(name), { circle }, watcher));
    }
  };
  await audience.admit(...people);
  for (const name of people) join(name, ["circles:entries"]);
  join("eve", ["circles:echo"]);
  await audience.settled();
  // One text for all three.
  await audience.write("x".repeat(900));
  await audience.settled();
  expect(dropped).toEqual([]);
  await audience.write("y".repeat(900));
  await audience.settled();
  expect(dropped).toEqual(["eve"]);
});

test.each([
  ["arguments", "circles:internalPeople", "x".repeat(6_000)],
  ["arguments and the keys that it has read", "circles:people", "x".repeat(3_400)],
  ["name and the error that repeats it", `circles:${"x".repeat(4_000)}`, "tea"],
])("when a query is too long with its %s, whoever watches it is dropped", async (_what, path, circle) => {
  const audience = await Audience.gather({ maxLength: 20_000 });
  const dropped: string[] = [];
  const watch = (name: string, asked: string, of: string) => {
    const watcher = audience.watcher(() => {
      dropped.push(name);
      audience.unwatch(query, watcher);
    });
    const query = audience.watch(asked, { kind: "admin" }, { circle: of }, watcher);
  };
  watch("ann", "circles:people", "tea");
  watch("eve", path, circle);
  await audience.settled();
  expect(dropped).toEqual(["eve"]);
});

test("whose nested query never ends is cut off, and the others go on", async () => {
  const audience = await Audience.gather();
  const queries = ["ann", "eve", "ben"].map((subject) =>
    audience.watch("circles:peopleButForEve", callerOf(subject)),
  );
  await audience.settled();
  const [ann, eve, ben] = queries.map(valueOf);
  expect([ann, ben]).toEqual([0, 0]);
  expect(eve).toEqual(new Error("Function execution timed out (maximum duration: 1s)"));
  await audience.admit("dan");
  await audience.settled();
  expect(queries.map(valueOf)).toEqual([1, eve, 1]);
});

/** A disk that is full at times. */
class RefusingStore extends MemoryStore {
  isFull = false;

  override commit(...writes: Parameters<MemoryStore["commit"]>): Promise<void> {
    return this.isFull ? Promise.reject(new Error("The disk is full")) : super.commit(...writes);
  }
}

test("what the disk has refused is in nobody's result any more", async () => {
  const store = new RefusingStore();
  const audience = await Audience.gather({ store });
  await audience.admit(...people);
  await audience.write("kept");
  const [ann = "", ...others] = people;
  const early = audience.watch("circles:entries", callerOf(ann));
  await audience.settled();
  store.isFull = true;
  await expect(audience.write("lost")).rejects.toThrow("could not write to disk");
  store.isFull = false;
  const late = others.map((subject) => audience.watch("circles:entries", callerOf(subject)));
  await audience.settled();
  expect([early, ...late].map(valueOf)).toEqual([["kept"], ["kept"], ["kept"]]);
});

type Step =
  | { readonly do: "admit" | "promote" | "putOut"; readonly who: string }
  | { readonly do: "write" | "hide" | "unwatch"; readonly which: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("admit" as const, "promote" as const, "putOut" as const),
    who: fc.constantFrom(...people),
  }),
  fc.record({
    do: fc.constantFrom("write" as const, "hide" as const, "unwatch" as const),
    which: fc.nat({ max: 30 }),
  }),
);

const repeatable =
  "people entries entriesAndName greeting peopleForMembers entriesOfAll entriesOrNone entriesByTurns entriesAfterwards"
    .split(" ")
    .map((name) => `circles:${name}`);

test("after any history every caller's live result is what a call would give that caller", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(steps, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      async (rounds) => {
        const audience = await Audience.gather();
        const { host } = audience;
        const notes = new Map<string, string>();
        const pairs = repeatable.flatMap((path) =>
          [...people.map(callerOf), ANONYMOUS].map((caller) => ({ path, caller })),
        );
        const watched = pairs.map(({ path, caller }) => ({
          path,
          caller,
          query: audience.watch(path, caller),
        }));
        const perform = async (step: Step) => {
          if (step.do === "write" || step.do === "hide") {
            await audience.write(`text ${step.which}`, step.do === "hide" ? 1 : 0);
          } else if (step.do === "unwatch") {
            // And begins again, without what it has known.
            const at = watched[step.which % watched.length];
            if (!at) return;
            audience.unwatch(at.query);
            at.query = audience.watch(at.path, at.caller);
          } else if ("who" in step) {
            const id = notes.get(step.who);
            if (id !== undefined) await host.mutation("notes:remove", { id });
            notes.delete(step.who);
            if (step.do === "putOut") return;
            const rank = step.do === "promote" ? 1 : 0;
            notes.set(step.who, await host.mutation("notes:add", { author: "in tea", text: step.who, rank }));
          }
        };
        for (const round of rounds) {
          // Some changes meet live queries that have not been run again since the one before.
          for (const step of round) await perform(step);
          await audience.settled();
          for (const { path, caller, query } of watched) {
            const direct = await host.outcome("query", path, { circle: "tea" }, caller);
            expect(told(query.evaluation?.outcome)).toEqual(told(direct));
          }
        }
        expect(host.faults).toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});

function told(outcome: Outcome | undefined): unknown {
  return outcome?.ok ? outcome.value : [outcome?.failure.message, outcome?.failure.data];
}
