/** The files that `convex import` takes: snapshots, and documents of one table as JSON lines, a JSON array or CSV. */
import { parse as parseCsv } from "csv-parse";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { openPromise, type Entry, type ZipFile } from "yauzl";
import { FIRST_TABLET, ROOT, tableKey, type Namespace } from "../transaction/catalog";
import { identifierProblem } from "../values/fields";
import { parseExportJson, parsePlainJson, toFloatJson } from "../values/exportJson";
import { isObject, type Json, type JsonObject } from "../values/json";

export type ImportFormat = "zip" | "jsonLines" | "jsonArray" | "csv";

/** The imported file is not what it should be. The message is Convex's, where Convex has one. */
export class ImportError extends Error {
  override readonly name = "ImportError";
}

/** The documents of one table. They can be read any number of times. */
export type TableSource = {
  readonly namespace: Namespace;
  readonly table: string;
  readonly documents: () => AsyncIterable<Json>;
};

export type ImportSource = {
  readonly tables: readonly TableSource[];
  /** By {@link tableKey}: the numbers that the ids of tables carry, as far as the file tells. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The content of a stored file. */
  file(namespace: Namespace, id: string): (() => Promise<Readable>) | undefined;
  close(): void;
};

/** A JSON array is read whole; as in Convex. */
const MAX_ARRAY_BYTES = 16 * 1024 * 1024;
/** A document has up to 1 MiB, which may be written several times as long. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Opens a file. `table`: for formats that hold one table's documents. Throws {@link ImportError}. */
export async function openImport(
  file: string,
  format: ImportFormat,
  table: string | null,
  namespace: Namespace,
): Promise<ImportSource> {
  if (format === "zip") {
    if (table !== null) throw new ImportError("ZIP import cannot have table name");
    return openSnapshot(file, namespace);
  }
  if (table === null) throw new ImportError("An import that is no ZIP file requires a table name");
  requireUserTable(table);
  const documents = {
    jsonLines: () => jsonLines(createReadStream(file), parsePlainJson),
    jsonArray: () => jsonArray(file),
    csv: () => csvRows(file),
  }[format];
  return {
    tables: [{ namespace, table, documents }],
    numbers: new Map(),
    file: () => undefined,
    close: () => undefined,
  };
}

function requireUserTable(name: string): void {
  const problem = identifierProblem(name) ?? (name.startsWith("_") ? "it is a system table" : null);
  if (problem) throw new ImportError(`${JSON.stringify(name)} isn't a valid table name: ${problem}`);
}

/** What a file of a snapshot is. `namespace`: below that of the import. */
type Place =
  | { kind: "documents" | "generated_schema"; namespace: Namespace; table: string }
  | { kind: "file"; namespace: Namespace; id: string };

/** `null` for files that are of no interest, such as the README. */
function placeOf(fileName: string, base: Namespace): Place | null {
  const [last = "", folder = "", ...rest] = fileName.split("/").reverse();
  const names = base === ROOT ? [] : [base];
  const components: string[] = [];
  for (let i = 0; rest[i + 1] === "_components"; i += 2) components.unshift(rest[i] as string);
  const namespace = [...names, ...components].join("/");
  const [, kind] = /^(documents|generated_schema)\.jsonl$/.exec(last) ?? [];
  if (kind && folder) return { kind: kind as "documents", namespace, table: folder };
  const [, id] = /^([^/.]+)(\.[^/]*)?$/.exec(last) ?? [];
  return folder === "_storage" && id ? { kind: "file", namespace, id } : null;
}

async function openSnapshot(file: string, base: Namespace): Promise<ImportSource> {
  const zip = await openZip(file);
  try {
    const documents = new Map<string, { entry: Entry; namespace: Namespace; table: string }>();
    const uniform = new Set<string>();
    const files = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) {
      const place = placeOf(entry.fileName, base);
      if (place === null) continue;
      const { namespace } = place;
      if (place.kind === "file") files.set(`${namespace}:${place.id}`, entry);
      else if (place.kind === "documents") {
        documents.set(tableKey(namespace, place.table), { entry, namespace, table: place.table });
      } else {
        const first = await jsonLines(await zip.openReadStreamPromise(entry), parsePlainJson).next();
        if (first.value === "uniform") uniform.add(tableKey(namespace, place.table));
      }
    }
    const tables: TableSource[] = [];
    const listed: TableSource[] = [];
    for (const [key, { entry, namespace, table }] of documents) {
      const parse = uniform.has(key) ? parseExportJson : parsePlainJson;
      const rows = async function* () {
        yield* jsonLines(await zip.openReadStreamPromise(entry), parse);
      };
      if (table === "_tables") listed.push({ namespace, table, documents: rows });
      // Other system tables are the deployment's own.
      if (table.startsWith("_") && table !== "_storage") continue;
      if (table !== "_storage") requireUserTable(table);
      tables.push({ namespace, table, documents: rows });
    }
    const numbers = new Map<string, number>();
    for (const { namespace, documents: rows } of listed) {
      for await (const { name, number } of tableNumbers(rows())) {
        requireUserTable(name);
        const key = tableKey(namespace, name);
        numbers.set(key, number);
        // A table without documents may be there by its number alone.
        if (!documents.has(key)) tables.push({ namespace, table: name, documents: nothing });
      }
    }
    const open = (namespace: Namespace, id: string) => {
      const entry = files.get(`${namespace}:${id}`);
      return entry && (() => zip.openReadStreamPromise(entry));
    };
    return { tables, numbers, file: open, close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw explainZip(error);
  }
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { autoClose: false, lazyEntries: true });
  } catch (error) {
    throw explainZip(error);
  }
}

function explainZip(error: unknown): unknown {
  return error instanceof ImportError
    ? error
    : new ImportError(`invalid zip file: ${(error as Error).message}`);
}

async function* tableNumbers(rows: AsyncIterable<Json>): AsyncGenerator<{ name: string; number: number }> {
  for await (const row of rows) {
    const { name, id } = isObject(row) ? row : ({} as JsonObject);
    const isNumber = typeof id === "number" && Number.isInteger(id) && id >= 1 && id < FIRST_TABLET;
    if (typeof name !== "string" || !isNumber) {
      throw new ImportError("_tables must have the name and the number of each table");
    }
    yield { name, number: id };
  }
}

async function* nothing(): AsyncGenerator<Json> {}

/** The values of lines. Numbers of rows in messages start at 1. */
async function* jsonLines(
  stream: AsyncIterable<Uint8Array>,
  parse: (text: string) => Json,
): AsyncGenerator<Json, void, undefined> {
  let row = 1;
  for await (const line of textLines(stream)) {
    try {
      yield parse(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new ImportError(`Row ${row} wasn't valid JSON: ${error.message}`);
    }
    row++;
  }
}

async function* textLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const text of utf8(stream)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_CHARACTERS) throw new ImportError("A line is too long for a document");
    yield* lines;
  }
  if (rest.trim() !== "") yield rest;
}

async function* utf8(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of stream) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ENCODING_INVALID_ENCODED_DATA") throw error;
    throw new ImportError("Import wasn't valid UTF8");
  }
}

async function* jsonArray(file: string): AsyncGenerator<Json, void, undefined> {
  const { size } = await stat(file);
  if (size > MAX_ARRAY_BYTES) {
    throw new ImportError(
      `Import is too large for JSON (${size} bytes > maximum 16 MiB). Consider converting data to JSONLines`,
    );
  }
  let value: Json;
  try {
    value = parsePlainJson(await readFile(file, "utf8"));
  } catch (error) {
    throw new ImportError(`Not valid JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(value)) throw new ImportError("Not a JSON array");
  yield* value;
}

/** Rows as objects of the header's fields. What reads as a number is one, everything else is text, as in Convex. */
async function* csvRows(file: string): AsyncGenerator<Json, void, undefined> {
  const rows = utf8ToCsv(file);
  let header: string[] | null = null;
  let row = 0;
  for await (const cells of rows) {
    if (header === null) {
      header = cells.map((cell) => cell.trim());
      for (const name of header) {
        const problem = identifierProblem(name);
        if (problem && name !== "_id" && name !== "_creationTime") {
          throw new ImportError(`CSV header ${JSON.stringify(name)} isn't a valid field name: ${problem}`);
        }
      }
      continue;
    }
    row++;
    if (cells.length !== header.length) {
      throw new ImportError(`CSV row ${row} doesn't have all of the fields in the header`);
    }
    yield Object.fromEntries(header.map((name, i) => [name, csvValue(cells[i] as string)]));
  }
  if (header === null) throw new ImportError("CSV file doesn't have headers");
}

async function* utf8ToCsv(file: string): AsyncGenerator<string[], void, undefined> {
  const stream = createReadStream(file);
  const options = { relax_column_count: true, max_record_size: MAX_LINE_CHARACTERS, skip_empty_lines: true };
  try {
    for await (const cells of stream.pipe(parseCsv(options))) yield cells as string[];
  } catch (error) {
    throw new ImportError(`The CSV file can't be read: ${(error as Error).message}`);
  } finally {
    stream.destroy();
  }
}

const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function csvValue(cell: string): Json {
  return FLOAT.test(cell) ? toFloatJson(Number(cell)) : cell;
}
