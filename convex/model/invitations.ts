/** Invitations as hosts make them. What the invited answer is in `invitationAnswers.ts`. */
import { omit } from "convex-helpers";
import type { PaginationOptions } from "convex/server";
import type * as z from "zod";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { EventType } from "../contract/events";
import {
  type Channel,
  DEFAULT_EXPIRY_MS,
  type InvitationEntry,
  type InvitationState,
  type InviteResult,
  type InviteSkipCode,
  inviteSkipReasons,
  MAX_PENDING,
} from "../contract/invitations";
import type { inviteParticipants } from "../contract/meetingsInvitations";
import { openAsSystem } from "./access";
import { addParticipants, dataOf } from "./addParticipants";
import { bannedPeople } from "./bans";
import { fail } from "./errors";
import { nextInvitationState, stateAt } from "./invitationStates";
import type { MeetingEdit, Patch } from "./meetingEdit";
import { enqueue } from "./outbox";
import { findParticipant } from "./participants";
import { findPeople, type Person } from "./people";
import { takeMessages } from "./rateLimit";

type Invitation = Doc<"invitations">;
type Args = z.output<typeof inviteParticipants.args>;

const RESEND_PAUSE_MS = 60_000;

/** Where an entry is to be reached. E-mail addresses are compared in lower case. */
function destinationOf(entry: InvitationEntry): { channel: Channel; address: string } {
  if (entry.email !== undefined) return { channel: "email", address: entry.email.toLowerCase() };
  if (entry.phone !== undefined) return { channel: "phone", address: entry.phone };
  if (entry.sip !== undefined) return { channel: "sip", address: entry.sip };
  return { channel: "sms", address: entry.sms ?? "" };
}

type Decision =
  | { kind: "invite"; entry: InvitationEntry }
  | { kind: "add"; entry: InvitationEntry; userId: Id<"users"> }
  | { kind: "skip"; code: InviteSkipCode };

/** Invites people, or adds those who are users where the request wants that; says what has become of each. RATE_LIMITED. */
export async function invite(edit: MeetingEdit, args: Args, by: Id<"users">): Promise<InviteResult[]> {
  const decisions = await decide(edit, args);
  const invited = decisions.flatMap((decision) => (decision.kind === "invite" ? [decision.entry] : []));
  const ids = (await insertInvitations(edit, invited, args, by)).values();
  const added = (await addKnown(edit, decisions, args)).values();
  return decisions.map((decision): InviteResult => {
    switch (decision.kind) {
      case "invite":
        return { status: "invited", invitationId: ids.next().value as Id<"invitations"> };
      case "add":
        return added.next().value as InviteResult;
      case "skip":
        return skipped(decision.code);
    }
  });
}

function skipped(code: InviteSkipCode): InviteResult {
  return { status: "skipped", code, reason: inviteSkipReasons[code] };
}

async function decide(edit: MeetingEdit, { invitations, onKnown }: Args): Promise<Decision[]> {
  const { ctx, meeting, tenant } = edit;
  const destinations = invitations.map(destinationOf);
  const [people, banned, pending] = await Promise.all([
    findPeople(
      ctx.db,
      tenant._id,
      invitations.map(({ email }) => (email === undefined ? {} : { email })),
    ),
    bannedPeople(ctx.db, meeting),
    Promise.all(destinations.map((to) => findPending(ctx.db, meeting._id, to))),
  ]);
  const present = await Promise.all(people.map((person) => isPresent(edit, person)));
  let left = MAX_PENDING - (meeting.invitationCount ?? 0);
  const seen = new Set<string>();

  return invitations.map((entry, index): Decision => {
    const person = people[index];
    const destination = JSON.stringify(destinations[index]);
    if (seen.has(destination)) return { kind: "skip", code: "duplicate" };
    seen.add(destination);
    if (person?.kind === "user") {
      if (onKnown === "add") return { kind: "add", entry, userId: person.user._id };
      if (!person.user.isActive) return { kind: "skip", code: "user_inactive" };
    }
    if (person && person.kind !== "unknown" && banned.has(person.key))
      return { kind: "skip", code: "banned" };
    if (present[index]) return { kind: "skip", code: "already_participant" };
    if (pending[index]) return { kind: "skip", code: "already_invited" };
    if (left <= 0) return { kind: "skip", code: "too_many_invitations" };
    left -= 1;
    return { kind: "invite", entry };
  });
}

async function isPresent({ ctx, meeting }: MeetingEdit, person: Person): Promise<boolean> {
  if (person.kind !== "user" && person.kind !== "guest") return false;
  const row = await findParticipant(ctx.db, meeting._id, person.ref);
  return row !== null && row.presence !== "left";
}

/** The invitation of a meeting to an address that can still be accepted, or lapses with the next run of the cron. */
async function findPending(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  { channel, address }: { channel: Channel; address: string },
): Promise<Invitation | undefined> {
  const pending = await db
    .query("invitations")
    .withIndex("by_meeting_and_state_and_address", (q) =>
      q.eq("meetingId", meetingId).eq("state", "pending").eq("address", address),
    )
    .collect(); // One a channel at most, and those that have just expired.
  return pending.find((one) => one.channel === channel && stateAt(one, Date.now()) === "pending");
}

async function insertInvitations(
  edit: MeetingEdit,
  entries: readonly InvitationEntry[],
  { onFull = "fail", expiresInMs = DEFAULT_EXPIRY_MS }: Args,
  invitedBy: Id<"users">,
): Promise<Id<"invitations">[]> {
  if (entries.length === 0) return [];
  const { ctx, meeting } = edit;
  await takeMessages(ctx, edit.tenant, entries.length);
  const now = Date.now();
  const rows = entries.map((entry) => ({
    meetingId: meeting._id,
    ...destinationOf(entry),
    terminalType: entry.terminalType ?? ("normal" as const),
    role: entry.role ?? ("participant" as const),
    data: dataOf(entry),
    ...(entry.hideHistory && { hideHistory: true }),
    onFull,
    state: "pending" as const,
    expiresAt: now + expiresInMs,
    sentAt: now,
    invitedBy,
  }));
  const ids = await Promise.all(rows.map((row) => ctx.db.insert("invitations", row)));
  await enqueue(
    ctx,
    rows.map(({ channel, address: to }, index) => ({
      invitationId: ids[index] as Id<"invitations">,
      channel,
      to,
      subject: `Invitation: ${meeting.title}`,
    })),
  );
  edit.set({ invitationCount: (meeting.invitationCount ?? 0) + ids.length });
  edit.event(
    "invitation.created",
    // Without the address: events leave the house.
    rows.map(({ channel, terminalType, role, expiresAt }, index) => ({
      subject: ids[index] as string,
      after: { channel, terminalType, role, expiresAt },
    })),
  );
  return ids;
}

async function addKnown(
  edit: MeetingEdit,
  decisions: readonly Decision[],
  { onFull }: Args,
): Promise<InviteResult[]> {
  const known = decisions.flatMap((decision) => (decision.kind === "add" ? [decision] : []));
  if (known.length === 0) return [];
  const outcomes = await addParticipants(
    edit,
    known.map(({ userId, entry }) => ({
      userId,
      ...(entry.role && { role: entry.role }),
      ...dataOf(entry),
      ...(entry.hideHistory && { hideHistory: true }),
    })),
    { onExisting: "skip", onInvalid: "perItem", onFull: onFull === "waitlist" ? "waitlist" : "perItem" },
  );
  return outcomes.map((outcome): InviteResult => {
    switch (outcome.kind) {
      case "waitlisted":
        return { status: "waitlisted", waitlistId: outcome.waitlistId };
      case "skipped":
        return skipped(outcome.skipped.code);
      default:
        return { status: "added", participantId: outcome.participantId };
    }
  });
}

/** An invitation of the meeting; INVITATION_NOT_FOUND. */
export async function requireInvitation(edit: MeetingEdit, given: string): Promise<Invitation> {
  const { db } = edit.ctx;
  const invitationId = db.normalizeId("invitations", given);
  const invitation = invitationId && (await db.get("invitations", invitationId));
  if (invitation?.meetingId !== edit.meeting._id) {
    fail("INVITATION_NOT_FOUND", "There is no such invitation");
  }
  return invitation as Invitation;
}

/**
 * Sends an invitation again with a new link and a new time. INVITATION_CLOSED, ALREADY_INVITED (by another one),
 * TOO_MANY_INVITATIONS, RATE_LIMITED (once a minute).
 */
export async function resend(edit: MeetingEdit, invitation: Invitation): Promise<void> {
  const now = Date.now();
  const state = nextInvitationState(stateAt(invitation, now), "resend");
  const { _id, channel, address: to, sentAt } = invitation;
  const other = await findPending(edit.ctx.db, edit.meeting._id, { channel, address: to });
  if (other && other._id !== _id) fail("ALREADY_INVITED", "Another invitation to this address is pending");
  if (invitation.state !== "pending" && (edit.meeting.invitationCount ?? 0) >= MAX_PENDING) {
    fail("TOO_MANY_INVITATIONS", inviteSkipReasons.too_many_invitations);
  }
  const retryAfterMs = sentAt + RESEND_PAUSE_MS - now;
  if (retryAfterMs > 0) {
    fail("RATE_LIMITED", `Too many messages: try again in ${retryAfterMs} ms`, { retryAfterMs });
  }
  await takeMessages(edit.ctx, edit.tenant, 1);
  const expiresAt = now + (invitation.expiresAt - sentAt);
  await changeInvitation(edit, invitation, "invitation.resent", {
    state,
    expiresAt,
    sentAt: now,
    tokenHash: undefined,
  });
  await enqueue(edit.ctx, [{ invitationId: _id, channel, to, subject: `Invitation: ${edit.meeting.title}` }]);
}

/** Takes an invitation back. INVITATION_CLOSED, INVITATION_EXPIRED. */
export async function revoke(edit: MeetingEdit, invitation: Invitation): Promise<void> {
  const state = nextInvitationState(stateAt(invitation, Date.now()), "revoke");
  await changeInvitation(edit, invitation, "invitation.revoked", { state });
}

/** A page of the invitations to a meeting. */
export async function listInvitationsOf(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  state: InvitationState | undefined,
  paginationOpts: PaginationOptions,
) {
  const result = await db
    .query("invitations")
    .withIndex("by_meeting_and_state_and_address", (q) => {
      const ofMeeting = q.eq("meetingId", meetingId);
      return state === undefined ? ofMeeting : ofMeeting.eq("state", state);
    })
    .paginate(paginationOpts);
  return { ...result, page: result.page.map((row) => omit(row, ["tokenHash", "messageId"])) };
}

/**
 * Lets pending invitations expire whose time is over, the first to expire first.
 *
 * @returns how many have expired, at most `limit`.
 */
export async function expireInvitations(ctx: MutationCtx, limit: number): Promise<number> {
  const due = await ctx.db
    .query("invitations")
    .withIndex("by_state_and_expires_at", (q) => q.eq("state", "pending").lte("expiresAt", Date.now()))
    .take(limit);
  // One after the other, since two of them may need the same tenant to be made.
  for (const meetingId of new Set(due.map((invitation) => invitation.meetingId))) {
    const meeting = await ctx.db.get("meetings", meetingId);
    if (!meeting) continue;
    const edit = await openAsSystem(ctx, meeting);
    for (const invitation of due.filter((one) => one.meetingId === meetingId)) {
      const state = nextInvitationState(invitation.state, "expire");
      await changeInvitation(edit, invitation, "invitation.expired", { state });
    }
    await edit.save();
  }
  return due.length;
}

/** Changes an invitation, keeps count of those that are pending, and notes what has happened. */
export async function changeInvitation(
  edit: MeetingEdit,
  invitation: Invitation,
  type: EventType,
  fields: Patch<Invitation> & { state: InvitationState },
): Promise<void> {
  const { _id, state: before } = invitation;
  await edit.ctx.db.patch("invitations", _id, fields);
  const difference = Number(fields.state === "pending") - Number(before === "pending");
  if (difference !== 0) edit.set({ invitationCount: (edit.meeting.invitationCount ?? 0) + difference });
  edit.event(type, [{ subject: _id, before: { state: before }, after: { state: fields.state } }]);
}
