import type { Doc, Id } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import { openAsTenant } from "../../model/access";
import { findAccessKey, findByApiKeyHash, type Principal } from "../../model/accessKeys";
import { MeetingEdit } from "../../model/meetingEdit";
import { type MeetingAction, nextState } from "../../model/meetingStates";
import type { KeptToken } from "../../model/opaqueTokens";
import { takeTenantToken } from "../../model/rateLimit";
import { ensureTenantOf } from "../../model/tenants";
import { refuse } from "./errors";
import type { Claims } from "./wire";

/** With what a request comes, once its signature is known to be good: the hash of an API key, or what a token says. */
export type Credential =
  | { kind: "apiKey"; hash: string }
  | {
      kind: "token";
      accessKeyId?: string;
      meetingId?: string;
      participantId?: string;
      /** Absent if it has been looked up already. */
      tokenVersion?: number;
    };

/** Who calls: an application of the tenant, somebody with a join link of one room, or a person in one. */
export type Caller =
  | { kind: "tenant"; principal: Principal }
  | { kind: "link"; principal: Principal; meetingId: Id<"meetings"> }
  | { kind: "participant"; tenantId: Id<"tenants">; row: Doc<"meetingParticipants"> };

/** A transaction for a caller. `fresh`: the key and the hash of a token that can be given out. */
export type ChalkCtx = MutationCtx & { caller: Caller; fresh: KeptToken };

/** Of whom a token speaks. `refreshUntil`: a refresh token has been kept for them, too. */
export interface Grant {
  claims: Omit<Claims, "type" | "jti">;
  refreshUntil?: number;
}

/** What an operation answers. The tokens of the grants are made afterwards, and kept nowhere. */
export interface Answer {
  body?: Record<string, unknown>;
  /** One for the body, or as many as the body has results. */
  grants?: (Grant | null)[];
  /** The body is to have the fresh token as `join_token`. */
  givesJoinToken?: true;
}

/** Who calls; refused as `invalid API key` or `invalid token`. */
export async function callerOf({ db }: MutationCtx, credential: Credential): Promise<Caller> {
  if (credential.kind === "apiKey") {
    const key = (await findByApiKeyHash(db, credential.hash)) ?? refuse("invalid API key");
    return { kind: "tenant", principal: { tenantId: key.tenantId, accessKeyId: key.accessKeyId } };
  }
  const { accessKeyId, meetingId: givenMeetingId, participantId: givenParticipantId } = credential;
  if (accessKeyId !== undefined) {
    const { tenantId } = (await findAccessKey(db, accessKeyId)) ?? refuse("invalid token");
    const principal = { tenantId, accessKeyId };
    if (givenMeetingId === undefined) return { kind: "tenant", principal };
    const meetingId = db.normalizeId("meetings", givenMeetingId) ?? refuse("invalid token");
    return { kind: "link", principal, meetingId };
  }
  const participantId = givenParticipantId && db.normalizeId("meetingParticipants", givenParticipantId);
  const row = participantId ? await db.get("meetingParticipants", participantId) : null;
  const meeting = row && (await db.get("meetings", row.meetingId));
  if (!row || !meeting?.tenantId) refuse("invalid token");
  const { tokenVersion: current = 0 } = row;
  if ((credential.tokenVersion ?? current) !== current) refuse("invalid token");
  return { kind: "participant", tenantId: meeting.tenantId, row };
}

export function tenantIdOf(caller: Caller): Id<"tenants"> {
  return caller.kind === "participant" ? caller.tenantId : caller.principal.tenantId;
}

/** The same for all requests of one caller, for the rate limit. */
export function callerKey(caller: Caller): string {
  return caller.kind === "participant" ? caller.row._id : caller.principal.accessKeyId;
}

/** May the caller do what hosts of the room may? */
export function isHost(caller: Caller): boolean {
  return caller.kind === "tenant" || (caller.kind === "participant" && caller.row.role === "host");
}

export function requireHost({ caller }: ChalkCtx): void {
  if (!isHost(caller)) refuse("host role required");
}

/** What concerns more than one room is for the tenant's applications: a room's host is nobody elsewhere. */
export function requireTenant({ caller }: ChalkCtx): Principal {
  return caller.kind === "tenant" ? caller.principal : refuse("host role required");
}

/** A room for the caller to change, who has been found to be allowed to. */
export async function openRoom(
  ctx: ChalkCtx,
  meeting: Doc<"meetings">,
  action: MeetingAction,
): Promise<MeetingEdit> {
  const { caller } = ctx;
  if (caller.kind !== "participant") return openAsTenant(ctx, caller.principal, meeting._id, action);
  nextState(meeting.state, action);
  const tenant = await ensureTenantOf(ctx, meeting);
  await takeTenantToken(ctx, tenant);
  return new MeetingEdit(ctx, meeting, tenant, { kind: "participant", id: caller.row._id });
}
