/** Of whom tokens speak, and what is kept of those that can be used once. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import { findAccessKey, type Principal } from "../../model/accessKeys";
import { bannedPeople } from "../../model/bans";
import type { KeptToken } from "../../model/opaqueTokens";
import { keyOf } from "../../model/people";
import { nextTokenState, tokenState } from "../../model/tokenStates";
import { type ChalkCtx, type Grant, tenantIdOf } from "./context";
import { participantIdsOf, roomIdOf } from "./names";
import { namesOf } from "./people";
import type { Permissions } from "./wire";

const DAY_MS = 24 * 60 * 60_000;
export const REFRESH_TOKEN_MS = 7 * DAY_MS;
const JOIN_TOKEN_MS = DAY_MS;

type Token = Doc<"chalkTokens">;
type Row = Doc<"meetingParticipants">;

const hostPermissions: Permissions = {
  can_record: true,
  can_screen_share: true,
  can_kick: true,
  can_mute: true,
};

const participantPermissions: Permissions = {
  can_record: false,
  can_screen_share: true,
  can_kick: false,
  can_mute: false,
};

/** A session of an application, which may do everything of its tenant. */
export function tenantGrant({ tenantId, accessKeyId }: Principal): Grant {
  return {
    claims: {
      sub: tenantId,
      tenant_id: tenantId,
      role: "host",
      permissions: hostPermissions,
      access_key_id: accessKeyId,
    },
  };
}

/** Somebody with a join link, who is nobody in the room yet. */
export function linkGrant(
  { tenantId, accessKeyId }: Principal,
  meetingId: Id<"meetings">,
  roomId: string,
): Grant {
  return {
    claims: {
      sub: "join",
      tenant_id: tenantId,
      room_id: roomId,
      role: "participant",
      permissions: participantPermissions,
      access_key_id: accessKeyId,
      meeting_id: meetingId,
    },
  };
}

/** People in a room, in their order. */
export async function participantGrants(
  ctx: ChalkCtx,
  meeting: Doc<"meetings">,
  rows: readonly Row[],
): Promise<Grant[]> {
  const [roomId, ids, names] = await Promise.all([
    roomIdOf(ctx, meeting),
    participantIdsOf(ctx, rows),
    namesOf(ctx, rows),
  ]);
  return rows.map(({ _id, role, tokenVersion = 0 }, index) => {
    const displayName = names[index]?.displayName;
    const canSend = role !== "observer";
    return {
      claims: {
        sub: ids[index] as string,
        tenant_id: tenantIdOf(ctx.caller),
        room_id: roomId,
        ...(displayName !== undefined && { display_name: displayName }),
        role,
        permissions:
          role === "host" ? hostPermissions : { ...participantPermissions, can_screen_share: canSend },
        meeting_id: meeting._id,
        participant_id: _id,
        token_version: tokenVersion,
      },
    };
  });
}

/** Keeps a fresh refresh token for a grant. */
export async function withRefresh(
  ctx: MutationCtx,
  grant: Grant,
  tenantId: Id<"tenants">,
  fresh: KeptToken,
  row?: Row,
): Promise<Grant> {
  const expiresAt = Date.now() + REFRESH_TOKEN_MS;
  const { access_key_id: accessKeyId } = grant.claims;
  await ctx.db.insert("chalkTokens", {
    kind: "refresh",
    ...fresh,
    tenantId,
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(row && { meetingId: row.meetingId, participantId: row._id }),
    tokenVersion: row?.tokenVersion ?? 0,
    expiresAt,
  });
  return { ...grant, refreshUntil: expiresAt };
}

/** Keeps a fresh token for a join link. */
export async function keepJoinToken(
  { db, fresh }: ChalkCtx,
  { tenantId, accessKeyId }: Principal,
  meetingId: Id<"meetings">,
): Promise<void> {
  const expiresAt = Date.now() + JOIN_TOKEN_MS;
  await db.insert("chalkTokens", {
    kind: "join",
    ...fresh,
    tenantId,
    accessKeyId,
    meetingId,
    tokenVersion: 0,
    expiresAt,
  });
}

/** A token that was sent, what it may be used for, and its bearer's row; null if it was never given out, or is used up. */
export async function findToken(ctx: MutationCtx, kind: Token["kind"], sent: KeptToken) {
  const token = await ctx.db
    .query("chalkTokens")
    .withIndex("by_key", (q) => q.eq("key", sent.key))
    .unique();
  if (token?.kind !== kind) return null;
  const row = token.participantId ? await ctx.db.get("meetingParticipants", token.participantId) : null;
  const bearer = token.participantId
    ? row && (await bearerInRoom(ctx, row))
    : await applicationOf(ctx, token);
  const state = tokenState({ kept: token, sentHash: sent.hash, bearer, now: Date.now() });
  return { token, row, state, next: nextTokenState(state, "refresh") };
}

async function bearerInRoom({ db }: MutationCtx, row: Row): Promise<{ tokenVersion: number } | null> {
  const meeting = await db.get("meetings", row.meetingId);
  if (meeting?.state !== "active") return null;
  const banned = await bannedPeople(db, meeting);
  return banned.has(keyOf(row)) ? null : { tokenVersion: row.tokenVersion ?? 0 };
}

async function applicationOf({ db }: MutationCtx, token: Token): Promise<{ tokenVersion: number } | null> {
  const key = token.accessKeyId === undefined ? null : await findAccessKey(db, token.accessKeyId);
  return key && { tokenVersion: 0 };
}

/**
 * Deletes tokens that have expired, the longest ago first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteExpired(ctx: MutationCtx, limit: number): Promise<number> {
  const expired = await ctx.db
    .query("chalkTokens")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", Date.now()))
    .take(limit);
  await Promise.all(expired.map(({ _id }) => ctx.db.delete("chalkTokens", _id)));
  return expired.length;
}
