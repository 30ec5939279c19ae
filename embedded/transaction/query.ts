/** Runs the queries of functions: streams of documents, and pages of them. */
import type { Json, JsonObject } from "../values/json";
import { openCursor, queryFingerprint, sealCursor, type Cursor } from "./cursor";
import { DeveloperError } from "./errors";
import { compileFilter } from "./filter";
import { fullTableScan, indexScan, type IndexToScan, type RangeExpression } from "./indexRange";
import { CATALOG_KEY } from "./database";
import { NO_SLOT, type StoredDocument } from "./documentCache";
import { internalIdOfKey, onlyKey, type KeyRange } from "./keys";
import { LIMITS } from "./limits";
import type { Transaction } from "./transaction";

/** A query as the convex package serializes it. */
export type SerializedQuery = {
  source:
    | { type: "FullTableScan"; tableName: string; order: "asc" | "desc" | null }
    | { type: "IndexRange"; indexName: string; range: RangeExpression[]; order: "asc" | "desc" | null }
    | { type: "Search"; indexName: string };
  operators: ({ filter: Json } | { limit: number })[];
};

type Entry = [key: string, value: string];

type Operator = { keep: (document: JsonObject) => boolean } | { remaining: number };

/** A row was read, but a filter held it back. */
const FILTERED = Symbol("filtered");
/** There are no more rows. */
const END = Symbol("end");

/** Documents in index order, one at a time. Writes of the same transaction show as soon as they are made. */
export class QueryStream {
  readonly #target: IndexToScan | null;
  readonly #order: "asc" | "desc";
  readonly #operators: Operator[];
  #rows: Iterator<[string, string], unknown, undefined> | null = null;
  #rowsVersion = -1;
  /** The range that was to be read when reading began. */
  #wanted: KeyRange | null = null;
  #isExhausted = false;
  /** The key of the last row that was read, before any filter: also a cursor's position. */
  #position: string | null;

  /** `after`: the key, without the index's prefix, behind which to begin. */
  constructor(
    private readonly transaction: Transaction,
    query: SerializedQuery,
    after: string | null = null,
  ) {
    transaction.usage.addQuery();
    this.#target = findTarget(transaction, query.source);
    transaction.recordRead(this.#target ? this : onlyKey(CATALOG_KEY));
    this.#order = orderOf(query);
    this.#operators = query.operators.map((operator) =>
      "filter" in operator ? { keep: compileFilter(operator.filter) } : { remaining: operator.limit },
    );
    this.#position = after !== null && this.#target ? this.#target.prefix + after : null;
  }

  /** The key of the last row that was read, without the index's prefix; `null` before the first. */
  get position(): string | null {
    return this.#position === null || !this.#target ? null : this.#position.slice(this.#target.prefix.length);
  }

  /** The keys on which what was read so far depends: up to the last row, or all that was wanted. */
  readRange(): KeyRange | null {
    const wanted = this.#wanted;
    if (wanted === null || this.#isExhausted || this.#position === null) return wanted;
    return upTo(this.#position, wanted, this.#order);
  }

  /** The next document that passes the filters, as JSON text, or `null` at the end. */
  next(): string | null {
    return this.nextDocument()?.text ?? null;
  }

  /** The same as it is stored. */
  nextDocument(): StoredDocument | null {
    for (;;) {
      const step = this.step(null);
      if (step === END) return null;
      if (step !== FILTERED) return step;
    }
  }

  /**
   * Reads one row. `upTo` is the key, without the index's prefix, of the last row wanted.
   * Gives the document, or that a filter held it back, or that there is no more.
   */
  step(upTo: string | null): StoredDocument | typeof FILTERED | typeof END {
    if (this.#operators.some((operator) => "remaining" in operator && operator.remaining <= 0)) return END;
    const row = this.#nextRow(upTo);
    if (row === null) return END;
    this.transaction.usage.addRead(row.text);
    let document: JsonObject | undefined;
    for (const operator of this.#operators) {
      if ("remaining" in operator) operator.remaining--;
      else if (!operator.keep((document ??= JSON.parse(row.text) as JsonObject))) return FILTERED;
    }
    return row;
  }

  /** The next document in the range, or `null`. */
  #nextRow(upTo: string | null): StoredDocument | null {
    const target = this.#target;
    if (target === null) return null;
    const { version } = this.transaction;
    if (this.#rows === null || this.#rowsVersion !== version) {
      const { start, end } = this.#rest(target, upTo);
      this.#wanted ??= { start, end };
      this.#rows = start < end ? this.transaction.scan(start, end, this.#order) : [].values();
      this.#rowsVersion = version;
    }
    const { value, done } = this.#rows.next();
    if (done) {
      this.#isExhausted = true;
      return null;
    }
    const entry = value as Entry;
    this.#position = entry[0];
    return documentOf(this.transaction, target, entry);
  }

  /** What is left to scan behind the current position. */
  #rest({ prefix, range }: IndexToScan, upTo: string | null): { start: string; end: string } {
    let { start, end } = range;
    const forward = this.#order === "asc";
    if (this.#position !== null) {
      if (forward) start = max(start, behind(this.#position));
      else end = min(end, this.#position);
    }
    if (upTo !== null) {
      if (forward) end = min(end, behind(prefix + upTo));
      else start = max(start, prefix + upTo);
    }
    return { start, end };
  }
}

/** So many rows are read at once, so that a transaction that has read too much ends there. */
const ROWS_AT_ONCE = 128;

/** All documents of a query. */
export function readRows(transaction: Transaction, query: SerializedQuery): readonly StoredDocument[] {
  const limit = limitOf(query);
  if (limit === null) {
    const stream = new QueryStream(transaction, query);
    const rows: StoredDocument[] = [];
    for (let row = stream.nextDocument(); row !== null; row = stream.nextDocument()) rows.push(row);
    return rows;
  }
  transaction.usage.addQuery();
  const target = findTarget(transaction, query.source);
  if (!target) {
    transaction.recordRead(onlyKey(CATALOG_KEY));
    return [];
  }
  const order = orderOf(query);
  const isKnowable = limit === Infinity && order === "asc" && target.isOfPrefix;
  return isKnowable ? readRange(transaction, target) : readFirst(transaction, target, order, limit);
}

/** All documents in the range of a prefix. */
function readRange(transaction: Transaction, target: IndexToScan): readonly StoredDocument[] {
  const { start } = target.range;
  const known = transaction.knownRows(start);
  if (known === undefined) {
    const rows = readFirst(transaction, target, "asc", Infinity);
    transaction.noteRows(start, rows);
    return rows;
  }
  if (transaction.notesReads) transaction.recordRead(target.range);
  for (const { text } of known) transaction.usage.addRead(text);
  return known;
}

function orderOf({ source }: SerializedQuery): "asc" | "desc" {
  return ("order" in source && source.order) || "asc";
}

/** How many rows a query wants, `Infinity` for all; `null`: those that pass a filter. */
function limitOf({ operators }: SerializedQuery): number | null {
  let limit = Infinity;
  for (let i = 0; i < operators.length; i++) {
    const operator = operators[i] as (typeof operators)[number];
    if (!("limit" in operator)) return null;
    limit = Math.min(limit, operator.limit);
  }
  return limit;
}

/** The first documents of an index range, which are as many as are wanted or all that there are. */
function readFirst(
  transaction: Transaction,
  target: IndexToScan,
  order: "asc" | "desc",
  limit: number,
): StoredDocument[] {
  const { range: wanted, tail } = target;
  const rows: StoredDocument[] = [];
  if (limit === 0) return rows;
  let read = wanted;
  // At once, as a transaction that has read too much ends below.
  if (transaction.notesReads) transaction.recordRead({ readRange: () => read });
  let rest = wanted;
  let knownTail = tail;
  // Where it is known there is something to look for: to compare texts that were put together just now takes a copy of each.
  while (knownTail !== undefined || rest.start < rest.end) {
    const count = Math.min(limit - rows.length, ROWS_AT_ONCE);
    const entries = transaction.take(rest.start, rest.end, order, count, knownTail);
    for (const entry of entries) {
      const document = documentOf(transaction, target, entry);
      transaction.usage.addRead(document.text);
      rows.push(document);
    }
    if (entries.length < count) break;
    const [last] = entries[count - 1] as Entry;
    if (rows.length === limit) {
      read = upTo(last, wanted, order);
      break;
    }
    rest = order === "asc" ? { start: behind(last), end: wanted.end } : { start: wanted.start, end: last };
    knownTail = undefined;
  }
  return rows;
}

/** The document of an index entry. */
function documentOf(
  transaction: Transaction,
  { table, isById }: IndexToScan,
  [key, text]: Entry,
): StoredDocument {
  if (isById) return { text, slot: NO_SLOT };
  const document = transaction.document(table.tablet, internalIdOfKey(key));
  if (document === undefined) throw new Error(`An index entry of ${table.name} has no document`);
  return document;
}

/** The part of a range that a scan has read when it has come to a key. */
function upTo(key: string, { start, end }: KeyRange, order: "asc" | "desc"): KeyRange {
  return order === "asc" ? { start, end: behind(key) } : { start: key, end };
}

/** The smallest key greater than `key`. */
function behind(key: string): string {
  return key + "\0";
}

function min(a: string, b: string): string {
  return a < b ? a : b;
}

function max(a: string, b: string): string {
  return a > b ? a : b;
}

function findTarget(transaction: Transaction, source: SerializedQuery["source"]): IndexToScan | null {
  switch (source.type) {
    case "FullTableScan":
      return fullTableScan(transaction, source.tableName);
    case "IndexRange":
      return indexScan(transaction, source.indexName, source.range);
    case "Search":
      throw new DeveloperError(
        `Text search is not available in this runtime yet, so index ${source.indexName} can't be queried with withSearchIndex.`,
      );
  }
}

export type PageRequest = {
  query: SerializedQuery;
  cursor: string | null;
  /** The cursor up to which to read: then the page is all that lies between, whatever `pageSize` says. */
  endCursor?: string | null;
  pageSize: number;
  maximumRowsRead?: number | null;
  maximumBytesRead?: number | null;
};

export type Page = {
  /** Documents as JSON text. */
  page: string[];
  isDone: boolean;
  continueCursor: string;
  splitCursor: string | null;
  pageStatus: "SplitRecommended" | "SplitRequired" | null;
};

/** Above this many documents a page should be split in two. */
const SOFT_MAX_PAGE_LENGTH = 6_144;
/** And above this part of what it may read. */
const SOFT_READ_SHARE = 0.75;

/** Reads one page of a query. */
export function readPage(transaction: Transaction, request: PageRequest, secret: Buffer): Page {
  const { query, pageSize } = request;
  const { usage } = transaction;
  checkPageRequest(request);
  const maxRows = request.maximumRowsRead ?? Infinity;
  const maxBytes = request.maximumBytesRead ?? Infinity;
  const fingerprint = queryFingerprint(query);
  const open = (text: string) => openCursor(text, fingerprint, secret);
  const start = request.cursor === null ? null : open(request.cursor);
  const endCursor = request.endCursor ? open(request.endCursor) : null;
  const page: string[] = [];
  const positions: string[] = [];
  const bytesBefore = maxBytes < Infinity ? usage.bytesRead : 0;
  /** Whether the page has read so much, filtered rows too. */
  const hasRead = (rows: number, bytes: number) =>
    positions.length >= rows || usage.hasRead(bytesBefore + bytes);
  let end: Cursor | null = start !== null && "end" in start ? start : null;
  let pageStatus: Page["pageStatus"] = null;
  if (end === null) {
    const stream = new QueryStream(
      transaction,
      query,
      start !== null && "after" in start ? start.after : null,
    );
    const upTo = endCursor !== null && "after" in endCursor ? endCursor.after : null;
    while (endCursor !== null || page.length < pageSize) {
      if (endCursor === null && hasRead(maxRows, maxBytes)) {
        pageStatus = "SplitRequired";
        break;
      }
      const step = stream.step(upTo);
      if (step === END) {
        end = { end: true };
        break;
      }
      positions.push(stream.position ?? "");
      if (step !== FILTERED) page.push(step.text);
    }
    end = endCursor ?? end ?? { after: stream.position ?? "" };
  }
  const middle = positions[Math.floor((positions.length - 1) / 2)];
  const isLarge =
    usage.nearReadLimit ||
    page.length > SOFT_MAX_PAGE_LENGTH ||
    hasRead(moreThanSoft(maxRows), moreThanSoft(maxBytes));
  if (isLarge) pageStatus ??= "SplitRecommended";
  const seal = (cursor: Cursor) => sealCursor(cursor, fingerprint, secret);
  return {
    page,
    isDone: "end" in end,
    continueCursor: seal(end),
    splitCursor: positions.length > 1 && middle !== undefined ? seal({ after: middle }) : null,
    pageStatus,
  };
}

function moreThanSoft(limit: number): number {
  return Math.floor(limit * SOFT_READ_SHARE) + 1;
}

function checkPageRequest({ pageSize, maximumRowsRead, maximumBytesRead }: PageRequest): void {
  if (pageSize === 0) throw new DeveloperError("Must request at least 1 document while paginating");
  if (pageSize > LIMITS.documentsRead) throw new DeveloperError(`Requested too many items: ${pageSize}`);
  if (maximumRowsRead === 0 || maximumBytesRead === 0) {
    throw new DeveloperError("maximumRowsRead and maximumBytesRead must be greater than 0");
  }
}
