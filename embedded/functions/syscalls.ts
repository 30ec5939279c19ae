/**
 * The seam with the convex package: what a query or mutation asks of the runtime, as one table from operation to
 * handler. Requests and answers are JSON in the shapes that the package's `server/impl` reads and writes.
 */
import type { Blobs } from "../storage/blobs";
import { DeveloperError } from "../transaction/errors";
import { BY_CREATION_TIME } from "../transaction/catalog";
import { QueryStream, readPage, type PageRequest, type SerializedQuery } from "../transaction/query";
import type { IdUse, Transaction } from "../transaction/transaction";
import { normalizeId } from "../values/ids";
import { int64Json, isObject, type Json, type JsonObject } from "../values/json";
import { functionHandle, type FunctionAddress } from "./addresses";
import { identityTextOf, type Caller } from "./caller";
import { deleteFile, fileContent, fileMetadata, fileUrl, storeFileNow } from "./files";
import type { FileUrls } from "./fileUrls";
import type { FunctionInfo, LoadedApp } from "./loadedApp";
import { unknownOperation } from "./checks";
import { DEPLOYMENT } from "./deployment";
import type { LogLines } from "./logLines";
import type { Observations } from "./observations";
import { displayPath } from "./paths";
import { cancelBySyscall, scheduleBySyscall } from "./schedulerSyscalls";

/** One call of a query or mutation, from the outside or from another function. */
export interface CallFrame {
  /** As the function's component sees it. */
  readonly transaction: Transaction;
  readonly function: FunctionInfo;
  /** The call that has made this one; `null` for a call from the outside. */
  readonly parent: CallFrame | null;
  /** A query may not write, even when a mutation called it. */
  readonly mayWrite: boolean;
  readonly caller: Caller;
  readonly logs: LogLines;
  /** What the clock shows, ms since the epoch. */
  readonly nowMs: number;
  /** The id of the scheduled function that this call is, or descends from. */
  readonly scheduledJob: string | null;
  /** 0 for a call from the outside. */
  readonly depth: number;
  readonly streams: Map<number, QueryStream>;
  /** Where the function's page ended when it ran before, and where it ends now; `null`: it has read no page. */
  readonly page: { readonly previousEnd: string | null; end: string | null };
  readonly observed: Observations;
  /** The keys of the blobs that the call and those that it calls have stored, whatever comes of them. */
  readonly storedBlobs: string[];
}

/** What handlers need besides the call's own frame. */
export interface SyscallHost {
  readonly cursorSecret: Buffer;
  app(): LoadedApp;
  readonly fileUrls: FileUrls;
  readonly blobs: Blobs;
}

type Args = Record<string, Json> & JsonObject;
type Handler = (frame: CallFrame, args: Args, host: SyscallHost) => string;

/** What an operation is answered with when it has nothing to say. */
const NULL = "null";

const SYSCALLS: Readonly<Record<string, Handler>> = {
  "1.0/get": (frame, args) => frame.transaction.get(text(args, "id"), idUse(args, "db.get"))?.text ?? NULL,

  "1.0/insert": (frame, args) => {
    requireWrite(frame, "insert");
    const id = frame.transaction.insert(text(args, "table"), requireObject(args["value"], "db.insert"));
    return JSON.stringify({ _id: id });
  },

  "1.0/shallowMerge": (frame, args) => {
    requireWrite(frame, "patch");
    const value = requireObject(args["value"], "db.patch");
    return frame.transaction.patch(text(args, "id"), value, idUse(args, "db.patch"));
  },

  "1.0/replace": (frame, args) => {
    requireWrite(frame, "replace");
    const value = requireObject(args["value"], "db.replace");
    return frame.transaction.replace(text(args, "id"), value, idUse(args, "db.replace"));
  },

  "1.0/remove": (frame, args) => {
    requireWrite(frame, "delete");
    return frame.transaction.remove(text(args, "id"), idUse(args, "db.delete"));
  },

  "1.0/queryStream": (frame, args) => {
    const queryId = frame.streams.size;
    frame.streams.set(
      queryId,
      new QueryStream(frame.transaction, args["query"] as unknown as SerializedQuery),
    );
    return `{"queryId":${queryId}}`;
  },

  "1.0/queryStreamNext": (frame, args) => {
    const stream = frame.streams.get(args["queryId"] as number);
    if (!stream) throw new DeveloperError("This query is closed and can't emit any more values.");
    const document = stream.next();
    return document === null ? '{"value":null,"done":true}' : `{"value":${document},"done":false}`;
  },

  // A stream holds nothing that has to be given back; it goes with its call.
  "1.0/queryCleanup": () => "true",

  "1.0/queryPage": (frame, args, { cursorSecret }) => {
    if (!frame.function.component.isRoot) {
      throw new DeveloperError(
        "paginate() is only supported in the app. Learn more at https://docs.convex.dev/components/authoring#pagination",
      );
    }
    if (frame.page.end !== null) {
      throw new DeveloperError(
        "This query or mutation function ran multiple paginated queries. Convex only supports a single paginated query in each function.",
      );
    }
    const request = args as unknown as PageRequest;
    const endCursor = request.endCursor ?? frame.page.previousEnd;
    const { page, ...rest } = readPage(frame.transaction, { ...request, endCursor }, cursorSecret);
    frame.page.end = rest.continueCursor;
    return `{"page":[${page.join(",")}],${JSON.stringify(rest).slice(1)}`;
  },

  "1.0/count": (frame, args) => {
    const source = {
      type: "IndexRange",
      indexName: `${text(args, "table")}.${BY_CREATION_TIME}`,
      range: [],
      order: null,
    };
    const stream = new QueryStream(frame.transaction, { source, operators: [] } as SerializedQuery);
    let count = 0;
    while (stream.next() !== null) count++;
    return String(count);
  },

  "1.0/db/normalizeId": (frame, args) => {
    const table = frame.transaction.table(text(args, "table"));
    const id = table ? normalizeId(table.number, text(args, "idString")) : null;
    return JSON.stringify({ id });
  },

  "1.0/getUserIdentity": identityText,

  "1.0/schedule": (frame, args, host) => {
    requireWrite(frame, "schedule");
    const { transaction, function: caller } = frame;
    return scheduleBySyscall(transaction, host.app(), caller.component, args, frame);
  },

  "1.0/cancel_job": (frame, args) => {
    requireWrite(frame, "cancel");
    if (frame.scheduledJob !== null && args["id"] === frame.scheduledJob) {
      frame.logs.add("WARN", [CANCELS_ITSELF]);
      return NULL;
    }
    return cancelBySyscall(frame.transaction, args, frame.nowMs);
  },

  "1.0/storageGetUrl": ({ transaction }, args, { fileUrls }) =>
    fileUrl(transaction, text(args, "storageId"), fileUrls),

  "1.0/storageGetMetadata": ({ transaction }, args) => fileMetadata(transaction, text(args, "storageId")),

  "1.0/storageGenerateUploadUrl": (frame, _args, { fileUrls }) => {
    requireWrite(frame, "generate an upload URL");
    return JSON.stringify(fileUrls.upload(frame.function.component.path));
  },

  "1.0/storageStore": (frame, args, { blobs }) => {
    requireWrite(frame, "store a file");
    const { contentType, sha256 } = args;
    const file = {
      bytes: Buffer.from(text(args, "blob"), "base64"),
      contentType: typeof contentType === "string" && contentType !== "" ? contentType : null,
      sha256: typeof sha256 === "string" ? sha256 : null,
    };
    return JSON.stringify(storeFileNow(frame.transaction, blobs, file, frame.storedBlobs));
  },

  "1.0/storageGet": ({ transaction }, args, { blobs }) =>
    fileContent(transaction, blobs, text(args, "storageId")),

  "1.0/storageDelete": (frame, args) => {
    requireWrite(frame, "delete a file");
    deleteFile(frame.transaction, text(args, "storageId"));
    return NULL;
  },

  "1.0/getTransactionMetrics": ({ transaction, observed }) => {
    observed.chance = true;
    return JSON.stringify(transaction.usage.report());
  },

  "1.0/getFunctionMetadata": ({ function: info }) =>
    JSON.stringify({ name: displayPath(info.path), componentPath: info.component.path }),

  "1.0/getDeploymentMetadata": () => JSON.stringify(DEPLOYMENT),

  "1.0/getSnapshotTs": ({ transaction, observed }) => {
    observed.chance = true;
    return JSON.stringify(int64Json(transaction.database.timestamp));
  },

  "1.0/createFunctionHandle": (frame, args, host) =>
    functionHandle(host.app(), frame.function.component, args as FunctionAddress),
};

/**
 * Does what a query or mutation asks for and gives JSON text. Calls of other functions are not among it: they depend on how
 * functions are run. Throws a `DeveloperError` for what is not allowed.
 */
export function performSyscall(
  frame: CallFrame,
  operation: string,
  args: JsonObject,
  host: SyscallHost,
): string {
  const handler = SYSCALLS[operation];
  if (!handler) throw new DeveloperError(unknownOperation(operation));
  return handler(frame, args, host);
}

const CANCELS_ITSELF =
  "A scheduled mutation canceling itself is deprecated and will throw an error in a future version of Convex.";

function text(args: Args, name: string): string {
  const value = args[name];
  if (typeof value !== "string") throw new DeveloperError(`Invalid argument \`${name}\`: expected a string`);
  return value;
}

/** A document as a function gave it. Throws {@link DeveloperError} for what is none. */
export function requireObject(value: Json | undefined, operation: string): JsonObject {
  if (isObject(value)) return value;
  throw new DeveloperError(`Invalid argument \`value\` for \`${operation}\`: Value must be an Object`);
}

/** Who calls, as JSON text; the call depends on that from now on. */
export function identityText({ caller, observed }: CallFrame): string {
  observed.identity = true;
  return identityTextOf(caller);
}

function idUse(args: Args, operation: IdUse["operation"]): IdUse {
  const table = args["table"];
  return {
    operation,
    table: typeof table === "string" ? table : undefined,
    system: args["isSystem"] === true,
  };
}

export function requireWrite(frame: CallFrame, what: string): void {
  if (!frame.mayWrite) throw new DeveloperError(`Can't ${what} in a query: queries are read-only`);
}
