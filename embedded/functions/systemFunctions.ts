/**
 * The system queries that the official command line asks for: what functions, tables, documents and environment variables a
 * deployment has. Only the holder of the admin key may call them.
 */
import { readPage, type PageRequest, type SerializedQuery } from "../transaction/query";
import { IMPORTS_KEY, LATEST_EXPORT_KEY, onlyKey } from "../transaction/keys";
import { DeveloperError } from "../transaction/errors";
import type { Transaction } from "../transaction/transaction";
import type { Json, JsonObject } from "../values/json";
import { isSystem } from "../transaction/catalog";
import type { App } from "./app";
import type { FunctionInfo, FunctionKind } from "./loadedApp";

export const SYSTEM_PREFIX = "_system/";

type SystemContext = { readonly app: App; readonly transaction: Transaction; readonly cursorSecret: Buffer };

/** Gives the result as JSON text. */
export type SystemQuery = (context: SystemContext, args: JsonObject) => string;

/** The most that one page of documents may hold. */
const MAX_PAGE = { maximumRowsRead: 4_096, maximumBytesRead: 4 * 1024 * 1024 };

export const SYSTEM_QUERIES: Readonly<Record<string, SystemQuery>> = {
  "_system/cli/modules:apiSpec": ({ app }) =>
    JSON.stringify([
      ...[...app.root.functions.values()].map(functionSpec),
      ...app.root.httpRoutes().map(httpSpec),
    ]),

  "_system/cli/convexUrl:cloudUrl": ({ app }) => JSON.stringify(app.environment["CONVEX_CLOUD_URL"] ?? null),
  "_system/cli/convexUrl:siteUrl": ({ app }) => JSON.stringify(app.environment["CONVEX_SITE_URL"] ?? null),

  "_system/cli/tables:default": ({ transaction }) => {
    const names = [...transaction.tables].filter((table) => !isSystem(table)).map(({ name }) => name);
    return JSON.stringify({
      page: names.sort().map((name) => ({ name })),
      isDone: true,
      continueCursor: "end",
    });
  },

  "_system/cli/tableData:default": ({ transaction, cursorSecret }, args) => {
    const { table, order, paginationOpts } = args;
    if (typeof table !== "string" || (order !== "asc" && order !== "desc")) {
      throw new DeveloperError("`table` must be a name, and `order` must be asc or desc");
    }
    const { numItems, cursor } = paginationOpts as { numItems: number; cursor: string | null };
    const query: SerializedQuery = {
      source: { type: "FullTableScan", tableName: table, order },
      operators: [],
    };
    const request: PageRequest = { query, cursor, pageSize: numItems, ...MAX_PAGE };
    const { page, ...rest } = readPage(transaction, request, cursorSecret);
    return `{"page":[${page.join(",")}],${JSON.stringify(rest).slice(1)}`;
  },

  "_system/cli/queryEnvironmentVariables:default": ({ app }) => {
    const variables = Object.entries(app.environment).map(([name, value]) => ({ name, value }));
    return JSON.stringify(variables.sort((a, b) => (a.name < b.name ? -1 : 1)));
  },

  "_system/cli/queryEnvironmentVariables:get": ({ app }, { name }) => {
    const value = typeof name === "string" ? app.environment[name] : undefined;
    return JSON.stringify(value === undefined ? null : { name: name as Json, value });
  },

  "_system/cli/exports:getLatest": ({ transaction }) => readNote(transaction, LATEST_EXPORT_KEY) ?? "null",

  "_system/cli/queryImport:list": ({ transaction }) => readNote(transaction, IMPORTS_KEY) ?? "[]",

  "_system/cli/queryImport:default": ({ transaction }, { importId }) => {
    const imports = JSON.parse(readNote(transaction, IMPORTS_KEY) ?? "[]") as { _id: string }[];
    return JSON.stringify(imports.find(({ _id }) => _id === importId) ?? null);
  },

  "_system/frontend/components:list": ({ app }) =>
    JSON.stringify(
      [...app.components.keys()].map((path) => ({
        // It only has to be told from others.
        id: path,
        name: path.slice(path.lastIndexOf("/") + 1),
        path,
        state: "active",
      })),
    ),
};

/** Reads a note of the runtime's own, so that whoever has asked is told when it changes. */
function readNote(transaction: Transaction, key: string): string | undefined {
  transaction.recordRead(onlyKey(key));
  return transaction.readNote(key);
}

const TYPE_NAMES: Record<FunctionKind, string> = { query: "Query", mutation: "Mutation", action: "Action" };

function functionSpec({ module, exportName, kind, isPublic, args, returns }: FunctionInfo) {
  return {
    identifier: `${module}:${exportName}`,
    functionType: TYPE_NAMES[kind],
    visibility: { kind: isPublic ? "public" : "internal" },
    args,
    returns: returns ?? { type: "any" },
  };
}

function httpSpec({ method, path }: { method: string; path: string }) {
  return { functionType: "HttpAction", method, path };
}
