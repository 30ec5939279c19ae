/** Exports: a zip file of all documents, and of the files on request, in the format of Convex's snapshots. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import type { BlobStore } from "../storage/blobStore";
import type { Database, DatabaseSnapshot } from "../transaction/database";
import { ROOT, type Namespace, type TableInfo } from "../transaction/catalog";
import { blobOfFileKey, LATEST_EXPORT_KEY, rangeOfPrefix, tablePrefix } from "../transaction/keys";
import { toExportJson } from "../values/exportJson";
import { int64Json, type JsonObject } from "../values/json";
import { LastingNote } from "./lastingNote";
import { PushError } from "./pushError";

/** Documents are read for this long before the event loop turns. */
const SLICE_MS = 8;
/** A part of a stream, in characters. */
const CHUNK_CHARACTERS = 1 << 18;
const STORAGE_TABLE = "_storage";
const TEMPORARY = ".part";

const README = `# A snapshot of a Convex deployment

The documents of each table are lines of JSON in <table>/documents.jsonl, the files, if there are any, in _storage/.
\`npx convex import\` reads this file.
`;

export class Exports {
  #running: { readonly zip: ZipFile; readonly done: Promise<void> } | null = null;
  readonly #state: LastingNote;

  private constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
    private readonly folder: string,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.#state = new LastingNote(database, LATEST_EXPORT_KEY);
  }

  /** `folder`: where the zip files lie. An export that the last process has not finished has failed. */
  static async open(
    database: Database,
    blobs: BlobStore,
    folder: string,
    onFault: (error: unknown) => void,
  ): Promise<Exports> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = await readdir(folder);
    const unfinished = names.filter((name) => name.endsWith(TEMPORARY));
    await Promise.all(unfinished.map((name) => rm(path.join(folder, name), { force: true })));
    const exports = new Exports(database, blobs, folder, onFault);
    if (database.get(LATEST_EXPORT_KEY)?.includes('"in_progress"')) exports.#setState({ state: "failed" });
    return exports;
  }

  /** Begins an export; how it goes is told by `_system/cli/exports:getLatest`. Throws {@link PushError} while one is running. */
  request(includeStorage: boolean): void {
    if (this.#running) {
      throw new PushError("ExportInProgress", "There is already an export requested or in progress.");
    }
    const zip = new ZipFile();
    this.#setState({ state: "in_progress" });
    const done = this.#run(zip, includeStorage).catch((error: unknown) => {
      this.onFault(error);
      this.#setState({ state: "failed" });
    });
    this.#running = { zip, done };
    void done.then(() => (this.#running = null));
  }

  /** The zip file of an export, by the timestamp of its state; `null` if there is none. */
  async read(timestamp: string): Promise<{ name: string; sizeBytes: number; stream: Readable } | null> {
    if (!/^\d{1,20}$/.test(timestamp)) return null;
    const file = this.#file(timestamp);
    const found = await stat(file).catch(() => null);
    if (found === null) return null;
    return { name: path.basename(file), sizeBytes: found.size, stream: createReadStream(file) };
  }

  /** Ends what is running. */
  async close(): Promise<void> {
    const running = this.#running;
    if (running) {
      (running.zip.outputStream as Readable).destroy(new Error("The server is closing"));
      await running.done;
    }
    this.#state.close();
  }

  #setState(state: JsonObject): void {
    this.#state.set(JSON.stringify(state));
  }

  async #run(zip: ZipFile, includeStorage: boolean): Promise<void> {
    const release = this.blobs.hold();
    try {
      const snapshot = await this.database.snapshot();
      try {
        const file = this.#file(snapshot.timestamp.toString());
        addEntries(zip, snapshot, includeStorage ? this.blobs : null);
        zip.end();
        const temporary = file + TEMPORARY;
        try {
          await pipeline(zip.outputStream, createWriteStream(temporary, { mode: 0o600, flush: true }));
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
        await this.#removeOthers();
        await rename(temporary, file);
        this.#setState({
          state: "completed",
          start_ts: int64Json(snapshot.timestamp),
          complete_ts: int64Json(this.database.timestamp),
          zip_object_key: path.basename(file),
        });
        await this.database.durable();
      } finally {
        snapshot.reading.release();
      }
    } finally {
      release();
    }
  }

  /** Only the last export is kept. */
  async #removeOthers(): Promise<void> {
    const names = await readdir(this.folder);
    const old = names.filter((name) => !name.endsWith(TEMPORARY));
    await Promise.all(old.map((name) => rm(path.join(this.folder, name), { force: true })));
  }

  #file(timestamp: string): string {
    return path.join(this.folder, `snapshot_${timestamp}.zip`);
  }
}

/** `blobs`: where the files are found that are to be in the export too. */
function addEntries(zip: ZipFile, snapshot: DatabaseSnapshot, blobs: BlobStore | null): void {
  const add = (name: string, source: () => Readable) => {
    zip.addReadStreamLazy(name, { mode: 0o644 }, (give) => give(null, source()));
  };
  const addTable = (prefix: string, table: TableInfo) => {
    add(`${prefix}${table.name}/documents.jsonl`, () => Readable.from(lines(snapshot, table)));
  };
  const { catalog, reading } = snapshot;
  const namespaces = new Set([...catalog.allTables()].map(({ namespace }) => namespace));
  zip.addBuffer(Buffer.from(README), "README.md", { mode: 0o644 });
  for (const namespace of namespaces) {
    const prefix = folderOf(namespace);
    const tables = [...catalog.tables(namespace)].filter(({ name }) => !name.startsWith("_"));
    tables.sort((a, b) => a.number - b.number);
    const numbers = tables.map(({ name, number }) => `${JSON.stringify({ name, id: number })}\n`);
    zip.addBuffer(Buffer.from(numbers.join("")), `${prefix}_tables/documents.jsonl`, { mode: 0o644 });
    for (const table of tables) {
      addTable(prefix, table);
      // Says that the documents tell integers from floats.
      const uniform = `${prefix}${table.name}/generated_schema.jsonl`;
      zip.addBuffer(Buffer.from('"uniform"\n'), uniform, { mode: 0o644 });
    }
    const files = catalog.table(namespace, STORAGE_TABLE);
    if (!blobs || !files) continue;
    addTable(prefix, files);
    const { start, end } = rangeOfPrefix(tablePrefix(files.tablet));
    for (const [, text] of reading.scan(start, end, "asc")) {
      const { _id } = JSON.parse(text) as { _id: string };
      const blobKey = reading.get(blobOfFileKey(_id));
      if (blobKey !== undefined) add(`${prefix}${STORAGE_TABLE}/${_id}`, () => blobs.read(blobKey));
    }
  }
}

/** The folder of a component in a snapshot. */
function folderOf(namespace: Namespace): string {
  if (namespace === ROOT) return "";
  return namespace
    .split("/")
    .map((name) => `_components/${name}/`)
    .join("");
}

/** The documents of a table, a line for each, in parts of several lines. */
async function* lines({ reading }: DatabaseSnapshot, { name, tablet }: TableInfo): AsyncGenerator<string> {
  const { start, end } = rangeOfPrefix(tablePrefix(tablet));
  const write = name === STORAGE_TABLE ? fileLine : documentLine;
  let part = "";
  let endsAt = performance.now() + SLICE_MS;
  for (const [, text] of reading.scan(start, end, "asc")) {
    part += `${write(JSON.parse(text) as JsonObject)}\n`;
    const isLate = performance.now() > endsAt;
    if (part.length < CHUNK_CHARACTERS && !isLate) continue;
    yield part;
    part = "";
    if (!isLate) continue;
    await new Promise((resolve) => setImmediate(resolve));
    endsAt = performance.now() + SLICE_MS;
  }
  if (part !== "") yield part;
}

function documentLine(document: JsonObject): string {
  return toExportJson(document);
}

/** What Convex tells of a file: plain JSON. */
function fileLine({ _id, _creationTime, sha256, size, contentType }: JsonObject): string {
  return JSON.stringify({ _id, _creationTime, sha256, size, contentType: contentType ?? null });
}
