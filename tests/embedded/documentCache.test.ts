import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DocumentCache, NO_SLOT, type StoredDocument } from "../../embedded/transaction/documentCache";
import { documentKey } from "../../embedded/transaction/keys";
import { decodeId, encodeId, type DecodedId } from "../../embedded/values/ids";

const TABLE = 10_001;
const TABLETS = [TABLE, 2 ** 31];

function idOf(which: number): DecodedId {
  const decoded = decodeId(encodeId(TABLE, String(which).padStart(16, "0")));
  if (decoded === null) throw new Error("An id that was made is none");
  return decoded;
}

/** What is stored, with the cache above it. */
class Stored {
  texts = new Map<string, string>();
  /** How often it was asked. */
  looks = 0;
  readonly cache: DocumentCache;

  constructor(capacity?: number) {
    this.cache = new DocumentCache((key) => {
      this.looks++;
      return this.texts.get(key);
    }, capacity);
  }

  write(tablet: number, which: number, text: string | null): void {
    const key = documentKey(tablet, idOf(which).internalId);
    if (text === null) this.texts.delete(key);
    else this.texts.set(key, text);
    this.cache.write(key, text);
  }

  fill(count: number, length = 100): this {
    for (let which = 0; which < count; which++) this.write(TABLE, which, `${which}`.padEnd(length));
    return this;
  }

  read(which: number) {
    return this.cache.byId(idOf(which), TABLE);
  }

  /** Which of the documents are read without a look at what is stored. */
  kept(count: number): number[] {
    return Array.from({ length: count }, (_, which) => which).filter((which) => {
      const before = this.looks;
      this.read(which);
      return this.looks === before;
    });
  }
}

const which = fc.nat({ max: 9 });
const tablet = fc.constantFrom(...TABLETS);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom("byId" as const, "row" as const), tablet, which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      tablet,
      which,
      length: fc.option(fc.nat({ max: 200 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("mark" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const) }) },
);

describe("the cache of documents", () => {
  test("gives what is stored, whatever is written, lost and pushed out, and whoever else notes the same ids", () => {
    const histories = fc.array(step, { maxLength: 60 });
    const capacity = fc.constantFrom(0, 300, 1000, 3000, undefined);
    fc.assert(
      fc.property(histories, capacity, (history, capacityChars) => {
        const stored = new Stored(capacityChars);
        const other = new Stored().fill(10, 7);
        let marked = new Map<string, string>();
        const found: (string | undefined)[] = [];
        const expected: (string | undefined)[] = [];
        const given: { document: StoredDocument | undefined; text: string | undefined }[] = [];
        for (const [number, action] of history.entries()) {
          if (action.kind === "mark") {
            marked = new Map(stored.texts);
            continue;
          }
          if (action.kind === "lose") {
            stored.texts = new Map(marked);
            stored.cache.clear();
            continue;
          }
          if (action.kind === "write") {
            const { length } = action;
            stored.write(action.tablet, action.which, length === null ? null : `${number}`.padEnd(length));
          } else {
            const id = idOf(action.which);
            const wanted = stored.texts.get(documentKey(action.tablet, id.internalId));
            const read = () =>
              action.kind === "byId"
                ? stored.cache.byId(id, action.tablet)
                : stored.cache.byInternalId(action.tablet, id.internalId);
            const first = read();
            found.push(first?.text, read()?.text, other.read(action.which)?.text);
            expected.push(wanted, wanted, `${action.which}`.padEnd(7));
            given.push({ document: first, text: wanted });
          }
        }
        expect(found).toEqual(expected);
        // What was given stays as it was.
        expect(given.map(({ document }) => document?.text)).toEqual(given.map(({ text }) => text));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps no more than it may", () => {
    const stored = new Stored(4000).fill(100);
    for (let time = 0; time < 3; time++) stored.kept(100);
    // Each is counted with its text, as much for what is made of it, and what it takes beside.
    expect(stored.kept(100).length).toBeLessThanOrEqual(10);
  });

  test("keeps what is read again and again, whatever else is read once", () => {
    const stored = new Stored(8000).fill(1000);
    for (let other = 4; other < 1000; other++) for (const often of [0, 1, 2, 3, other]) stored.read(often);
    expect(stored.kept(4)).toEqual([0, 1, 2, 3]);
  });

  test("gives documents that it has at the same time slots of their own, and uses them again", () => {
    const stored = new Stored(4000).fill(1000);
    const slots = [0, 1, 2, 3, 4].map((few) => stored.read(few)?.slot);
    expect(new Set(slots).size).toBe(5);
    for (let many = 0; many < 1000; many++) expect(stored.read(many)?.slot).toBeLessThan(10);
    stored.cache.clear();
    for (let few = 0; few < 5; few++) expect(stored.read(few)?.slot).toBeLessThan(10);
  });

  test("does not keep what is very long, and then gives it no slot", () => {
    const stored = new Stored();
    stored.write(TABLE, 1, "x".repeat(1 << 20));
    stored.read(1);
    expect(stored.read(1)).toEqual({ text: "x".repeat(1 << 20), slot: NO_SLOT });
    expect(stored.looks).toBe(2);
  });

  test("leaves nothing of what it has dropped where ids are remembered", () => {
    const stored = new Stored(1000).fill(2100);
    // The caches of the other tests have noted none of these.
    const ids = Array.from({ length: 100 }, (_, many) => 2000 + many);
    for (const id of ids) stored.read(id);
    const noted = ids.map((id) => idOf(id).found).filter((found) => found !== null);
    expect(noted.length).toBeLessThanOrEqual(2);
    stored.cache.clear();
    for (const id of ids) expect(idOf(id).found).toBeNull();
  });
});
