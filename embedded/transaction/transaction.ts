import { checkValue, isUndefined, type Json, type JsonObject } from "../values/json";
import { fieldAt, identifierProblem } from "../values/fields";
import { decodeId, idProblem, newId } from "../values/ids";
import { documentSize } from "../values/size";
import { MAX_KEY_BYTES } from "../storage/store";
import type { Catalog, IndexInfo, TableInfo } from "./catalog";
import { CATALOG_KEY, type Database } from "./database";
import { DeveloperError } from "./errors";
import {
  indexEntryEnd,
  indexEntryKey,
  indexPrefix,
  internalIdKey,
  onlyKey,
  tablePrefix,
  type KeyRange,
} from "./keys";
import { Usage } from "./limits";
import { mergeScan } from "./mergeScan";
import { SortedWrites } from "./sortedWrites";

/** The largest document, in bytes of Convex's size formula. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/**
 * Says what is wrong with a document of a table according to the schema, or `null`.
 * `value` is the document without its system fields.
 */
export type DocumentCheck = (tableName: string, value: JsonObject) => string | null;

/**
 * One transaction: reads the committed state and its own writes, and commits all of its writes or none.
 *
 * A transaction runs to its end without the event loop turning (functions run synchronously, see functions/realm.ts),
 * so what it reads is one snapshot and no other transaction can come between its reads and its commit.
 */
export class Transaction {
  readonly usage = new Usage();
  #catalog: Catalog;
  readonly #writes = new SortedWrites();
  /** What `#writes` held before each write since the first savepoint, to undo the writes of nested calls that fail. */
  #undo: { key: string; before: string | null | undefined }[] | null = null;
  /** Index entries that stay as they are though their documents were written: whoever has read them has to know. */
  readonly #touched: string[] = [];
  /** What has been read, for those who want to know when it changes. */
  readonly #reads: (KeyRange | { readRange(): KeyRange | null })[] = [];
  /** Grows with every write, so that a query that is being iterated knows when to look again. */
  #version = 0;

  constructor(
    readonly database: Database,
    /** What to check documents with; queries write nothing and have none. */
    private readonly check: DocumentCheck | null,
  ) {
    this.#catalog = database.catalog;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  get version(): number {
    return this.#version;
  }

  /** How many keys the commit will write. */
  get writes(): number {
    return this.#writes.size;
  }

  /** The document as JSON text, or `undefined`. Counts as one index range read. */
  get(id: string, where: IdUse): string | undefined {
    this.usage.add("databaseQueries", 1);
    const found = this.#resolve(id, where);
    if (found === null) {
      this.recordRead(onlyKey(CATALOG_KEY));
      return undefined;
    }
    this.recordRead(onlyKey(found.key));
    const text = this.read(found.key);
    if (text !== undefined) this.countRead(text);
    return text;
  }

  /** Inserts a document and gives its id. `value` must not have system fields. */
  insert(tableName: string, value: JsonObject): string {
    const nameProblem = identifierProblem(tableName);
    if (nameProblem) throw new DeveloperError(`Invalid argument \`table\` for \`db.insert\`: ${nameProblem}`);
    requireLegal(value);
    for (const field of Object.keys(value)) requireUserField(field);
    this.#catalog = this.#catalog.withTable(tableName);
    const table = this.#table(tableName);
    this.#checkDocument(tableName, value);
    const creationTime = this.database.nextCreationTime();
    const id = newId(table.number, creationTime);
    const internalId = internalIdOf(id);
    this.#putDocument(table, internalId, null, withSystemFields(value, id, creationTime));
    return id;
  }

  /**
   * Replaces a document's fields. `value` may repeat the document's own `_id` and `_creationTime`.
   * Gives the new document as JSON text.
   */
  replace(id: string, value: JsonObject, where: IdUse): string {
    requireLegal(value);
    return this.#update(id, where, "Replace", () => value);
  }

  /** Sets or, with `{"$undefined": null}`, removes top-level fields of a document. Gives the new document as JSON text. */
  patch(id: string, patch: JsonObject, where: IdUse): string {
    return this.#update(id, where, "Update", (old) => {
      const value: JsonObject = { ...old };
      for (const [field, json] of Object.entries(patch)) {
        if (isUndefined(json)) delete value[field];
        else value[field] = json;
      }
      requireLegal(value);
      return value;
    });
  }

  /** Deletes a document and gives it, as it was, as JSON text. */
  remove(id: string, where: IdUse): string {
    const { key, table, internalId } = this.#require(id, where, "Delete");
    const text = this.read(key);
    if (text === undefined) throw new DeveloperError(`Delete on nonexistent document ID ${id}`);
    this.countRead(text);
    this.usage.add("documentsWritten", 1);
    this.#write(key, null);
    this.#writeIndexEntries(table, internalId, JSON.parse(text) as JsonObject, null);
    return text;
  }

  /** Reads a key without counting it: own writes first, then the committed state. */
  read(key: string): string | undefined {
    const own = this.#writes.get(key);
    return own === undefined ? this.database.get(key) : (own ?? undefined);
  }

  /** Scans keys without counting them. The iterator must not be used after a write of this transaction. */
  scan(start: string, end: string, order: "asc" | "desc"): Iterator<[string, string], unknown, undefined> {
    const committed = this.database.scan(start, end, order);
    if (!this.#writes.touches(start, end)) return committed;
    return mergeScan([this.#writes.scan(start, end, order), committed], order);
  }

  /** Notes what a read depends on: a range of keys, or something that will know it when the transaction ends. */
  recordRead(read: KeyRange | { readRange(): KeyRange | null }): void {
    this.#reads.push(read);
  }

  /** The ranges of keys that what was read depends on. */
  readRanges(): KeyRange[] {
    return this.#reads.flatMap((read) => ("readRange" in read ? (read.readRange() ?? []) : read));
  }

  /**
   * Writes a key that is no document, or with `null` deletes it: a note of the runtime's own, which commits with the rest.
   */
  writeNote(key: string, value: string | null): void {
    this.#write(key, value);
  }

  removeNote(key: string): void {
    this.#write(key, null);
  }

  /** Counts a document that was read. Its size is taken as the length of its JSON. */
  countRead(text: string): void {
    this.usage.add("documentsRead", 1);
    this.usage.add("bytesRead", text.length);
  }

  /** Marks a point to which {@link rollback} can return: the begin of a nested mutation. */
  savepoint(): Savepoint {
    this.#undo ??= [];
    return { undoLength: this.#undo.length, catalog: this.#catalog };
  }

  rollback(savepoint: Savepoint): void {
    const undone = this.#undo?.splice(savepoint.undoLength) ?? [];
    for (const { key, before } of undone.reverse()) {
      if (before === undefined) this.#writes.forget(key);
      else this.#writes.set(key, before);
    }
    this.#catalog = savepoint.catalog;
    this.#version++;
  }

  /** Commits. Without writes nothing happens. See {@link Database.durable} for when it is on disk. */
  commit(): void {
    if (this.#writes.size > 0) this.database.commit(this.#writes.values, this.#catalog, this.#touched);
  }

  #table(name: string): TableInfo {
    const table = this.#catalog.table(name);
    if (!table) throw new Error(`Table ${name} is not in the catalog`);
    return table;
  }

  #update(
    id: string,
    where: IdUse,
    verb: "Update" | "Replace",
    change: (old: JsonObject) => JsonObject,
  ): string {
    const { key, table, internalId } = this.#require(id, where, verb);
    const text = this.read(key);
    if (text === undefined) throw new DeveloperError(`${verb} on nonexistent document ID ${id}`);
    this.countRead(text);
    const old = JSON.parse(text) as JsonObject;
    const { _id, _creationTime, ...value } = change(old);
    if (_id !== undefined && _id !== id) {
      throw new DeveloperError(`The document has id ${id}, but its '_id' field is ${JSON.stringify(_id)}`);
    }
    const creationTime = old["_creationTime"] as number;
    if (_creationTime !== undefined && _creationTime !== creationTime) {
      throw new DeveloperError(`The '_creationTime' field of document ${id} can't be changed`);
    }
    for (const field of Object.keys(value)) requireUserField(field);
    this.#checkDocument(table.name, value);
    return this.#putDocument(table, internalId, old, withSystemFields(value, id, creationTime));
  }

  #checkDocument(tableName: string, value: JsonObject): void {
    const problem = this.check?.(tableName, value);
    if (problem) throw new DeveloperError(problem);
  }

  /** Writes a document's new state with all of its index entries. Gives it as JSON text. */
  #putDocument(table: TableInfo, internalId: string, before: JsonObject | null, after: JsonObject): string {
    this.usage.add("documentsWritten", 1);
    const size = documentSize(after);
    // The arguments of a scheduled function have a limit of their own.
    if (size > MAX_DOCUMENT_BYTES && !table.name.startsWith("_")) {
      throw new DeveloperError(`Value is too large (${size} > maximum size ${MAX_DOCUMENT_BYTES})`);
    }
    this.usage.add("bytesWritten", size);
    const text = JSON.stringify(after);
    this.#write(tablePrefix(table.number) + internalId, text);
    this.#writeIndexEntries(table, internalId, before, after);
    return text;
  }

  #writeIndexEntries(
    table: TableInfo,
    internalId: string,
    before: JsonObject | null,
    after: JsonObject | null,
  ): void {
    const creationTime = (after ?? before)?.["_creationTime"] as number;
    const end = indexEntryEnd(creationTime, internalId);
    this.#writeIndexEntry(table.byCreationTime, before, after, end);
    for (const index of table.indexes.values()) this.#writeIndexEntry(index, before, after, end);
    const building = this.database.building.get(table.name);
    if (building) for (const index of building) this.#writeIndexEntry(index, before, after, end);
  }

  #writeIndexEntry(index: IndexInfo, before: JsonObject | null, after: JsonObject | null, end: string): void {
    const oldKey = before && entryOf(index, before, end);
    const newKey = after && entryOf(index, after, end);
    if (oldKey === newKey) {
      if (newKey !== null) this.#touched.push(newKey);
      return;
    }
    if (oldKey !== null) this.#write(oldKey, null);
    if (newKey !== null) this.#write(newKey, "");
  }

  #write(key: string, value: string | null): void {
    if (key.length > MAX_KEY_BYTES) {
      throw new DeveloperError(
        `An index entry has ${key.length} bytes, more than the ${MAX_KEY_BYTES} that it may have`,
      );
    }
    this.#undo?.push({ key, before: this.#writes.get(key) });
    this.#writes.set(key, value);
    this.#version++;
  }

  #require(id: string, where: IdUse, verb: string): ResolvedId {
    const found = this.#resolve(id, where);
    if (found === null) throw new DeveloperError(`${verb} on nonexistent document ID ${id}`);
    return found;
  }

  /** `null`: a well-formed id of a table that does not exist. */
  #resolve(id: string, { operation, table: wanted, system }: IdUse): ResolvedId | null {
    const decoded = decodeId(id);
    if (decoded === null) {
      throw new DeveloperError(`Invalid argument \`id\` for \`${operation}\`: ${idProblem(id)}`);
    }
    const table = this.#catalog.tableByNumber(decoded.tableNumber);
    if (!table) return null;
    if (wanted !== undefined && wanted !== table.name) {
      throw new DeveloperError(
        `Invalid argument \`id\` for \`${operation}\`: expected to be an Id<"${wanted}">, got Id<"${table.name}"> instead.`,
      );
    }
    if (table.name.startsWith("_") !== system) {
      const kind = system ? "User" : "System";
      throw new DeveloperError(
        operation === "db.get"
          ? `${kind} tables can only be accessed from db.${system ? "" : "system."}get().`
          : "System tables (prefixed with `_`) are read-only.",
      );
    }
    const internalId = internalIdKey(decoded.internalId);
    return { table, internalId, key: tablePrefix(table.number) + internalId };
  }
}

export type Savepoint = { readonly undoLength: number; readonly catalog: Catalog };

/** How an id came in: for the error messages, and the table that the caller expects. */
export type IdUse = {
  readonly operation: "db.get" | "db.patch" | "db.replace" | "db.delete";
  readonly table?: string | undefined;
  readonly system: boolean;
};

type ResolvedId = { table: TableInfo; internalId: string; key: string };

/** The key of a document's entry in an index. `end`: see {@link indexEntryEnd}. */
export function entryOf(index: IndexInfo, document: JsonObject, end: string): string {
  const fields = index.fields.map((path) => fieldAt(document, path));
  return indexEntryKey(indexPrefix(index.id), fields, end);
}

/** The internal id, as it stands in keys, of an id that is known to be well formed. */
export function internalIdOf(id: string): string {
  const decoded = decodeId(id);
  if (decoded === null) throw new Error("Not a document id");
  return internalIdKey(decoded.internalId);
}

function requireLegal(value: JsonObject): void {
  try {
    checkValue(value);
  } catch (error) {
    throw new DeveloperError((error as Error).message);
  }
}

function requireUserField(field: string): void {
  if (field.startsWith("_")) {
    throw new DeveloperError(
      `Field '${field}' starts with an underscore, which is only allowed for system fields like '_id'`,
    );
  }
}

/** A document's fields in the order in which Convex gives them: by name. */
function withSystemFields(value: JsonObject, id: string, creationTime: number): JsonObject {
  const names = [...Object.keys(value), "_id", "_creationTime"].sort();
  const document: JsonObject = {};
  for (const name of names) {
    document[name] = name === "_id" ? id : name === "_creationTime" ? creationTime : (value[name] as Json);
  }
  return document;
}
