import type { Doc } from "../../_generated/dataModel";
import type { SkippedEntry } from "../../contract/entries";
import { openAsTenant } from "../../model/access";
import { addParticipants, type ItemOutcome } from "../../model/addParticipants";
import type { MeetingEdit } from "../../model/meetingEdit";
import { removeParticipants } from "../../model/removeParticipants";
import { capabilitiesProblem, defaultCapabilities, toCore, wireCapabilities } from "./capabilities";
import type { Answer, Bearers, ChimeCtx } from "./context";
import { exceptionOfSkip, refuse, shortName, type Exception } from "./errors";
import { findDetails } from "./meetings";
import {
  attendeeIdsOf,
  externalUserIdsOf,
  forgetAttendee,
  namedBy,
  requireAttendee,
  requireMeeting,
} from "./names";
import type { InputOf } from "./operations";
import type { Attendee, AttendeeItem, MeetingFeatures } from "./wire";

type Row = Doc<"meetingParticipants">;

const MAX_PAGE = 100;

/** CreateAttendee. Who is there already is given back as they are. */
export async function createAttendee(ctx: ChimeCtx, input: InputOf<"CreateAttendee">): Promise<Answer> {
  const { edit, features } = await open(ctx, input.MeetingId);
  const [outcome] = (await add(ctx, edit, features, [input])) as [Outcome];
  await edit.save();
  if ("exception" in outcome) return refuse(outcome.exception, outcome.message);
  const described = await describeAttendees(ctx, edit.meeting, [outcome.row]);
  return { body: { Attendee: described.attendees[0] }, bearers: described.bearers };
}

/** BatchCreateAttendee. */
export async function batchCreateAttendee(
  ctx: ChimeCtx,
  input: InputOf<"BatchCreateAttendee">,
): Promise<Answer> {
  const { edit, features } = await open(ctx, input.MeetingId);
  const answer = await addAttendees(ctx, edit, features, input.Attendees);
  await edit.save();
  return answer;
}

/** Adds people, and says who was added and who was not. The edit is to be saved. */
export async function addAttendees(
  ctx: ChimeCtx,
  edit: MeetingEdit,
  features: MeetingFeatures | undefined,
  items: readonly AttendeeItem[],
): Promise<Answer> {
  const outcomes = await add(ctx, edit, features, items);
  const { attendees, bearers } = await describeAttendees(
    ctx,
    edit.meeting,
    outcomes.flatMap((outcome) => ("row" in outcome ? [outcome.row] : [])),
  );
  const Errors = outcomes.flatMap((outcome, index) =>
    "row" in outcome
      ? []
      : [
          {
            ExternalUserId: items[index]?.ExternalUserId ?? "",
            ErrorCode: shortName(outcome.exception),
            ErrorMessage: outcome.message,
          },
        ],
  );
  return { body: { Attendees: attendees, Errors }, bearers };
}

/** ListAttendees. */
export async function listAttendees(ctx: ChimeCtx, input: InputOf<"ListAttendees">): Promise<Answer> {
  const meeting = await requireMeeting(ctx, input.MeetingId);
  const { page, isDone, continueCursor } = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .paginate({
      numItems: Number(input["max-results"] ?? MAX_PAGE),
      cursor: input["next-token"] ?? null,
    });
  const { attendees, bearers } = await describeAttendees(ctx, meeting, page);
  return { body: { Attendees: attendees, ...(!isDone && { NextToken: continueCursor }) }, bearers };
}

/** GetAttendee. */
export async function getAttendee(ctx: ChimeCtx, input: InputOf<"GetAttendee">): Promise<Answer> {
  const meeting = await requireMeeting(ctx, input.MeetingId);
  const { attendees, bearers } = await describeAttendees(ctx, meeting, [
    await requireAttendee(ctx, meeting, input.AttendeeId),
  ]);
  return { body: { Attendee: attendees[0] }, bearers };
}

/** DeleteAttendee. */
export async function deleteAttendee(ctx: ChimeCtx, input: InputOf<"DeleteAttendee">): Promise<Answer> {
  const { edit } = await open(ctx, input.MeetingId);
  const row = await requireAttendee(ctx, edit.meeting, input.AttendeeId);
  await removeParticipants(edit, [row]);
  await forgetAttendee(ctx, row);
  await edit.save();
  return {};
}

/** People in the words of this wire, and whom their join tokens are to be for. */
export async function describeAttendees(
  ctx: ChimeCtx,
  { _id: meetingId }: Doc<"meetings">,
  rows: readonly Row[],
): Promise<{ attendees: Attendee[]; bearers: Bearers }> {
  const attendeeIds = await attendeeIdsOf(ctx, rows);
  const externalUserIds = await externalUserIdsOf(ctx, rows);
  return {
    attendees: rows.map((row, index) => ({
      ExternalUserId: externalUserIds[index] as string,
      AttendeeId: attendeeIds[index] as string,
      Capabilities: wireCapabilities(row),
    })),
    bearers: { meetingId, participantIds: rows.map(({ _id }) => _id) },
  };
}

/** A meeting in which something is to be changed. NotFoundException. */
export async function open(
  ctx: ChimeCtx,
  meetingId: string,
): Promise<{ edit: MeetingEdit; features: MeetingFeatures | undefined }> {
  const meeting = await requireMeeting(ctx, meetingId);
  const [edit, found] = await Promise.all([
    openAsTenant(ctx, ctx.principal, meeting._id, "change"),
    findDetails(ctx, meeting),
  ]);
  return { edit, features: found?.details?.MeetingFeatures };
}

type Outcome = { row: Row } | { exception: Exception; message: string };

/** What becomes of each item, in their order. Whoever is named twice is added once, as the first item says. */
async function add(
  ctx: ChimeCtx,
  edit: MeetingEdit,
  features: MeetingFeatures | undefined,
  items: readonly AttendeeItem[],
): Promise<Outcome[]> {
  const refused = new Map<string, Outcome>();
  const wanted = new Map<string, AttendeeItem>();
  const problems = items.map(
    ({ Capabilities }) => Capabilities && capabilitiesProblem(Capabilities, features),
  );
  for (const [index, item] of items.entries()) {
    const message = problems[index];
    if (message) refused.set(keyOf(item), { exception: "BadRequestException", message });
    else if (!wanted.has(item.ExternalUserId)) wanted.set(item.ExternalUserId, item);
  }
  const entries = await Promise.all(
    Array.from(wanted.values(), async ({ ExternalUserId, Capabilities }) => {
      const capabilities = Capabilities ? toCore(Capabilities) : defaultCapabilities(features);
      return { ...(await namedBy(ctx, ExternalUserId)), ...(capabilities && { capabilities }) };
    }),
  );
  const policy = { onExisting: "return", onInvalid: "perItem", onFull: "perItem" } as const;
  const outcomes = await addParticipants(edit, entries, policy);
  const rows = await Promise.all(outcomes.map((outcome) => rowOf(ctx, outcome)));
  const byName = new Map(Array.from(wanted.keys(), (name, index) => [name, rows[index] as Outcome]));
  return items.map((item) => (refused.get(keyOf(item)) ?? byName.get(item.ExternalUserId)) as Outcome);
}

/** Items of one key fare alike. */
function keyOf(item: AttendeeItem): string {
  return JSON.stringify(item);
}

async function rowOf(ctx: ChimeCtx, outcome: ItemOutcome): Promise<Outcome> {
  if (outcome.kind === "skipped") return refusalOfSkip(outcome.skipped);
  if (outcome.kind === "waitlisted") throw new Error("Nobody is put on a waitlist here");
  return { row: (await ctx.db.get("meetingParticipants", outcome.participantId)) as Row };
}

function refusalOfSkip({ code, reason }: SkippedEntry): Outcome {
  return { exception: exceptionOfSkip[code], message: reason };
}
