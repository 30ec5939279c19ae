/** People in a room, as this wire shows them. */
import type { Doc } from "../../_generated/dataModel";
import { findGuestOfUser } from "../../model/people";
import { type ChalkCtx, tenantIdOf } from "./context";
import { participantIdsOf } from "./names";
import type { Participant } from "./wire";

type Row = Doc<"meetingParticipants">;

/** What people are called here and by their application, in their order. */
export function namesOf(
  ctx: ChalkCtx,
  rows: readonly Row[],
): Promise<{ displayName?: string; externalUserId?: string }[]> {
  return Promise.all(
    rows.map(async ({ userId, guestId, displayName: shown }) => {
      const [user, guest] = await Promise.all([
        userId ? ctx.db.get("users", userId) : null,
        guestId
          ? ctx.db.get("guests", guestId)
          : userId
            ? findGuestOfUser(ctx.db, tenantIdOf(ctx.caller), userId)
            : null,
      ]);
      const displayName = shown ?? user?.displayName ?? guest?.displayName;
      return {
        ...(displayName !== undefined && { displayName }),
        ...(guest?.externalId !== undefined && { externalUserId: guest.externalId }),
      };
    }),
  );
}

/** People of a room, in their order. */
export async function describeParticipants(
  ctx: ChalkCtx,
  roomId: string,
  rows: readonly Row[],
): Promise<Participant[]> {
  const [ids, names] = await Promise.all([participantIdsOf(ctx, rows), namesOf(ctx, rows)]);
  return rows.map((row, index) => {
    const { displayName = "", externalUserId } = names[index] ?? {};
    return {
      id: ids[index] as string,
      room_id: roomId,
      cloudflare_participant_id: row._id,
      ...(externalUserId !== undefined && { external_user_id: externalUserId }),
      display_name: displayName,
      role: row.role,
      // Clients expect a time; who has been added otherwise has not come yet.
      joined_at: isoTime(row.joinedAt ?? row._creationTime),
      left_at: row.leftAt === undefined ? null : isoTime(row.leftAt),
      created_at: isoTime(row._creationTime),
      metadata: row.attributes ?? {},
    };
  });
}

export function isoTime(at: number): string {
  return new Date(Math.trunc(at)).toISOString();
}
