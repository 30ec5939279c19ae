/** Imports as the official command line goes about them: upload a file in parts, look at the summary, confirm, watch. */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { COULD_NOT_COMPLETE } from "../functions/failure";
import { describeRefusal } from "../storage/diskError";
import { ROOT, tableKey, type Namespace } from "../transaction/catalog";
import { IMPORTS_KEY } from "../transaction/keys";
import { OvertakenError } from "../transaction/indexBuild";
import { int64Json, isObject, type Json, type JsonObject } from "../values/json";
import type { ImportMode } from "./importPlan";
import { ImportRun, type ImportParts } from "./importRun";
import { ImportError, openImport, type ImportFormat } from "./importSource";
import { LastingNote } from "./lastingNote";
import { PushError } from "./pushError";
import { measure } from "./schemaEvaluation";

/** As in Convex. */
const MAX_PARTS = 10_000;
/** Uploads that are under way at once, and imports that are remembered. */
const MAX_UPLOADS = 10;
const MAX_IMPORTS = 20;

const FORMATS: readonly string[] = ["zip", "jsonLines", "jsonArray", "csv"] satisfies ImportFormat[];
const MODES: readonly string[] = ["requireEmpty", "append", "replace", "replaceAll"] satisfies ImportMode[];

/** `offsets`: where each part that has come begins in the file, and at last where the next one will. */
type Upload = { readonly token: string; readonly file: string; readonly offsets: number[]; isBusy: boolean };

/** An import as `_system/cli/queryImport` shows it, and what the command line does not ask for. */
type ImportRecord = {
  readonly _id: string;
  readonly _creationTime: number;
  readonly format: ImportFormat;
  readonly mode: ImportMode;
  readonly table: string | null;
  /** That of the component in which the tables are. */
  readonly namespace: Namespace;
  state: JsonObject & { state: string };
};

export class Imports {
  readonly #uploads = new Map<string, Upload>();
  /** The last first. */
  #records: ImportRecord[];
  #last: Promise<unknown> = Promise.resolve();
  readonly #note: LastingNote;

  private constructor(
    private readonly parts: ImportParts,
    private readonly folder: string,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.#note = new LastingNote(parts.database, IMPORTS_KEY);
    this.#records = JSON.parse(parts.database.get(IMPORTS_KEY) ?? "[]") as ImportRecord[];
  }

  /** `folder`: where uploaded files lie. What the last process has not finished has failed. */
  static async open(parts: ImportParts, folder: string, onFault: (error: unknown) => void): Promise<Imports> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const imports = new Imports(parts, folder, onFault);
    for (const record of imports.#records) {
      if (record.state.state === "completed" || record.state.state === "failed") continue;
      imports.#setState(record, { state: "failed", error_message: "The server was started anew meanwhile." });
    }
    return imports;
  }

  /** Begins an upload and gives its token. */
  startUpload(): string {
    if (this.#uploads.size >= MAX_UPLOADS) {
      const [oldest] = this.#uploads.keys();
      if (oldest !== undefined) this.#dropUpload(oldest);
    }
    const token = randomBytes(16).toString("hex");
    this.#uploads.set(token, { token, file: this.#file(token), offsets: [0], isBusy: false });
    return token;
  }

  /** Stores a part. Parts come in order, from 1 on; one that is sent again takes its own place, and that of all after it. */
  async uploadPart(token: string, part: number, body: AsyncIterable<Uint8Array>): Promise<string> {
    const upload = this.#upload(token);
    const start = upload.offsets[part - 1];
    if (!Number.isInteger(part) || part < 1 || part >= MAX_PARTS || start === undefined || upload.isBusy) {
      throw new PushError(
        "ImportFailed",
        `Part ${part} can't be uploaded now: parts come one after the other`,
      );
    }
    upload.isBusy = true;
    try {
      const file = createWriteStream(upload.file, { flags: part === 1 ? "w" : "r+", start, mode: 0o600 });
      await pipeline(body, file);
      upload.offsets.length = part;
      upload.offsets.push(start + file.bytesWritten);
      return `${token}-${part}`;
    } catch (error) {
      // What there is of it must not fill the disk until the upload is given up.
      await truncate(upload.file, start).catch(() => undefined);
      throw error;
    } finally {
      upload.isBusy = false;
    }
  }

  /** Ends an upload and gives the id of the import, which waits for confirmation once the file has been looked at. */
  finishUpload(token: Json | undefined, parts: Json | undefined, what: Json | undefined): string {
    const upload = this.#upload(token);
    const {
      format,
      mode,
      tableName = null,
      componentPath = null,
    } = isObject(what) ? what : ({} as JsonObject);
    if (componentPath !== null && typeof componentPath !== "string") {
      throw new PushError("ImportFailed", "The path of the component is not a text");
    }
    if (typeof format !== "string" || !FORMATS.includes(format)) {
      throw new PushError("ImportFailed", `The format must be one of ${FORMATS.join(", ")}`);
    }
    if (typeof mode !== "string" || !MODES.includes(mode)) {
      throw new PushError("ImportFailed", `The mode must be one of ${MODES.join(", ")}`);
    }
    if (tableName !== null && typeof tableName !== "string") {
      throw new PushError("InvalidName", "The name of the table is not a text");
    }
    if (!Array.isArray(parts) || parts.length !== upload.offsets.length - 1 || upload.isBusy) {
      throw new PushError("ImportFailed", "The upload is not complete");
    }
    const record: ImportRecord = {
      _id: upload.token,
      _creationTime: Date.now(),
      format: format as ImportFormat,
      mode: mode as ImportMode,
      table: tableName,
      namespace: componentPath ?? ROOT,
      state: { state: "uploaded" },
    };
    this.#uploads.delete(upload.token);
    this.#records = [record, ...this.#records];
    for (const { _id } of this.#records.splice(MAX_IMPORTS)) this.#removeFile(_id);
    this.#setState(record, record.state);
    const sizeBytes = upload.offsets.at(-1) ?? 0;
    this.#next(record, async () => {
      // An empty file has no parts; a part that was sent again may have been shorter.
      await writeFile(upload.file, "", { flag: "a", mode: 0o600 });
      await truncate(upload.file, sizeBytes);
      await this.#summarize(record);
    });
    return record._id;
  }

  /** Performs an import that waits for it. Throws {@link PushError}. */
  confirm(importId: Json | undefined): void {
    const record = this.#records.find(({ _id }) => _id === importId);
    if (record?.state.state !== "waiting_for_confirmation") {
      throw new PushError("InvalidImport", "There is no such import that waits to be confirmed");
    }
    this.#setState(record, { state: "in_progress", progress_message: "Importing", checkpoint_messages: [] });
    this.#next(record, () => this.#perform(record));
  }

  /** Waits for the import that is running. */
  async close(): Promise<void> {
    await this.#last;
    this.#note.close();
  }

  async #summarize(record: ImportRecord): Promise<void> {
    const { database } = this.parts;
    const source = await openImport(this.#file(record._id), record.format, record.table, record.namespace);
    try {
      const counts = new Map<string, { namespace: Namespace; table: string; added: number }>();
      for (const { namespace, table, documents } of source.tables) {
        let added = 0;
        for await (const _document of documents()) added++;
        counts.set(tableKey(namespace, table), { namespace, table, added });
      }
      if (record.mode === "replaceAll") {
        for (const { namespace, name: table, key } of database.catalog.allTables())
          if (!table.startsWith("_") && !counts.has(key)) counts.set(key, { namespace, table, added: 0 });
      }
      const replaces = record.mode === "replace" || record.mode === "replaceAll";
      const summary = ["Import change summary:"];
      let deleted = 0;
      for (const [key, { namespace, table, added }] of counts) {
        const existing = replaces ? database.catalog.table(namespace, table) : undefined;
        const { numDocs } = existing ? await measure(database, existing) : { numDocs: 0 };
        deleted += numDocs;
        summary.push(`  ${key}: ${added} documents to add, ${numDocs} to delete`);
      }
      summary.push("Once the import has started, interrupting `npx convex import` will not cancel it.");
      this.#setState(record, {
        state: "waiting_for_confirmation",
        message_to_confirm: summary.join("\n"),
        require_manual_confirmation: deleted > 0,
      });
    } finally {
      source.close();
    }
  }

  async #perform(record: ImportRecord): Promise<void> {
    const source = await openImport(this.#file(record._id), record.format, record.table, record.namespace);
    const done: string[] = [];
    try {
      const count = await ImportRun.perform(this.parts, source, record.mode, (message, isDone) => {
        if (isDone) done.push(message);
        const state = "in_progress";
        this.#setState(record, { state, progress_message: message, checkpoint_messages: [...done] });
      });
      this.#removeFile(record._id);
      this.#setState(record, { state: "completed", num_rows_written: int64Json(BigInt(count)) });
    } finally {
      source.close();
    }
  }

  /** Works on imports one after the other. */
  #next(record: ImportRecord, work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      const isKnown = error instanceof ImportError || error instanceof OvertakenError;
      if (!isKnown) this.onFault(error);
      const reason = isKnown ? error.message : (describeRefusal(error) ?? COULD_NOT_COMPLETE);
      this.#removeFile(record._id);
      const error_message = `Hit an error while importing:\n${reason}`;
      this.#setState(record, { state: "failed", error_message });
    });
  }

  #setState(record: ImportRecord, state: ImportRecord["state"]): void {
    record.state = state;
    this.#note.set(JSON.stringify(this.#records));
  }

  #upload(token: Json | undefined): Upload {
    const upload = typeof token === "string" ? this.#uploads.get(token) : undefined;
    if (!upload) throw new PushError("ImportFailed", "There is no such upload");
    return upload;
  }

  #dropUpload(token: string): void {
    this.#uploads.delete(token);
    this.#removeFile(token);
  }

  #removeFile(token: string): void {
    rm(this.#file(token), { force: true }).catch(this.onFault);
  }

  #file(token: string): string {
    return path.join(this.folder, token);
  }
}
