import type { Sheaf } from "../storage/sheaf";
import { firstOf, MAX_KEY_BYTES } from "../storage/store";
import type { Catalog } from "./catalog";
import type { Database } from "./database";
import { NO_SLOT, type StoredDocument } from "./documentCache";
import { DeveloperError } from "./errors";
import { documentKey, type KeyRange } from "./keys";
import { Usage } from "./limits";
import { mergeScan } from "../storage/mergeScan";
import type { DecodedId } from "../values/ids";
import { SortedWrites } from "./sortedWrites";

/** Something that was read: a range of keys, or something that will know it when the transaction ends. */
export type Read = KeyRange | { readRange(): KeyRange | null };

/** What all views of one transaction share: its writes, what it has read, and how much of what it may do it has done. */
export class TransactionState {
  readonly usage = new Usage();
  catalog: Catalog;
  /** Grows with every write, so that a query that is being iterated knows when to look again. */
  version = 0;
  /** Index entries that stay as they are though their documents were written: whoever has read them has to know. */
  readonly touched: string[] = [];
  /** The keys of documents that have been written with a commit timestamp that is not known yet. */
  readonly unresolved = new Set<string>();
  readonly #writes = new SortedWrites();
  /** How many savepoints there are to which somebody may still return. */
  #savepoints = 0;
  /** What `#writes` held before each write since the first of these, to undo the writes of nested calls that fail. */
  #undo: { key: string; before: string | null | undefined }[] | null = null;
  #timestamp: bigint | null = null;

  constructor(
    private readonly database: Database,
    /** What it has read; `null`: nobody wants to know. */
    readonly reads: Read[] | null,
  ) {
    this.catalog = database.catalog;
  }

  /** How many writes the commit will have. */
  get writes(): number {
    return this.#writes.size;
  }

  /** The timestamp that the commit will have. Nothing else may commit between the first look at it and the commit. */
  get timestamp(): bigint {
    return (this.#timestamp ??= this.database.nextTimestamp());
  }

  /** Own writes first, then the committed state. */
  read(key: string): string | undefined {
    const own = this.#writes.get(key);
    return own === undefined ? this.database.get(key) : (own ?? undefined);
  }

  /** A document: own writes first, then the committed state. */
  document(tablet: number, internalId: string): StoredDocument | undefined {
    const own = this.#ownDocument(tablet, internalId);
    if (own !== undefined) return own ?? undefined;
    return this.database.documents.byInternalId(tablet, internalId);
  }

  /** The same by its id. */
  documentById(id: DecodedId, tablet: number): StoredDocument | undefined {
    const own = this.#ownDocument(tablet, id.internalId);
    if (own !== undefined) return own ?? undefined;
    return this.database.documents.byId(id, tablet);
  }

  /** What this transaction has made of a document; `null`: it is deleted, `undefined`: nothing. */
  #ownDocument(tablet: number, internalId: string): StoredDocument | null | undefined {
    if (this.#writes.size === 0) return undefined;
    const text = this.#writes.get(documentKey(tablet, internalId));
    return typeof text === "string" ? { text, slot: NO_SLOT } : text;
  }

  /** What this transaction has written there; `null`: deleted, `undefined`: nothing. */
  ownWrite(key: string): string | null | undefined {
    return this.#writes.get(key);
  }

  scan(start: string, end: string, order: "asc" | "desc"): Iterator<[string, string], unknown, undefined> {
    const committed = this.database.scan(start, end, order);
    if (!this.#writes.touches(start, end)) return committed;
    return mergeScan([this.#writes.scan(start, end, order), committed], order);
  }

  /** The first entries of {@link scan}, up to `limit`. `tail`: see {@link Store.take}. */
  take(start: string, end: string, order: "asc" | "desc", limit: number, tail?: number): [string, string][] {
    if (!this.#writes.touches(start, end)) return this.database.take(start, end, order, limit, tail);
    return firstOf(this.scan(start, end, order), limit);
  }

  /** All documents of a range of the committed state, if they are known and this transaction has written nothing. */
  knownRows(start: string): readonly StoredDocument[] | undefined {
    return this.#writes.size === 0 ? this.database.ranges.get(start) : undefined;
  }

  /** Takes note of all documents of a range, for {@link knownRows}. */
  noteRows(start: string, rows: readonly StoredDocument[]): void {
    if (this.#writes.size === 0) this.database.ranges.set(start, rows);
  }

  write(key: string, value: string | null): void {
    requireKey(key);
    this.#undo?.push({ key, before: this.#writes.get(key) });
    this.#writes.set(key, value);
    this.version++;
  }

  /** Writes a document that is new. */
  insert(key: string, text: string): void {
    if (this.#undo !== null) return this.write(key, text);
    this.#writes.insert(key, text);
    this.version++;
  }

  /** Writes the entries in indexes of a document that is new. */
  addEntries(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#undo !== null) this.write(key, "");
      else {
        requireKey(key);
        this.#writes.add(key);
      }
    }
    this.version++;
  }

  /** Whether {@link addSheaf} may be called: its writes are not undone. */
  get takesSheaves(): boolean {
    return this.#undo === null;
  }

  /** The same as one write. */
  addSheaf(sheaf: Sheaf): void {
    this.#writes.addSheaf(sheaf);
    this.version++;
  }

  savepoint(): Savepoint {
    this.#savepoints++;
    this.#undo ??= [];
    return { undoLength: this.#undo.length, catalog: this.catalog };
  }

  /** Nobody returns to a savepoint any more. To note what writes change costs as much as the writes do. */
  release(): void {
    if (--this.#savepoints === 0) this.#undo = null;
  }

  rollback(savepoint: Savepoint): void {
    const undone = this.#undo?.splice(savepoint.undoLength) ?? [];
    for (const { key, before } of undone.reverse()) {
      if (before === undefined) this.#writes.forget(key);
      else this.#writes.set(key, before);
    }
    this.catalog = savepoint.catalog;
    this.version++;
    this.release();
  }

  commit(): void {
    if (this.#writes.size === 0) return;
    this.database.commit(this.#writes, this.catalog, this.touched, this.timestamp);
  }
}

function requireKey(key: string): void {
  if (key.length <= MAX_KEY_BYTES) return;
  throw new DeveloperError(
    `An index entry has ${key.length} bytes, more than the ${MAX_KEY_BYTES} that it may have`,
  );
}

export type Savepoint = { readonly undoLength: number; readonly catalog: Catalog };
