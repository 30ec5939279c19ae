/** A page of what is there, and where the next begins. */
export function pageOf<Item>(
  items: readonly Item[],
  { Cursor, Limit }: { Cursor: number; Limit: number },
): { page: Item[]; HasMore: boolean; NextCursor: number } {
  const HasMore = items.length > Cursor + Limit;
  return { page: items.slice(Cursor, Cursor + Limit), HasMore, NextCursor: HasMore ? Cursor + Limit : -1 };
}
