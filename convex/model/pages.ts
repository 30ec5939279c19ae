import type { PaginationOptions } from "convex/server";

/** Half of what a transaction may read. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** The options of a page of documents that may be long: it ends early rather than ask for more than a transaction may read. */
export function shortPage(paginationOpts: PaginationOptions): PaginationOptions {
  const { maximumBytesRead = MAX_PAGE_BYTES } = paginationOpts;
  return { ...paginationOpts, maximumBytesRead: Math.min(maximumBytesRead, MAX_PAGE_BYTES) };
}
