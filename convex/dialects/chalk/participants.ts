import type { Doc, Id } from "../../_generated/dataModel";
import type { ParticipantEntry } from "../../contract/entries";
import { title } from "../../contract/meetings";
import { addParticipants, type ItemOutcome } from "../../model/addParticipants";
import type { MeetingEdit } from "../../model/meetingEdit";
import { startMeeting } from "../../model/meetings";
import { isClosed, nextState } from "../../model/meetingStates";
import { patchParticipants, requireOtherHost } from "../../model/participants";
import { comeIn } from "../../model/presence";
import { removeParticipants } from "../../model/removeParticipants";
import { type Answer, type ChalkCtx, isHost, openRoom, requireHost, tenantIdOf } from "./context";
import { describe, refuse, refuseInput, textOfSkip } from "./errors";
import type { ErrorText } from "./errorTexts";
import { participantGrants, withRefresh } from "./grants";
import {
  findRoom,
  forgetParticipant,
  isRoomName,
  nameRoom,
  requireParticipant,
  requireRoom,
  roomIdOf,
} from "./names";
import type { InputOf } from "./operations";
import { describeParticipants, namesOf } from "./people";
import { insertRoom, statusOf, storedOf, wholeNumber } from "./rooms";
import { allowsEarlyJoin } from "./tenants";
import { MAX_PARTICIPANTS_LISTED, type NewParticipant, newParticipant } from "./wire";

const MINUTE_MS = 60_000;

type Row = Doc<"meetingParticipants">;

/** What has become of a person who was to be added. */
type Outcome = { row: Row } | { error: string };

/** POST /rooms/{id}/participants: a person comes in. */
export async function addParticipant(
  ctx: ChalkCtx,
  { id, ...item }: InputOf<"AddParticipant">,
): Promise<Answer> {
  await requireMayAdd(ctx, item);
  const { edit, isNew } = await openForEntry(ctx, id);
  const [outcome] = await add(ctx, edit, [item]);
  if (!outcome || "error" in outcome) refuse((outcome?.error ?? "participant not found") as ErrorText);
  await edit.save();

  const row = await reread(ctx, outcome.row._id);
  const { meeting, tenant } = edit;
  const roomId = await roomIdOf(ctx, meeting);
  const [grant] = await participantGrants(ctx, meeting, [row]);
  const [participant] = await describeParticipants(ctx, roomId, [row]);
  const forcesRecording = tenant.config.forceRecording === true;
  return {
    body: {
      participant,
      room: { id: roomId, name: meeting.title, status: statusOf(meeting) },
      room_created: isNew,
      tenant_config: {
        transcription_enabled: false,
        first_participant_is_host: tenant.config.firstParticipantIsHost === true,
        force_recording: forcesRecording,
        allow_early_join: allowsEarlyJoin(tenant),
      },
      // Nothing here records, so that nobody else can have begun to.
      should_start_recording: row.role === "host" && forcesRecording,
    },
    grants: grant ? [await withRefresh(ctx, grant, tenant._id, ctx.fresh, row)] : [],
  };
}

/** POST /rooms/{id}/participants/bulk. */
export async function bulkAddParticipants(
  ctx: ChalkCtx,
  { id, participants }: InputOf<"BulkAddParticipants">,
): Promise<Answer> {
  requireHost(ctx);
  const meeting = await requireRoom(ctx, id);
  const given = participants.map((item): unknown => JSON.parse(item));
  const parsed = given.map((item) => newParticipant.safeParse(item));
  const edit = (await mayEnter(ctx, meeting)) ? await openRoom(ctx, meeting, "change") : null;
  if (edit) await startIfScheduled(edit);
  const items = parsed.flatMap(({ data }) => (data ? [data] : []));
  const outcomes: Outcome[] = edit
    ? await add(ctx, edit, items)
    : items.map(() => ({ error: "room is not active" }));
  await edit?.save();

  const rows = outcomes.flatMap((outcome) => ("row" in outcome ? [outcome.row] : []));
  const nextGrant = (edit ? await participantGrants(ctx, edit.meeting, rows) : []).values();
  const nextOutcome = outcomes.values();
  const results = parsed.map(({ data, error }, index) => {
    const outcome: Outcome = data ? (nextOutcome.next().value as Outcome) : { error: describe(error) };
    const names = namedIn(given[index]);
    if ("error" in outcome)
      return { result: { ...names, success: false, error: outcome.error }, grant: null };
    const grant = nextGrant.next().value ?? null;
    return { result: { participant_id: grant?.claims.sub, ...names, success: true }, grant };
  });
  return {
    body: { results: results.map(({ result }) => result) },
    grants: results.map(({ grant }) => grant),
  };
}

/** GET /rooms/{id}/participants. */
export async function listParticipants(
  ctx: ChalkCtx,
  { id, active, limit, cursor }: InputOf<"ListParticipants">,
): Promise<Answer> {
  const meeting = await requireRoom(ctx, id);
  const numItems = wholeNumber(limit, MAX_PARTICIPANTS_LISTED, "limit", MAX_PARTICIPANTS_LISTED);
  const { page, isDone, continueCursor } = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .paginate({ numItems: Math.max(1, numItems), cursor: cursor ?? null });
  const rows = page
    .filter(({ presence }) => active !== "true" || presence !== "left")
    .toSorted((one, other) => one._creationTime - other._creationTime);
  const participants = await describeParticipants(ctx, await roomIdOf(ctx, meeting), rows);
  return { body: { participants, ...(!isDone && { next_cursor: continueCursor }) } };
}

/** GET /rooms/{id}/participants/{pid}. */
export async function getParticipant(ctx: ChalkCtx, { id, pid }: InputOf<"GetParticipant">): Promise<Answer> {
  const { meeting, row } = await requireOwnOrHost(ctx, id, pid);
  return { body: await describeOne(ctx, meeting, row) };
}

/** PATCH /rooms/{id}/participants/{pid}. */
export async function updateParticipant(
  ctx: ChalkCtx,
  { id, pid, display_name: displayName, role }: InputOf<"UpdateParticipant">,
): Promise<Answer> {
  const { meeting, row } = await requireOwnOrHost(ctx, id, pid);
  if (role !== undefined && !isHost(ctx.caller)) refuse("participants cannot update their own role");
  const edit = await openRoom(ctx, meeting, "change");
  if (row.role === "host" && role !== undefined && role !== "host") {
    await requireOtherHost(ctx.db, meeting._id, [row]);
  }
  const fields = { ...(displayName !== undefined && { displayName }), ...(role !== undefined && { role }) };
  edit.event("participants.updated", await patchParticipants(edit, [{ row, fields }]));
  await edit.save();
  return { body: await describeOne(ctx, meeting, await reread(ctx, row._id)) };
}

/** DELETE /rooms/{id}/participants/{pid}. */
export async function removeParticipant(
  ctx: ChalkCtx,
  { id, pid }: InputOf<"RemoveParticipant">,
): Promise<Answer> {
  requireHost(ctx);
  const meeting = await requireRoom(ctx, id);
  const row = await requireParticipant(ctx, meeting, pid);
  const edit = await openRoom(ctx, meeting, "change");
  await removeParticipants(edit, [row]);
  await forgetParticipant(ctx, row);
  await edit.save();
  return {};
}

/** POST /rooms/{id}/participants/{pid}/token. */
export async function refreshParticipantToken(
  ctx: ChalkCtx,
  { id, pid }: InputOf<"RefreshParticipantToken">,
): Promise<Answer> {
  requireHost(ctx);
  const meeting = await requireRoom(ctx, id);
  const row = await requireParticipant(ctx, meeting, pid);
  nextState(meeting.state, "join");
  const [grant] = await participantGrants(ctx, meeting, [row]);
  return {
    body: {},
    grants: grant ? [await withRefresh(ctx, grant, tenantIdOf(ctx.caller), ctx.fresh, row)] : [],
  };
}

/** Who is no host gets tokens for a newcomer or for themselves: not for somebody else, and not for a host. */
async function requireMayAdd(
  ctx: ChalkCtx,
  { role, external_user_id: externalUserId }: NewParticipant,
): Promise<void> {
  if (isHost(ctx.caller)) return;
  if (role !== undefined && role !== "participant") refuse("host role required");
  if (externalUserId === undefined) return;
  const [own] = ctx.caller.kind === "participant" ? await namesOf(ctx, [ctx.caller.row]) : [];
  if (own?.externalUserId !== externalUserId) refuse("host role required");
}

/** The room for somebody to come in, which may be made or opened by that. */
async function openForEntry(ctx: ChalkCtx, id: string): Promise<{ edit: MeetingEdit; isNew: boolean }> {
  const found = await findRoom(ctx, id);
  const isOver = found === null || isClosed(found.state);
  if (isOver && ctx.caller.kind === "tenant" && isRoomName(ctx, id)) {
    const tenant = await ctx.db.get("tenants", ctx.caller.principal.tenantId);
    if (tenant && allowsEarlyJoin(tenant)) {
      const { data: name, error } = title.safeParse(id);
      if (error) refuseInput(`room name: ${describe(error)}`);
      const edit = await insertRoom(ctx, { name });
      await startMeeting(edit);
      await nameRoom(ctx, edit.meeting._id, id);
      return { edit, isNew: true };
    }
  }
  if (found === null) refuse("room not found");
  if (!(await mayEnter(ctx, found))) refuse("room is not active");
  const edit = await openRoom(ctx, found, "change");
  await startIfScheduled(edit);
  return { edit, isNew: false };
}

/** Is the room open, or about to be opened by who comes early? */
async function mayEnter(ctx: ChalkCtx, meeting: Doc<"meetings">): Promise<boolean> {
  const { state, scheduledAt, tenantId } = meeting;
  if (state !== "scheduled") return state === "active";
  const [stored, tenant] = await Promise.all([
    storedOf(ctx, meeting),
    tenantId ? ctx.db.get("tenants", tenantId) : null,
  ]);
  const earlyMs = Math.max((stored?.allowEarlyJoinMinutes ?? 0) * MINUTE_MS, tenant?.config.earlyJoinMs ?? 0);
  return scheduledAt !== undefined && scheduledAt - Date.now() <= earlyMs;
}

async function startIfScheduled(edit: MeetingEdit): Promise<void> {
  if (edit.meeting.state === "scheduled") await startMeeting(edit);
}

/** Adds people, who are there from then on. The edit is to be saved; presence and times of the rows are those before. */
async function add(ctx: ChalkCtx, edit: MeetingEdit, items: readonly NewParticipant[]): Promise<Outcome[]> {
  const { duplicatePolicy = "return" } = edit.tenant.config;
  const entries = await Promise.all(items.map((item) => entryOf(edit, item)));
  const outcomes = await addParticipants(edit, entries, {
    onExisting: duplicatePolicy,
    onInvalid: "perItem",
    onFull: "perItem",
  });
  await Promise.all(
    outcomes.map((outcome, index) => forgetUnused(edit, outcome, items[index], entries[index])),
  );
  const rows = new Map(
    await Promise.all(
      [...new Set(outcomes.flatMap(participantOf))].map(
        async (_id) => [_id, await reread(ctx, _id)] as const,
      ),
    ),
  );
  await comeIn(edit, [...rows.values()]);
  const idOf = new Map<string, Id<"meetingParticipants">>();
  return outcomes.map((outcome, index) => {
    const externalId = items[index]?.external_user_id;
    const isRepeated = outcome.kind === "skipped" && outcome.skipped.code === "duplicate";
    // Who is named twice is there already when they are named again.
    const [participantId] = isRepeated ? [idOf.get(externalId ?? "")] : participantOf(outcome);
    const row = participantId && rows.get(participantId);
    if (row && externalId !== undefined) idOf.set(externalId, row._id);
    return row
      ? { row }
      : { error: outcome.kind === "skipped" ? textOfSkip[outcome.skipped.code] : "room is full" };
  });
}

/** How the core is told of a person; one without an external id is a new guest. */
async function entryOf({ ctx, tenant }: MeetingEdit, item: NewParticipant): Promise<ParticipantEntry> {
  const { display_name: displayName, external_user_id: externalId, role, metadata } = item;
  const person =
    externalId === undefined
      ? { guestId: await ctx.db.insert("guests", { tenantId: tenant._id, displayName }) }
      : { externalId };
  return {
    ...person,
    displayName,
    ...(role !== undefined && { role }),
    ...(metadata && { attributes: metadata }),
  };
}

/** Nobody would find the guest again. */
async function forgetUnused(
  { ctx }: MeetingEdit,
  outcome: ItemOutcome,
  item: NewParticipant | undefined,
  entry: ParticipantEntry | undefined,
): Promise<void> {
  if (outcome.kind !== "skipped" || item?.external_user_id !== undefined) return;
  if (entry?.guestId) await ctx.db.delete("guests", entry.guestId);
}

function participantOf(outcome: ItemOutcome): Id<"meetingParticipants">[] {
  return "participantId" in outcome ? [outcome.participantId] : [];
}

async function requireOwnOrHost(ctx: ChalkCtx, id: string, pid: string) {
  const meeting = await requireRoom(ctx, id);
  const row = await requireParticipant(ctx, meeting, pid);
  const isOwn = ctx.caller.kind === "participant" && ctx.caller.row._id === row._id;
  if (!isOwn && !isHost(ctx.caller)) refuse("forbidden");
  return { meeting, row };
}

async function describeOne(
  ctx: ChalkCtx,
  meeting: Doc<"meetings">,
  row: Row,
): Promise<Record<string, unknown>> {
  const [participant] = await describeParticipants(ctx, await roomIdOf(ctx, meeting), [row]);
  return { ...participant };
}

async function reread({ db }: ChalkCtx, participantId: Id<"meetingParticipants">): Promise<Row> {
  return (await db.get("meetingParticipants", participantId)) as Row;
}

/** The names that an entry of a bulk request gives, whatever they are worth. */
function namedIn(item: unknown): { external_user_id?: string; display_name?: string } {
  const { external_user_id: externalUserId, display_name: displayName } = Object(item) as Record<
    string,
    unknown
  >;
  return {
    ...(typeof externalUserId === "string" && { external_user_id: externalUserId }),
    ...(typeof displayName === "string" && { display_name: displayName }),
  };
}
