import type { WithoutSystemFields } from "convex/server";
import type { Doc } from "../../_generated/dataModel";
import { openAsTenant } from "../../model/access";
import { once } from "../../model/idempotency";
import { livekitSettings } from "../../model/mediaSync";
import { cancelMeeting, endMeeting, insertMeeting, startMeeting } from "../../model/meetings";
import type { MeetingEdit } from "../../model/meetingEdit";
import { takeTenantToken } from "../../model/rateLimit";
import type { Answer, ChimeCtx } from "./context";
import { refuse } from "./errors";
import { meetingIdOf, requireMeeting } from "./names";
import type { InputOf } from "./operations";
import { maxAttendees, type Meeting, type TranscriptionConfiguration } from "./wire";

type NewMeeting = InputOf<"CreateMeeting">;

/** CreateMeeting: a meeting that is active at once. ConflictException, LimitExceededException. */
export function createMeeting(ctx: ChimeCtx, input: NewMeeting): Promise<Answer> {
  return oncePerToken(ctx, input, async () => {
    const edit = await openNewMeeting(ctx, input);
    await edit.save();
    return { body: { Meeting: await describeMeeting(ctx, edit.meeting) } };
  });
}

/** Runs a request to make a meeting once for its ClientRequestToken. ConflictException if the token is another's. */
export function oncePerToken(ctx: ChimeCtx, input: NewMeeting, run: () => Promise<Answer>): Promise<Answer> {
  const scope = `chime ${ctx.principal.tenantId} CreateMeeting`;
  return once(ctx, { scope, key: input.ClientRequestToken, args: input }, run);
}

/** Makes a meeting and starts it. The edit is to be saved. */
export async function openNewMeeting(ctx: ChimeCtx, input: NewMeeting): Promise<MeetingEdit> {
  const { ExternalMeetingId, MediaRegion, MeetingHostId, MeetingFeatures, TenantIds, Tags } = input;
  if (input.PrimaryMeetingId !== undefined) {
    refuse("BadRequestException", "PrimaryMeetingId: The media of a meeting cannot be replicated here");
  }
  const tenant = (await ctx.db.get("tenants", ctx.principal.tenantId)) as Doc<"tenants">;
  await takeTenantToken(ctx, tenant);
  const actor = { kind: "accessKey", id: ctx.principal.accessKeyId } as const;
  const edit = await insertMeeting(ctx, tenant, actor, {
    title: ExternalMeetingId,
    maxParticipants: maxAttendees(MeetingFeatures),
  });
  await startMeeting(edit);
  await ctx.db.insert("chimeMeetings", {
    meetingId: edit.meeting._id,
    details: {
      ExternalMeetingId,
      MediaRegion,
      ...(MeetingHostId !== undefined && { MeetingHostId }),
      ...(MeetingFeatures && { MeetingFeatures }),
      ...(TenantIds && { TenantIds }),
    },
    ...(Tags && { tags: Tags }),
  });
  return edit;
}

/** GetMeeting. NotFoundException. */
export async function getMeeting(ctx: ChimeCtx, { MeetingId }: InputOf<"GetMeeting">): Promise<Answer> {
  return { body: { Meeting: await describeMeeting(ctx, await requireMeeting(ctx, MeetingId)) } };
}

/** DeleteMeeting: it is over. NotFoundException. */
export async function deleteMeeting(ctx: ChimeCtx, { MeetingId }: InputOf<"DeleteMeeting">): Promise<Answer> {
  const { _id, state } = await requireMeeting(ctx, MeetingId);
  const isActive = state === "active";
  const edit = await openAsTenant(ctx, ctx.principal, _id, isActive ? "end" : "cancel");
  if (isActive) await endMeeting(edit);
  else cancelMeeting(edit);
  await edit.save();
  return {};
}

/** What was said of a meeting over this wire; null if nothing was. */
export function findDetails(ctx: ChimeCtx, meeting: Doc<"meetings">): Promise<Doc<"chimeMeetings"> | null> {
  return ctx.db
    .query("chimeMeetings")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meeting._id))
    .unique();
}

/** Keeps something that was said of a meeting over this wire; `undefined` forgets it. */
export async function keepDetails(
  ctx: ChimeCtx,
  meeting: Doc<"meetings">,
  changes: Pick<Doc<"chimeMeetings">, "tags"> | { transcription: TranscriptionConfiguration | undefined },
): Promise<void> {
  const found = await findDetails(ctx, meeting);
  if (found) await ctx.db.patch("chimeMeetings", found._id, changes);
  else await ctx.db.insert("chimeMeetings", { meetingId: meeting._id, ...changes } as NewDetails);
}

type NewDetails = WithoutSystemFields<Doc<"chimeMeetings">>;

/** A meeting in the words of this wire. */
export async function describeMeeting(ctx: ChimeCtx, meeting: Doc<"meetings">): Promise<Meeting> {
  const [found, MeetingId] = await Promise.all([findDetails(ctx, meeting), meetingIdOf(ctx, meeting)]);
  const url = livekitSettings()?.url;
  return {
    MeetingId,
    ...found?.details,
    MediaPlacement: url === undefined ? {} : { AudioHostUrl: url, AudioFallbackUrl: url, SignalingUrl: url },
    MeetingArn: `${ARN_OF_MEETINGS}${MeetingId}`,
  };
}

/** Meetings belong to no region and no AWS account. */
export const ARN_OF_MEETINGS = "arn:aws:chime:::meeting/";
