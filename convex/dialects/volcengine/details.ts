/** What is kept of a conversation besides its meeting, and whose it is. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { DatabaseReader } from "../../_generated/server";
import type { VolcengineCtx } from "./context";
import { namesOf, type PersonId, type PersonName } from "./names";

type Meeting = Doc<"meetings">;
export type Stored = Doc<"volcengineConversations">;

/** What this wire has been told of a meeting; null if nothing. */
export function findStored(db: DatabaseReader, meetingId: Id<"meetings">): Promise<Stored | null> {
  return db
    .query("volcengineConversations")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
    .unique();
}

/** Keeps what this wire is told of a meeting. */
export async function storeDetails(
  ctx: VolcengineCtx,
  meetingId: Id<"meetings">,
  details: Partial<Stored>,
): Promise<void> {
  if (Object.keys(details).length === 0) return;
  const stored = await findStored(ctx.db, meetingId);
  if (stored) await ctx.db.patch("volcengineConversations", stored._id, details);
  else await ctx.db.insert("volcengineConversations", { ...details, meetingId });
}

/** Whose a conversation is; null if nobody's. */
export async function findOwner(ctx: VolcengineCtx, meeting: Meeting): Promise<PersonName | null> {
  return ownerOf(ctx, meeting, await findStored(ctx.db, meeting._id));
}

/** The same for whom what is kept has been looked up. */
export async function ownerOf(
  ctx: VolcengineCtx,
  { _id, organizerId }: Meeting,
  stored: Stored | null,
): Promise<PersonName | null> {
  if (stored?.owner) return wireName(stored.owner);
  const ref = organizerId
    ? { userId: organizerId }
    : await ctx.db
        .query("meetingParticipants")
        .withIndex("by_meeting_and_role_and_presence", (q) => q.eq("meetingId", _id).eq("role", "host"))
        .first();
  const [name = null] = await namesOf(ctx, ref ? [ref] : []);
  return name;
}

/** A name as it is kept. */
export function storedName({ id, str }: PersonName): { id: string; str?: string } {
  return { id: String(id), ...(str !== undefined && { str }) };
}

/** A name as answers have it. */
export function wireName({ id, str }: { id: string; str?: string }): PersonName {
  return { id: BigInt(id), ...(str !== undefined && { str }) };
}

/** A name as requests have it. */
export function asPersonId({ id, str }: PersonName): PersonId {
  return { id: String(id), ...(str !== undefined && { str }) };
}
