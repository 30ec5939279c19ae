/** Performs an import: new tables are filled apart, a batch at a time, and then take their places in one commit. */
import {
  blobOfFileKey,
  documentKey,
  fileOfBlobKey,
  indexEntryEnd,
  indexPrefix,
  internalIdOf,
  rangeOfPrefix,
  removedBlobKey,
  tablePrefix,
} from "../transaction/keys";
import type { App } from "../functions/app";
import { Schema } from "../functions/schema";
import type { BlobStore } from "../storage/blobStore";
import { MAX_KEY_BYTES } from "../storage/store";
import { tableKey, type IndexInfo, type Namespace, type TableInfo } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import {
  documentTooLarge,
  MAX_DOCUMENT_BYTES,
  requireLegal,
  requireUserFields,
  withSystemFields,
} from "../transaction/documentValue";
import { DeveloperError } from "../transaction/errors";
import { entryOf } from "../transaction/indexEntries";
import { clearPrefix } from "../transaction/indexBuild";
import { newId, tableNumberOf } from "../values/ids";
import { isObject, type Json, type JsonObject } from "../values/json";
import { documentSize } from "../values/size";
import type { AppSlot } from "./appSlot";
import { ImportError, type ImportSource, type TableSource } from "./importSource";
import { planImport, type ImportMode, type ImportPlan } from "./importPlan";

/** A batch ends with so many documents, or so many characters of them. */
const BATCH_DOCUMENTS = 500;
const BATCH_CHARACTERS = 1 << 20;
const STORAGE_TABLE = "_storage";

export type ImportParts = {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly slot: AppSlot;
  /** Gives up the build of indexes that is under way: it is of tables that are replaced. */
  readonly giveUpBuild: () => Promise<void>;
  /** To be done when the tables have changed. */
  readonly onReplaced: () => void;
};

type Write = [key: string, value: string | null];

export class ImportRun {
  readonly #schemas = new Map<Namespace, Schema>();
  readonly #newBlobs: string[] = [];
  /** The notes of the imported files. */
  readonly #fileNotes: Write[] = [];
  #documents = 0;
  #written: Promise<void> | undefined;

  private constructor(
    private readonly parts: ImportParts,
    private readonly source: ImportSource,
    private readonly plan: ImportPlan,
    private readonly app: App,
    private readonly onProgress: (message: string, isDone: boolean) => void,
  ) {
    for (const [namespace, { schema }] of app.components) {
      this.#schemas.set(namespace, new Schema(schema.exported, plan.names(namespace)));
    }
  }

  /**
   * Imports all of a source and gives the number of its documents. Throws {@link ImportError}; then nothing has changed, except that
   * documents may have been added to tables that were there before, in the mode "append".
   */
  static async perform(
    parts: ImportParts,
    source: ImportSource,
    mode: ImportMode,
    onProgress: (message: string, isDone: boolean) => void,
  ): Promise<number> {
    const { app } = parts.slot.inForce;
    const unknown = source.tables.find(({ namespace }) => !app.components.has(namespace));
    if (unknown) throw new ImportError(`The app has no component ${JSON.stringify(unknown.namespace)}`);
    const plan = await planImport(parts.database, source, mode);
    const run = new ImportRun(parts, source, plan, app, onProgress);
    try {
      for (const table of source.tables) await run.#importTable(table);
      await run.#written;
      await parts.slot.inTurn(() => run.#finish());
      return run.#documents;
    } catch (error) {
      // Where the disk refuses that as well, the next start does it.
      await run.#undo().catch(() => undefined);
      throw error;
    }
  }

  async #importTable({ namespace, table: name, documents }: TableSource): Promise<void> {
    let batch: { row: number; value: Json; file: Write[] | null }[] = [];
    let characters = 0;
    let row = 0;
    for await (const value of documents()) {
      row++;
      const stored =
        name === STORAGE_TABLE ? await this.#storeFile(namespace, value, row) : { value, notes: null };
      batch.push({ row, value: stored.value, file: stored.notes });
      characters += JSON.stringify(stored.value).length;
      if (batch.length < BATCH_DOCUMENTS && characters < BATCH_CHARACTERS) continue;
      await this.#commit(namespace, name, batch);
      this.onProgress(`Importing "${name}" (${row} documents)`, false);
      batch = [];
      characters = 0;
    }
    await this.#commit(namespace, name, batch);
    this.#documents += row;
    this.onProgress(`Imported "${name}" (${row} documents)`, true);
  }

  async #commit(
    namespace: Namespace,
    name: string,
    batch: readonly { row: number; value: Json; file: Write[] | null }[],
  ): Promise<void> {
    const { database } = this.parts;
    const staged = this.plan.staged.get(tableKey(namespace, name));
    const table = staged ?? database.catalog.table(namespace, name);
    if (!table) throw new ImportError(`Table ${name} was removed during the import`);
    // An existing table that is added to may have an index that is being built.
    const building = staged ? [] : (database.building.get(table.key) ?? []);
    const indexes = [table.byCreationTime, ...table.indexes.values(), ...building];
    const writes = new Map<string, string>();
    for (const { row, value } of batch) {
      try {
        this.#add(writes, table, indexes, value);
      } catch (error) {
        if (!(error instanceof DeveloperError)) throw error;
        throw new ImportError(`Row ${row} of table "${name}" can't be imported: ${error.message}`);
      }
    }
    const notes = batch.flatMap(({ file }) => file ?? []);
    if (staged) this.#fileNotes.push(...notes);
    if (writes.size > 0) database.commit(staged ? writes : [...writes, ...notes]);
    // One batch may be on its way to the disk while the next one is made, not more.
    await Promise.all([this.#written, new Promise((resolve) => setImmediate(resolve))]);
    this.#written = database.durable();
  }

  /** Adds a document to what is to be written. Throws {@link DeveloperError}. */
  #add(writes: Map<string, string>, table: TableInfo, indexes: readonly IndexInfo[], json: Json): void {
    const { database } = this.parts;
    if (!isObject(json)) throw new DeveloperError("it is not an object");
    const { _id, _creationTime = database.nextCreationTime(), ...value } = json;
    if (typeof _creationTime !== "number") throw new DeveloperError("its _creationTime is not a float");
    if (_id !== undefined && (typeof _id !== "string" || tableNumberOf(_id) !== table.number)) {
      throw new DeveloperError(`its _id ${JSON.stringify(_id)} is not an id of this table`);
    }
    requireLegal(value);
    requireUserFields(value);
    const problem = this.#schemas.get(table.namespace)?.check(table.name, value);
    if (problem) throw new DeveloperError(problem);
    const id = _id ?? newId(table.number, _creationTime).id;
    const document = withSystemFields(value, id, _creationTime);
    const size = documentSize(document);
    if (size > MAX_DOCUMENT_BYTES) throw new DeveloperError(documentTooLarge(size));
    const internalId = internalIdOf(id);
    const key = documentKey(table.tablet, internalId);
    if (writes.has(key) || database.get(key) !== undefined) {
      throw new DeveloperError(`there is a document with its _id ${id} already`);
    }
    writes.set(key, JSON.stringify(document));
    const end = indexEntryEnd(_creationTime, internalId);
    for (const index of indexes) {
      const entry = entryOf(index, document, end);
      if (entry.length > MAX_KEY_BYTES) throw new DeveloperError("an index entry of it would be too long");
      writes.set(entry, "");
    }
  }

  /** Stores the content of a file and gives its document, and the notes that lead from the one to the other. */
  async #storeFile(namespace: Namespace, json: Json, row: number): Promise<{ value: Json; notes: Write[] }> {
    const { _id, _creationTime, sha256, contentType } = isObject(json) ? json : ({} as JsonObject);
    const open = typeof _id === "string" ? this.source.file(namespace, _id) : undefined;
    if (!open || typeof _id !== "string") {
      throw new ImportError(`Row ${row} of _storage names a file whose content is not in the import`);
    }
    const blob = await this.parts.blobs.put(await open());
    this.#newBlobs.push(blob.key);
    if (typeof sha256 === "string" && sha256 !== blob.sha256) {
      throw new ImportError(`The content of the file ${_id} does not have the sha256 that _storage tells`);
    }
    const value = {
      _id,
      ...(typeof _creationTime === "number" ? { _creationTime } : {}),
      sha256: blob.sha256,
      size: blob.sizeBytes,
      ...(typeof contentType === "string" ? { contentType } : {}),
    };
    return {
      value,
      notes: [
        [blobOfFileKey(_id), blob.key],
        [fileOfBlobKey(blob.key), _id],
      ],
    };
  }

  async #finish(): Promise<void> {
    const { database, slot, giveUpBuild, onReplaced } = this.parts;
    const { staged, replaced } = this.plan;
    if (staged.size === 0) return;
    await giveUpBuild();
    const { catalog } = database;
    const asPlanned = [...staged.values()].every((table) => {
      const now = catalog.table(table.namespace, table.name);
      return now === undefined || signature(now) === signature(table);
    });
    const isSame = replaced.every(
      (table) => catalog.table(table.namespace, table.name)?.tablet === table.tablet,
    );
    if (slot.inForce.app.schemas !== this.app.schemas || !asPlanned || !isSame) {
      throw new ImportError("The schema has changed during the import: import again");
    }
    const notes: Write[] = [];
    for (const table of replaced) if (table.name === STORAGE_TABLE) notes.push(...this.#removeFiles(table));
    let after;
    try {
      after = catalog.withTables([...staged.values()]);
    } catch {
      throw new ImportError("A table was made during the import that has the number of an imported one");
    }
    database.commit([...notes, ...this.#fileNotes], after);
    this.#newBlobs.length = 0;
    onReplaced();
    await database.durable();
    await clearTables(database, replaced);
  }

  /** What removes the files of a table with its documents. */
  #removeFiles({ tablet }: TableInfo): Write[] {
    const { database } = this.parts;
    const { start, end } = rangeOfPrefix(tablePrefix(tablet));
    const notes: Write[] = [];
    const rows = database.scan(start, end, "asc");
    for (let row = rows.next(); !row.done; row = rows.next()) {
      const { _id } = JSON.parse(row.value[1]) as { _id: string };
      const blobKey = database.get(blobOfFileKey(_id));
      if (blobKey === undefined) continue;
      notes.push([blobOfFileKey(_id), null], [fileOfBlobKey(blobKey), null], [removedBlobKey(blobKey), ""]);
    }
    return notes;
  }

  async #undo(): Promise<void> {
    const { database, blobs } = this.parts;
    const kept = this.#newBlobs.filter((key) => database.get(fileOfBlobKey(key)) === undefined);
    await Promise.all(kept.map((key) => blobs.remove(key)));
    const inForce = [...this.plan.staged.values()].filter(
      ({ tablet }) => database.catalog.tableByTablet(tablet) === undefined,
    );
    await clearTables(database, inForce);
  }
}

async function clearTables(database: Database, tables: readonly TableInfo[]): Promise<void> {
  for (const { tablet, byCreationTime, indexes } of tables) {
    await clearPrefix(database, tablePrefix(tablet));
    for (const { id } of [byCreationTime, ...indexes.values()]) await clearPrefix(database, indexPrefix(id));
  }
}

/** The declared indexes of a table, whatever their ids are. */
function signature({ indexes }: TableInfo): string {
  return JSON.stringify([...indexes.values()].map(({ name, fields }) => [name, fields]));
}
