import {
  MAX_DOCUMENT_NESTING,
  MAX_NESTING,
  int64Json,
  isUndefined,
  type Json,
  type JsonObject,
} from "../values/json";
import { identifierProblem } from "../values/fields";
import { decodeId, idProblem, newId, type DecodedId } from "../values/ids";
import { documentSize } from "../values/size";
import { isSystem, ROOT, type Namespace, type TableInfo } from "./catalog";
import { CATALOG_KEY, type Database } from "./database";
import type { StoredDocument } from "./documentCache";
import { withSystemText, type DocumentFields, type DocumentText } from "./documentText";
import {
  documentTooLarge,
  MAX_DOCUMENT_BYTES,
  requireLegal,
  requireUserFields,
  withSystemFields,
} from "./documentValue";
import { DeveloperError } from "./errors";
import { changedEntriesOf, entriesOf, entryOf, indexesSystemFields, sheafOf } from "./indexEntries";
import { documentKey, indexEntryEnd, internalIdOfKey, onlyKey, tabletOfKey, type KeyRange } from "./keys";
import type { Usage } from "./limits";
import { TransactionState, type Read, type Savepoint } from "./transactionState";

/** A commit timestamp that is not known yet, as it stands in the JSON of a document: inside of a text its quotes are escaped. */
const UNRESOLVED = '{"$commitTs":null}';

/** What the schema says of documents. */
export type DocumentRules = {
  /** What is wrong with a document of a table, or `null`. `value` is the document without its system fields. */
  check(tableName: string, value: JsonObject): string | null;
  /** The fields of a table's documents; `undefined`: `check` alone can say what these have to be like. */
  fields(tableName: string): DocumentFields | undefined;
};

/**
 * One transaction: reads the committed state and its own writes, and commits all of its writes or none.
 *
 * A transaction runs to its end without the event loop turning (functions run synchronously, see functions/realm.ts),
 * so what it reads is one snapshot and no other transaction can come between its reads and its commit.
 *
 * This is a view of it: that of a component, which sees the tables of its namespace and no others, or that of the runtime,
 * which finds any document by its id and knows the app's tables by their names. {@link within} gives another one.
 */
export class Transaction {
  readonly #state: TransactionState;

  constructor(
    readonly database: Database,
    /** What documents have to be like; queries write nothing and have no such rules. */
    private readonly rules: DocumentRules | null,
    private readonly namespace: Namespace | null = null,
    state?: TransactionState,
  ) {
    this.#state = state ?? new TransactionState(database, null);
  }

  /** A transaction that notes what it reads, for {@link readRanges}. It is the runtime's view of it. */
  static notingReads(database: Database): Transaction {
    return new Transaction(database, null, null, new TransactionState(database, []));
  }

  /** The same transaction as a component sees it; `null`: as the runtime does. */
  within(namespace: Namespace | null, rules: DocumentRules | null): Transaction {
    return new Transaction(this.database, rules, namespace, this.#state);
  }

  get usage(): Usage {
    return this.#state.usage;
  }

  get version(): number {
    return this.#state.version;
  }

  /** How many writes the commit will have. */
  get writes(): number {
    return this.#state.writes;
  }

  /** All tables of the namespace, the system's too. */
  get tables(): Iterable<TableInfo> {
    return this.#state.catalog.tables(this.namespace ?? ROOT);
  }

  table(name: string): TableInfo | undefined {
    return this.#state.catalog.table(this.namespace ?? ROOT, name);
  }

  /** The name of the table that has a number; undefined when there is none in the namespace. */
  tableName(number: number): string | undefined {
    return this.#state.catalog.tableName(this.namespace ?? ROOT, number);
  }

  /** The namespace in which a document is, by an id that is known to be one; `undefined` when there is no such table. */
  namespaceOf(id: string): Namespace | undefined {
    const number = decodeId(id)?.tableNumber;
    return number === undefined ? undefined : this.#state.catalog.tableByNumber(number)?.namespace;
  }

  /** The document, or `undefined`. Counts as one index range read. */
  get(id: string, where: IdUse): StoredDocument | undefined {
    const state = this.#state;
    state.usage.addQuery();
    const found = this.#resolve(id, where);
    if (state.reads !== null) state.reads.push(onlyKey(found === null ? CATALOG_KEY : keyOf(found)));
    if (found === null) return undefined;
    const document = state.documentById(found.id, found.table.tablet);
    if (document !== undefined) state.usage.addRead(document.text);
    return document;
  }

  /** Inserts a document and gives its id. `value` must not have system fields. */
  insert(tableName: string, value: JsonObject): string {
    const known = this.table(tableName);
    const quick = known && this.#quickText(known, value, null);
    if (quick) {
      const creationTime = this.database.nextCreationTime();
      const { id, internalId } = newId(known.number, creationTime);
      this.#countWrite(known, quick.size);
      this.#state.insert(documentKey(known.tablet, internalId), withSystemText(quick, id, creationTime));
      this.#writeIndexEntries(known, null, value, indexEntryEnd(creationTime, internalId));
      return id;
    }
    const nameProblem = known ? null : identifierProblem(tableName);
    if (nameProblem) throw new DeveloperError(`Invalid argument \`table\` for \`db.insert\`: ${nameProblem}`);
    const size = documentSize(value, requireLegal(value, maxNestingIn(known)));
    requireUserFields(value);
    const table = known ?? this.#newTable(tableName);
    this.#checkDocument(tableName, value);
    const creationTime = this.database.nextCreationTime();
    const { id, internalId } = newId(table.number, creationTime);
    this.#putDocument({ table, internalId }, null, withSystemFields(value, id, creationTime), size);
    return id;
  }

  /**
   * Replaces a document's fields. `value` may repeat the document's own `_id` and `_creationTime`.
   * Gives the new document as JSON text.
   */
  replace(id: string, value: JsonObject, where: IdUse): string {
    const size = documentSize(value, requireLegal(value));
    const { resolved, text } = this.#requireDocument(id, where, "Replace");
    return this.#update(id, resolved, { text, json: JSON.parse(text) as JsonObject }, value, size);
  }

  /** Sets or, with `{"$undefined": null}`, removes top-level fields of a document. Gives the new document as JSON text. */
  patch(id: string, patch: JsonObject, where: IdUse): string {
    const { resolved, text: oldText } = this.#requireDocument(id, where, "Update");
    const old = JSON.parse(oldText) as JsonObject;
    const value: JsonObject = { ...old };
    for (const field of Object.keys(patch)) {
      const json = patch[field] as Json;
      if (isUndefined(json)) delete value[field];
      else value[field] = json;
    }
    const { table } = resolved;
    const quick = this.#quickText(table, value, old);
    if (quick === null) {
      const size = documentSize(value, requireLegal(value, maxNestingIn(table)));
      return this.#update(id, resolved, { text: oldText, json: old }, value, size);
    }
    const creationTime = old["_creationTime"] as number;
    const text = withSystemText(quick, id, creationTime);
    if (text === oldText) return text;
    this.#countWrite(table, quick.size);
    this.#state.write(keyOf(resolved), text);
    this.#writeIndexEntries(table, old, value, indexEntryEnd(creationTime, resolved.id.internalId));
    return text;
  }

  /** Deletes a document and gives it, as it was, as JSON text. */
  remove(id: string, where: IdUse): string {
    const { resolved, text } = this.#requireDocument(id, where, "Delete");
    this.usage.add("documentsWritten", 1);
    this.#state.write(keyOf(resolved), null);
    const before = JSON.parse(text) as JsonObject;
    const end = indexEntryEnd(before["_creationTime"] as number, resolved.id.internalId);
    this.#writeIndexEntries(resolved.table, before, null, end);
    return text;
  }

  /**
   * To be called before anything is read: makes this transaction read the state at a timestamp. It must not be committed then.
   * `false`: that state is not known any more.
   */
  rewind(timestamp: bigint): boolean {
    const before = this.database.before(timestamp);
    for (const [key, value] of before ?? []) this.#state.write(key, value);
    return before !== undefined;
  }

  /** Reads a key that is no document: own writes first, then the committed state. */
  readNote(key: string): string | undefined {
    return this.#state.read(key);
  }

  /** Reads a document without counting it. */
  document(tablet: number, internalId: string): StoredDocument | undefined {
    return this.#state.document(tablet, internalId);
  }

  /** Scans keys without counting them. The iterator must not be used after a write of this transaction. */
  scan(start: string, end: string, order: "asc" | "desc"): Iterator<[string, string], unknown, undefined> {
    return this.#state.scan(start, end, order);
  }

  /** The first entries of {@link scan}, up to `limit`. `tail`: see {@link Store.take}. */
  take(start: string, end: string, order: "asc" | "desc", limit: number, tail?: number): [string, string][] {
    return this.#state.take(start, end, order, limit, tail);
  }

  /** See {@link TransactionState.knownRows}. */
  knownRows(start: string): readonly StoredDocument[] | undefined {
    return this.#state.knownRows(start);
  }

  noteRows(start: string, rows: readonly StoredDocument[]): void {
    this.#state.noteRows(start, rows);
  }

  get notesReads(): boolean {
    return this.#state.reads !== null;
  }

  /** Notes what a read depends on, if somebody wants to know. */
  recordRead(read: Read): void {
    this.#state.reads?.push(read);
  }

  /** How many reads have been noted. */
  get readCount(): number {
    return this.#state.reads?.length ?? 0;
  }

  /**
   * The ranges of keys that what was read depends on; those of some of the reads, by their places among all. See
   * {@link notingReads}.
   */
  readRanges(from = 0, to = this.readCount): KeyRange[] {
    if (this.#state.reads === null) throw new Error("This transaction has not noted what it reads");
    const reads = this.#state.reads.slice(from, to);
    return reads.flatMap((read) => ("readRange" in read ? (read.readRange() ?? []) : read));
  }

  /** Writes a key that is no document: a note of the runtime's own, which commits with the rest. */
  writeNote(key: string, value: string): void {
    this.#state.write(key, value);
  }

  removeNote(key: string): void {
    this.#state.write(key, null);
  }

  /** Marks a point to which {@link rollback} can return: the begin of a nested mutation. This or {@link release} has to end it. */
  savepoint(): Savepoint {
    return this.#state.savepoint();
  }

  release(): void {
    this.#state.release();
  }

  rollback(savepoint: Savepoint): void {
    this.#state.rollback(savepoint);
  }

  /**
   * Puts the timestamp that the commit will have where JSON text says that it is not known yet. No other transaction may commit
   * before this one does.
   */
  resolveTimestamps(text: string): string {
    if (!text.includes(UNRESOLVED)) return text;
    return text.replaceAll(UNRESOLVED, JSON.stringify(int64Json(this.#state.timestamp)));
  }

  /** Commits. Without writes nothing happens. See {@link Database.durable} for when it is on disk. */
  commit(): void {
    for (const key of this.#state.unresolved) this.#resolveDocument(key);
    this.#state.commit();
  }

  #resolveDocument(key: string): void {
    const text = this.#state.ownWrite(key);
    const table = this.#state.catalog.tableByTablet(tabletOfKey(key));
    // It may have been deleted again, or never have been there: what has written it was rolled back.
    if (typeof text !== "string" || !table) return;
    const resolved = this.resolveTimestamps(text);
    this.#state.write(key, resolved);
    const before = JSON.parse(text) as JsonObject;
    const after = JSON.parse(resolved) as JsonObject;
    const end = indexEntryEnd(after["_creationTime"] as number, internalIdOfKey(key));
    this.#writeIndexEntries(table, before, after, end);
  }

  #newTable(name: string): TableInfo {
    this.#state.catalog = this.#state.catalog.withTable(this.namespace ?? ROOT, name);
    const table = this.table(name);
    if (!table) throw new Error(`Table ${name} is not in the catalog`);
    return table;
  }

  /** `changed`: the new document, of `size` bytes, which is known to be legal. Gives it as JSON text. */
  #update(
    id: string,
    { table, id: { internalId } }: ResolvedId,
    old: OldDocument,
    changed: JsonObject,
    size: number,
  ): string {
    const { _id, _creationTime, ...value } = changed;
    if (_id !== undefined && _id !== id) {
      throw new DeveloperError(`The document has id ${id}, but its '_id' field is ${JSON.stringify(_id)}`);
    }
    const creationTime = old.json["_creationTime"] as number;
    if (_creationTime !== undefined && _creationTime !== creationTime) {
      throw new DeveloperError(`The '_creationTime' field of document ${id} can't be changed`);
    }
    requireUserFields(value);
    this.#checkDocument(table.name, value);
    return this.#putDocument({ table, internalId }, old, withSystemFields(value, id, creationTime), size);
  }

  /**
   * The text of a document about which nothing is unusual; `null`: it has to be looked at more closely, and may be wrong. `old`: the
   * one that it takes the place of.
   */
  #quickText(table: TableInfo, value: JsonObject, old: JsonObject | null): DocumentText | null {
    const fields = this.rules?.fields(table.name);
    if (fields === undefined || indexesSystemFields(table) || this.database.building.has(table.key))
      return null;
    const text = fields.textOf(value, old);
    return text && text.size <= MAX_DOCUMENT_BYTES ? text : null;
  }

  #checkDocument(tableName: string, value: JsonObject): void {
    const problem = this.rules?.check(tableName, value);
    if (problem) throw new DeveloperError(problem);
  }

  /** Writes a document's new state, of `size` bytes, with all of its index entries, if it is new. Gives it as JSON text. */
  #putDocument(
    { table, internalId }: { table: TableInfo; internalId: string },
    before: OldDocument | null,
    after: JsonObject,
    size: number,
  ): string {
    const text = JSON.stringify(after);
    if (text === before?.text) return text;
    this.#countWrite(table, size);
    const key = documentKey(table.tablet, internalId);
    this.#state.write(key, text);
    if (text.includes(UNRESOLVED)) this.#state.unresolved.add(key);
    const end = indexEntryEnd(after["_creationTime"] as number, internalId);
    this.#writeIndexEntries(table, before?.json ?? null, after, end);
    return text;
  }

  #countWrite(table: TableInfo, size: number): void {
    this.usage.add("documentsWritten", 1);
    // The arguments of a scheduled function have a limit of their own.
    if (size > MAX_DOCUMENT_BYTES && !isSystem(table)) {
      throw new DeveloperError(documentTooLarge(size));
    }
    this.usage.add("bytesWritten", size);
  }

  /** `end`: see `indexEntryEnd`. */
  #writeIndexEntries(
    table: TableInfo,
    before: JsonObject | null,
    after: JsonObject | null,
    end: string,
  ): void {
    if (before && after) {
      for (const entry of changedEntriesOf(table, { before, after }, end))
        this.#writeIndexEntry(entry.old, entry.new);
    } else if (after) {
      const sheaf = this.#state.takesSheaves ? sheafOf(table, after, end) : null;
      if (sheaf === null) this.#state.addEntries(entriesOf(table, after, end));
      else this.#state.addSheaf(sheaf);
    } else if (before) {
      for (const entry of entriesOf(table, before, end)) this.#state.write(entry, null);
    }
    for (const index of this.database.building.get(table.key) ?? []) {
      this.#writeIndexEntry(before && entryOf(index, before, end), after && entryOf(index, after, end));
    }
  }

  #writeIndexEntry(oldKey: string | null, newKey: string | null): void {
    if (oldKey === newKey) {
      if (newKey !== null) this.#state.touched.push(newKey);
      return;
    }
    if (oldKey !== null) this.#state.write(oldKey, null);
    if (newKey !== null) this.#state.write(newKey, "");
  }

  /** The document that is to be written, as JSON text. */
  #requireDocument(id: string, where: IdUse, verb: string): { resolved: ResolvedId; text: string } {
    const resolved = this.#resolve(id, where);
    const document = resolved && this.#state.documentById(resolved.id, resolved.table.tablet);
    if (!document) throw new DeveloperError(`${verb} on nonexistent document ID ${id}`);
    this.usage.addRead(document.text);
    return { resolved, text: document.text };
  }

  /** `null`: a well-formed id of a table that does not exist, or is another component's, which comes to the same. */
  #resolve(id: string, { operation, table: wanted, system }: IdUse): ResolvedId | null {
    const decoded = decodeId(id);
    if (decoded === null) {
      throw new DeveloperError(`Invalid argument \`id\` for \`${operation}\`: ${idProblem(id)}`);
    }
    const table = this.#state.catalog.tableByNumber(decoded.tableNumber);
    if (!table || (this.namespace !== null && table.namespace !== this.namespace)) return null;
    if (wanted !== undefined && wanted !== table.name) {
      throw new DeveloperError(
        `Invalid argument \`id\` for \`${operation}\`: expected to be an Id<"${wanted}">, got Id<"${table.name}"> instead.`,
      );
    }
    if (isSystem(table) !== system) {
      const kind = system ? "User" : "System";
      throw new DeveloperError(
        operation === "db.get"
          ? `${kind} tables can only be accessed from db.${system ? "" : "system."}get().`
          : "System tables (prefixed with `_`) are read-only.",
      );
    }
    return { table, id: decoded };
  }
}

/** How an id came in: for the error messages, and the table that the caller expects. */
export type IdUse = {
  readonly operation: "db.get" | "db.patch" | "db.replace" | "db.delete";
  readonly table?: string | undefined;
  readonly system: boolean;
};

/** A document that another takes the place of. */
type OldDocument = { readonly text: string; readonly json: JsonObject };

type ResolvedId = { readonly table: TableInfo; readonly id: DecodedId };

function keyOf({ table, id }: ResolvedId): string {
  return documentKey(table.tablet, id.internalId);
}

/** The arguments of a scheduled function are a value, not a document: theirs holds them in a list. */
function maxNestingIn(table: TableInfo | undefined): number {
  return table && isSystem(table) ? MAX_NESTING + 2 : MAX_DOCUMENT_NESTING;
}
