import * as z from "zod";

const MAX_PAGE_SIZE = 500;

/** Cursors hold the values of an index at one place, which are a few hundred characters each. */
const cursor = z.string().max(10_000).nullable();

/** Which page to read, as Convex's `usePaginatedQuery` sends it. */
export const paginationOpts = z.strictObject({
  numItems: z.int().min(1).max(MAX_PAGE_SIZE).describe("Size of the page wished for"),
  cursor: cursor.describe("`continueCursor` of the page before, null for the first page"),
  endCursor: cursor.exactOptional().describe("Where a page that is being kept up to date ends"),
  id: z.number().exactOptional().describe("Sent by Convex clients to tell apart runs of one query"),
  maximumRowsRead: z.int().min(1).exactOptional().describe("Upper bound of documents read for the page"),
  maximumBytesRead: z.int().min(1).exactOptional().describe("Upper bound of bytes read for the page"),
});

/** An example of {@link paginationOpts}. */
export const examplePaginationOpts = { numItems: 50, cursor: null };

/** One page of `item`s. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    page: z.array(item),
    isDone: z.boolean(),
    continueCursor: z.string(),
    splitCursor: z.string().nullable().exactOptional(),
    pageStatus: z.enum(["SplitRecommended", "SplitRequired"]).nullable().exactOptional(),
  });
}

/** An example of such a page. */
export function examplePage(...page: readonly unknown[]) {
  return { page, isDone: true, continueCursor: "cursor_example" };
}
