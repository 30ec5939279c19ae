/** What becomes of a person's places in meetings when the account is deactivated. */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { openAsSystem } from "./access";
import { scheduleRoomSync } from "./mediaSync";
import { leave } from "./presence";

/** How many places one transaction sees to: each is one meeting's work. */
const PLACES_AT_ONCE = 25;

/**
 * Puts a deactivated user out of all active meetings, as they cannot leave by themselves any more. The places stay theirs, for
 * hosts to free. What one transaction does not take is scheduled.
 *
 * @param after Creation time of the last place that has been seen to.
 */
export async function putOut(ctx: MutationCtx, userId: Id<"users">, after = 0): Promise<void> {
  const rows = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_user", (q) => q.eq("userId", userId).eq("guestId", undefined).gt("_creationTime", after))
    .take(PLACES_AT_ONCE);
  // One after the other, since two of them may need the same tenant to be made.
  for (const row of rows) await putOutOfMeeting(ctx, row);
  const last = rows.at(-1);
  if (last && rows.length === PLACES_AT_ONCE) {
    await ctx.scheduler.runAfter(0, internal.users.sync.putOutMore, { userId, after: last._creationTime });
  }
}

async function putOutOfMeeting(ctx: MutationCtx, row: Doc<"meetingParticipants">): Promise<void> {
  const meeting = await ctx.db.get("meetings", row.meetingId);
  if (meeting?.state !== "active") return;
  if (row.presence === "joined" || row.presence === "waiting") {
    const edit = await openAsSystem(ctx, meeting);
    await leave(edit, row);
    await edit.save();
  }
  // Whatever their presence: with a join token they may be in the room without having said so here.
  await scheduleRoomSync(ctx, meeting, [{ participantId: row._id, evict: true }]);
}
