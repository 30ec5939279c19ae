import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";

/** A kind of name that another system gives, like `chime.meeting`. */
export interface AliasKind {
  tenantId: Id<"tenants">;
  kind: string;
}

/** The id of the document that is called so; null if there is none. */
export async function findSubject(
  db: DatabaseReader,
  { tenantId, kind }: AliasKind,
  alias: string,
): Promise<string | null> {
  const found = await db
    .query("aliases")
    .withIndex("by_alias", (q) => q.eq("tenantId", tenantId).eq("kind", kind).eq("alias", alias))
    .unique();
  return found?.subject ?? null;
}

/** What a document is called; null if it has not been called anything yet. */
export async function findAlias(db: DatabaseReader, kind: string, subject: string): Promise<string | null> {
  return (await rowOf(db, kind, subject))?.alias ?? null;
}

/** Calls a document so. Whoever does has seen to it that the name is free. */
export async function insertAlias(
  ctx: MutationCtx,
  { tenantId, kind }: AliasKind,
  alias: string,
  subject: string,
): Promise<void> {
  await ctx.db.insert("aliases", { tenantId, kind, alias, subject });
}

/**
 * What each of the documents is called, in their order. Those that have no name yet get one from `make`, which is asked again
 * for as long as it gives one that is taken.
 */
export async function ensureAliases(
  ctx: MutationCtx,
  { tenantId, kind }: AliasKind,
  subjects: readonly string[],
  make: () => string,
): Promise<string[]> {
  const taken = new Set<string>();
  const name = async (subject: string): Promise<string> => {
    const known = await rowOf(ctx.db, kind, subject);
    if (known) return known.alias;
    let alias = make();
    while (taken.has(alias) || (await findSubject(ctx.db, { tenantId, kind }, alias)) !== null)
      alias = make();
    taken.add(alias);
    await insertAlias(ctx, { tenantId, kind }, alias, subject);
    return alias;
  };
  // A document may be asked for twice, and is called one thing.
  const names = new Map<string, Promise<string>>();
  for (const subject of subjects) if (!names.has(subject)) names.set(subject, name(subject));
  return Promise.all(subjects.map((subject) => names.get(subject) as Promise<string>));
}

/** Forgets what a document was called, as it is no more. */
export async function deleteAlias(ctx: MutationCtx, kind: string, subject: string): Promise<void> {
  const row = await rowOf(ctx.db, kind, subject);
  if (row) await ctx.db.delete("aliases", row._id);
}

/** A UUID, version 4 by its form. Not for secrets: in mutations `Math.random` is all there is. */
export function makeUuid(): string {
  const digit = () => Math.floor(Math.random() * 16);
  return "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx".replace(/[xv]/g, (place) =>
    (place === "x" ? digit() : 8 + (digit() % 4)).toString(16),
  );
}

/** A positive whole number of so many digits at most, not zero. */
export function makeNumber(digits: number): string {
  return String(1 + Math.floor(Math.random() * (10 ** digits - 1)));
}

function rowOf(db: DatabaseReader, kind: string, subject: string): Promise<Doc<"aliases"> | null> {
  return db
    .query("aliases")
    .withIndex("by_subject", (q) => q.eq("subject", subject).eq("kind", kind))
    .unique();
}
