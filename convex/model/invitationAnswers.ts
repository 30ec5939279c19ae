/** Invitations as the invited answer them. */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { MAX_OWN_LISTED, MAX_OWN_SCANNED, MAX_OWN_SCANNED_BYTES } from "../contract/invitations";
import { type CallerCtx, openMeeting } from "./access";
import { addParticipants, type AddPolicy, type ItemOutcome } from "./addParticipants";
import { fail } from "./errors";
import { changeInvitation } from "./invitations";
import { nextInvitationState, stateAt } from "./invitationStates";
import { MeetingEdit } from "./meetingEdit";
import { isClosed, nextState } from "./meetingStates";
import { sha256 } from "./secrets";
import { ensureTenantOf } from "./tenants";

type Invitation = Doc<"invitations">;

/** How many invitations one transaction turns into participants when somebody signs up. */
const ACCEPTED_AT_ONCE = 20;

/** How an invitation is named by who answers it: by its secret, or by its id if it is to the caller's address. */
export interface Named {
  token?: string;
  invitationId?: string;
}

/**
 * Makes the caller what the invitation says. INVITATION_NOT_FOUND, INVITATION_CLOSED, INVITATION_EXPIRED, MEETING_CLOSED, BANNED,
 * and, unless the invitation provides for waiting, MEETING_FULL or ONE_ON_ONE_FULL.
 */
export async function accept(ctx: CallerCtx, named: Named) {
  const { edit, invitation } = await openInvitation(ctx, named);
  const state = nextInvitationState(stateAt(invitation, Date.now()), "accept");
  nextState(edit.meeting.state, "change");
  const outcome = await addInvited(edit, invitation, ctx.user._id, "fail");
  await changeInvitation(edit, invitation, "invitation.accepted", { state, acceptedBy: ctx.user._id });
  await edit.save();
  return {
    meetingId: edit.meeting._id,
    ...("participantId" in outcome ? { participantId: outcome.participantId } : { waiting: true as const }),
  };
}

/** Declines an invitation. INVITATION_NOT_FOUND, INVITATION_CLOSED, INVITATION_EXPIRED. */
export async function decline(ctx: CallerCtx, named: Named): Promise<void> {
  const { edit, invitation } = await openInvitation(ctx, named);
  const state = nextInvitationState(stateAt(invitation, Date.now()), "decline");
  await changeInvitation(edit, invitation, "invitation.declined", { state });
  await edit.save();
}

/** The pending invitations to a verified address, the oldest first, with the meetings, which are not over, that they are to. */
export async function listOwn(db: DatabaseReader, address: string | undefined) {
  if (address === undefined) return [];
  const now = Date.now();
  const { page } = await db
    .query("invitations")
    .withIndex("by_address_and_state", (q) => q.eq("address", address).eq("state", "pending"))
    .paginate({ numItems: MAX_OWN_SCANNED, cursor: null, maximumBytesRead: MAX_OWN_SCANNED_BYTES });
  const own = page.filter((one) => one.channel === "email" && stateAt(one, now) === "pending");
  const found = await Promise.all(
    own.map(async (invitation) => ({ invitation, meeting: await db.get("meetings", invitation.meetingId) })),
  );
  return found
    .flatMap(({ invitation, meeting }) =>
      meeting && !isClosed(meeting.state) ? [ownView(invitation, meeting)] : [],
    )
    .slice(0, MAX_OWN_LISTED);
}

function ownView({ _id, meetingId, role, expiresAt }: Invitation, { title, scheduledAt }: Doc<"meetings">) {
  return { _id, meetingId, title, ...(scheduledAt !== undefined && { scheduledAt }), role, expiresAt };
}

/**
 * Makes somebody whose address has just been verified a participant wherever that address is invited. Where they cannot be
 * added, as there is no place, the invitation stays pending. What one transaction does not take is scheduled.
 *
 * @param after Creation time of the last invitation that has been looked at.
 */
export async function acceptAll(
  ctx: MutationCtx,
  user: { _id: Id<"users">; verifiedEmail: string },
  after = 0,
): Promise<void> {
  const { _id: userId, verifiedEmail } = user;
  const pending = await ctx.db
    .query("invitations")
    .withIndex("by_address_and_state", (q) =>
      q.eq("address", verifiedEmail).eq("state", "pending").gt("_creationTime", after),
    )
    .take(ACCEPTED_AT_ONCE);
  for (const invitation of pending) {
    if (invitation.channel === "email") await acceptIfPossible(ctx, invitation, userId);
  }
  const last = pending[ACCEPTED_AT_ONCE - 1];
  if (last) {
    const next = { userId, address: verifiedEmail, after: last._creationTime };
    await ctx.scheduler.runAfter(0, internal.users.sync.acceptMore, next);
  }
}

async function acceptIfPossible(
  ctx: MutationCtx,
  invitation: Invitation,
  userId: Id<"users">,
): Promise<void> {
  const meeting = await ctx.db.get("meetings", invitation.meetingId);
  if (!meeting || isClosed(meeting.state) || stateAt(invitation, Date.now()) !== "pending") return;
  const actor = { kind: "user", id: userId } as const;
  const edit = new MeetingEdit(ctx, meeting, await ensureTenantOf(ctx, meeting), actor);
  const outcome = await addInvited(edit, invitation, userId, "perItem");
  if (outcome.kind === "skipped" && outcome.skipped.code !== "already_waiting") return;
  const state = nextInvitationState("pending", "accept");
  await changeInvitation(edit, invitation, "invitation.accepted", { state, acceptedBy: userId });
  await edit.save();
}

/** Adds a person as the invitation says, or puts them on the waitlist. Whoever is there already stays what they are. */
async function addInvited(
  edit: MeetingEdit,
  { role, data, hideHistory, onFull }: Invitation,
  userId: Id<"users">,
  onProblem: "fail" | "perItem",
): Promise<ItemOutcome> {
  const otherwise = onProblem === "fail" ? "failAll" : "perItem";
  const policy: AddPolicy = {
    onExisting: "return",
    onInvalid: otherwise,
    onFull: onFull === "waitlist" ? "waitlist" : otherwise,
  };
  const entry = { userId, role, ...data, ...(hideHistory && { hideHistory: true }) };
  const [outcome] = await addParticipants(edit, [entry], policy);
  return outcome ?? fail("INTERNAL_ERROR", "Nobody was added");
}

/** The invitation for who may answer it, and its meeting to change. */
async function openInvitation(
  ctx: CallerCtx,
  named: Named,
): Promise<{ edit: MeetingEdit; invitation: Invitation }> {
  const invitation = await findNamed(ctx, named);
  const meeting = invitation && (await ctx.db.get("meetings", invitation.meetingId));
  if (!invitation || !meeting) fail("INVITATION_NOT_FOUND", "There is no such invitation");
  return { edit: await openMeeting(ctx, meeting), invitation };
}

async function findNamed({ db, user }: CallerCtx, { token, invitationId: given }: Named) {
  if (token !== undefined) {
    const tokenHash = await sha256(token);
    return db
      .query("invitations")
      .withIndex("by_token_hash", (q) => q.eq("tokenHash", tokenHash))
      .unique();
  }
  const invitationId = given === undefined ? null : db.normalizeId("invitations", given);
  const invitation = invitationId && (await db.get("invitations", invitationId));
  const isOwn = invitation?.channel === "email" && invitation.address === user.verifiedEmail;
  return isOwn ? invitation : null;
}
