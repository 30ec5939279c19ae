/** Meetings, as this wire knows them: conferences with an id of nine digits and passwords. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import { MAX_DURATION_MS, type MeetingState } from "../../contract/meetings";
import { openAsTenant, requireOwnMeeting } from "../../model/access";
import type { Principal } from "../../model/accessKeys";
import { fail } from "../../model/errors";
import type { MeetingEdit } from "../../model/meetingEdit";
import { cancelMeeting, endMeeting, insertMeeting, startMeeting } from "../../model/meetings";
import { takeTenantToken } from "../../model/rateLimit";
import { sameSecret } from "../../model/secrets";
import { updateMeeting } from "../../model/updateMeeting";
import { inviteAttendees, pageOfPeople, partAttendees, participantInfo, rowsOf } from "./attendees";
import { refuse } from "./errors";
import { guestPassword, guestPasswordHash, hostPassword } from "./passwords";
import type { Parsed } from "./operations";
import {
  type ConferenceInfo,
  type ConferenceRequest,
  type ConferenceSettings,
  formatTime,
  parseTime,
} from "./wire";

type Meeting = Doc<"meetings">;

/** A meeting and what it is called here. */
export interface Conference {
  meeting: Meeting & { tenantId: Id<"tenants"> };
  row: Doc<"huaweiConferences">;
}

const MINUTE_MS = 60_000;
const DEFAULT_SUBJECT = "Meeting";
/** What 0 concurrent participants stand for: the most places that a meeting can have. */
const UNLIMITED = 100_000;
const DEFAULT_LIMIT = 20;
/** How many meetings of each state a search looks at, the newest first. */
const MAX_SEARCHED = 1000;

const conferenceStates = {
  scheduled: "Schedule",
  active: "Created",
  concluded: "Destroyed",
  cancelled: "Destroyed",
} as const;

/** Makes a meeting, which is on at once if no time is planned. */
export async function createConference(
  ctx: MutationCtx,
  principal: Principal,
  { body }: Parsed<"CreateMeeting">,
): Promise<ConferenceInfo[]> {
  const { startTime, attendees = [] } = body;
  const tenant = await ctx.db.get("tenants", principal.tenantId);
  if (!tenant) throw new Error(`Access key ${principal.accessKeyId}: no tenant ${principal.tenantId}`);
  await takeTenantToken(ctx, tenant);
  const edit = await insertMeeting(
    ctx,
    tenant,
    { kind: "accessKey", id: principal.accessKeyId },
    {
      title: DEFAULT_SUBJECT,
      ...(startTime !== undefined && { scheduledAt: scheduledTime(startTime) }),
      ...meetingFieldsOf(body),
    },
  );
  const row = await insertConference(ctx, edit.meeting._id, principal.tenantId, settingsOf(body));
  const chosen = await chooseGuestPassword(ctx, row, body);
  await inviteAttendees(edit, attendees);
  if (startTime === undefined) await startMeeting(edit);
  await edit.save();
  const info = await describe({ meeting: ownMeeting(edit.meeting), row }, chosen);
  return [{ ...info, ...(attendees.length > 0 && { partAttendeeInfo: partAttendees(attendees) }) }];
}

/** Changes a meeting that is not over. */
export async function editConference(
  ctx: MutationCtx,
  principal: Principal,
  { query, body }: Parsed<"UpdateMeeting">,
): Promise<ConferenceInfo[]> {
  const conference = await requireConference(ctx, principal.tenantId, query.conferenceID);
  const edit = await openAsTenant(ctx, principal, conference.meeting._id, "change");
  const { startTime, attendees = [], confConfigInfo } = body;
  // A time that stays as it is may be past.
  const keepsTime = startTime !== undefined && startTime === formatTime(timeOf(edit.meeting));
  await updateMeeting(edit, {
    ...(startTime !== undefined && !keepsTime && { scheduledAt: scheduledTime(startTime) }),
    ...meetingFieldsOf(body),
  });
  await inviteAttendees(edit, attendees);
  await edit.save();
  const settings = {
    ...conference.row.settings,
    ...settingsOf(body),
    ...(confConfigInfo && {
      confConfigInfo: { ...conference.row.settings.confConfigInfo, ...settingsOf(body).confConfigInfo },
    }),
  };
  await ctx.db.patch("huaweiConferences", conference.row._id, { settings });
  const row = { ...conference.row, settings };
  const chosen = await chooseGuestPassword(ctx, row, body);
  return [await describe({ meeting: ownMeeting(edit.meeting), row }, chosen)];
}

/** Cancels a scheduled meeting, or ends one that is on. */
export async function cancelConference(
  ctx: MutationCtx,
  principal: Principal,
  { query }: Parsed<"CancelMeeting">,
): Promise<void> {
  const { meeting } = await requireConference(ctx, principal.tenantId, query.conferenceID);
  const edit = await openAsTenant(ctx, principal, meeting._id, "change");
  if (meeting.state === "active" && query.type === "1") await endMeeting(edit);
  else cancelMeeting(edit);
  await edit.save();
}

/** Starts a meeting with a password; nothing happens to one that is on. */
export async function startConference(
  ctx: MutationCtx,
  principal: Principal,
  { body }: Parsed<"StartMeeting">,
): Promise<void> {
  if (body.password === "") refuse("passwordNeeded", "The meeting password cannot be left blank");
  const conference = await requireConference(ctx, principal.tenantId, body.conferenceID);
  const isHost = await isHostPassword(conference, body.password);
  if (!isHost) {
    if (!(await isGuestPassword(conference, body.password)))
      refuse("notFoundOrWrongPassword", WRONG_PASSWORD);
    if (conference.row.settings.confConfigInfo?.allowGuestStartConf !== true) {
      refuse("onlyHostsStart", "Guests are not allowed to start the meeting");
    }
  }
  const edit = await openAsTenant(ctx, principal, conference.meeting._id, "change");
  if (edit.meeting.state === "active") return;
  await startMeeting(edit);
  await edit.save();
}

/** A page of the meetings of a tenant in those states whose subject or id holds the key. */
export async function searchConferences(
  ctx: MutationCtx,
  { tenantId }: Principal,
  states: readonly MeetingState[],
  { query }: Parsed<"SearchMeetings">,
) {
  const { offset = 0, limit = DEFAULT_LIMIT, searchKey = "" } = query;
  const lists = await Promise.all(
    states.map((state) =>
      ctx.db
        .query("meetings")
        .withIndex("by_tenant_and_state", (q) => q.eq("tenantId", tenantId).eq("state", state))
        .order("desc")
        .take(MAX_SEARCHED),
    ),
  );
  const named = searchKey === "" ? null : await findConference(ctx, searchKey);
  const wanted = searchKey.toLowerCase();
  const found = lists
    .flat()
    .filter(({ _id, title }) => _id === named?.meeting._id || title.toLowerCase().includes(wanted));
  const page = await Promise.all(
    found.slice(offset, offset + limit).map((meeting) => conferenceOf(ctx, meeting)),
  );
  const data = await Promise.all(page.map((conference) => describe(conference)));
  return { data, offset, limit, count: found.length };
}

/** A meeting that is not over, and a page of its people. */
export async function conferenceDetail(
  ctx: MutationCtx,
  { tenantId }: Principal,
  { query }: Parsed<"ShowMeetingDetail">,
) {
  const conference = await requireConference(ctx, tenantId, query.conferenceID);
  requireNotOver(conference);
  const { offset = 0, limit = DEFAULT_LIMIT, searchKey } = query;
  const rows = await rowsOf(ctx.db, conference.meeting);
  const { people, count } = await pageOfPeople(ctx.db, rows, { offset, limit, searchKey });
  return {
    conferenceData: await describe(conference),
    data: { data: people.map(participantInfo), offset, limit, count },
  };
}

const WRONG_PASSWORD = "The meeting does not exist or the password is incorrect";

/** The meeting of an id as a client of its tenant gave it; MEETING_NOT_FOUND. */
export async function requireConference(
  ctx: MutationCtx,
  tenantId: Id<"tenants">,
  given: string,
): Promise<Conference> {
  const conference = await findConference(ctx, given);
  if (!conference) fail("MEETING_NOT_FOUND", "The meeting does not exist");
  await requireOwnMeeting(ctx.db, tenantId, conference.meeting._id);
  return conference;
}

/** A meeting that is on, for its host password alone. */
export async function openWithHostPassword(
  ctx: MutationCtx,
  given: string,
  password: string,
): Promise<Conference> {
  if (password === "") refuse("passwordNeeded", "The meeting password cannot be left blank");
  const conference = await findConference(ctx, given);
  if (!conference || !(await isHostPassword(conference, password))) {
    refuse("notFoundOrWrongPassword", WRONG_PASSWORD);
  }
  requireOn(conference);
  return conference;
}

export async function isHostPassword({ row }: Conference, password: string): Promise<boolean> {
  return sameSecret(await hostPassword(row.conferenceId), password);
}

/** MEETING_CLOSED, MEETING_NOT_ACTIVE. */
export function requireOn(conference: Conference): void {
  requireNotOver(conference);
  if (conference.meeting.state !== "active") fail("MEETING_NOT_ACTIVE", "The meeting has not started");
}

function requireNotOver({ meeting: { state } }: Conference): void {
  if (conferenceStates[state] === "Destroyed") fail("MEETING_CLOSED", "The meeting has ended");
}

/** The meeting of an id of nine digits, or of the id by which all wires know it. */
async function findConference(ctx: MutationCtx, given: string): Promise<Conference | null> {
  if (/^\d{9}$/.test(given)) {
    const row = await rowOfId(ctx, given);
    const meeting = row && (await ctx.db.get("meetings", row.meetingId));
    return meeting && { meeting: ownMeeting(meeting), row };
  }
  const meetingId = ctx.db.normalizeId("meetings", given);
  const meeting = meetingId && (await ctx.db.get("meetings", meetingId));
  return meeting?.tenantId === undefined ? null : conferenceOf(ctx, meeting);
}

/** The conference of a meeting; one that another wire has made gets an id now. */
async function conferenceOf(ctx: MutationCtx, given: Meeting): Promise<Conference> {
  const meeting = ownMeeting(given);
  const found = await ctx.db
    .query("huaweiConferences")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meeting._id))
    .unique();
  return { meeting, row: found ?? (await insertConference(ctx, meeting._id, meeting.tenantId, {})) };
}

async function insertConference(
  ctx: MutationCtx,
  meetingId: Id<"meetings">,
  tenantId: Id<"tenants">,
  settings: ConferenceSettings,
): Promise<Doc<"huaweiConferences">> {
  let conferenceId = makeConferenceId();
  while (await rowOfId(ctx, conferenceId)) conferenceId = makeConferenceId();
  const id = await ctx.db.insert("huaweiConferences", { tenantId, meetingId, conferenceId, settings });
  return (await ctx.db.get("huaweiConferences", id)) as Doc<"huaweiConferences">;
}

function makeConferenceId(): string {
  return String(100_000_000 + Math.floor(Math.random() * 900_000_000));
}

function rowOfId(ctx: MutationCtx, conferenceId: string): Promise<Doc<"huaweiConferences"> | null> {
  return ctx.db
    .query("huaweiConferences")
    .withIndex("by_conference_id", (q) => q.eq("conferenceId", conferenceId))
    .unique();
}

/** Keeps the guest password of a request, if it has one, and gives it back; it is not shown again. */
async function chooseGuestPassword(
  ctx: MutationCtx,
  row: Doc<"huaweiConferences">,
  { confConfigInfo }: ConferenceRequest,
): Promise<string | undefined> {
  const chosen = confConfigInfo?.guestPwd;
  if (chosen === undefined) return undefined;
  if (sameSecret(chosen, await hostPassword(row.conferenceId))) {
    refuse("samePasswords", "The host password and the guest password must differ");
  }
  row.guestPasswordHash = await guestPasswordHash(row.conferenceId, chosen);
  await ctx.db.patch("huaweiConferences", row._id, { guestPasswordHash: row.guestPasswordHash });
  return chosen;
}

async function isGuestPassword({ row }: Conference, password: string): Promise<boolean> {
  const { conferenceId, guestPasswordHash: kept } = row;
  return kept === undefined
    ? sameSecret(await guestPassword(conferenceId), password)
    : sameSecret(kept, await guestPasswordHash(conferenceId, password));
}

/** What a request says of the meeting itself, but for its time. */
function meetingFieldsOf({ subject, length, concurrentParticipants, confConfigInfo }: ConferenceRequest) {
  return {
    ...(subject && { title: subject }),
    ...(length !== undefined && { duration: length * MINUTE_MS }),
    ...(concurrentParticipants !== undefined && { maxParticipants: concurrentParticipants || UNLIMITED }),
    ...(confConfigInfo?.enableWaitingRoom !== undefined && { lobby: confConfigInfo.enableWaitingRoom }),
  };
}

/** What a request says that is kept and given back. */
function settingsOf({
  mediaTypes,
  timeZoneID,
  language,
  isAutoRecord,
  recordType,
  encryptMode,
  confConfigInfo,
}: ConferenceRequest): ConferenceSettings {
  const { guestPwd: _, enableWaitingRoom: __, ...config } = confConfigInfo ?? {};
  const given = { mediaTypes, timeZoneID, language, isAutoRecord, recordType, encryptMode };
  return {
    ...(Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    ) as ConferenceSettings),
    ...(confConfigInfo && { confConfigInfo: config }),
  };
}

/** A meeting in the words of this wire. `chosen`: a guest password that is shown this once. */
async function describe({ meeting, row }: Conference, chosen?: string): Promise<ConferenceInfo> {
  const { settings, conferenceId } = row;
  const { confConfigInfo = {} } = settings;
  const from = timeOf(meeting);
  const guest =
    chosen ?? (row.guestPasswordHash === undefined ? await guestPassword(conferenceId) : undefined);
  return {
    conferenceID: conferenceId,
    subject: meeting.title,
    size: meeting.participantCount,
    timeZoneID: settings.timeZoneID ?? "",
    startTime: formatTime(from),
    endTime: formatTime(meeting.endedAt ?? from + meeting.duration),
    conferenceState: conferenceStates[meeting.state],
    mediaTypes: settings.mediaTypes ?? "HDVideo",
    language: settings.language ?? "en-US",
    passwordEntry: [
      { conferenceRole: "chair", password: await hostPassword(conferenceId) },
      ...(guest === undefined ? [] : [{ conferenceRole: "general" as const, password: guest }]),
    ],
    userUUID: meeting.organizerId ?? "",
    scheduserName: "",
    conferenceType: meeting.scheduledAt === undefined ? 0 : 2,
    confType: meeting.scheduledAt === undefined ? "IMMEDIATELY" : "FUTURE",
    isAutoMute: confConfigInfo.isAutoMute === true ? 1 : 0,
    isAutoRecord: settings.isAutoRecord ?? 0,
    // No page is served on which to join.
    chairJoinUri: "",
    guestJoinUri: "",
    confUUID: meeting._id,
    confConfigInfo: {
      ...confConfigInfo,
      ...(chosen !== undefined && { guestPwd: chosen }),
      enableWaitingRoom: meeting.lobby === true,
    },
    vmrFlag: 0,
    role: "chair",
    onlineAttendeeAmount: meeting.joinedCount ?? 0,
    concurrentParticipants: meeting.maxParticipants === UNLIMITED ? 0 : meeting.maxParticipants,
  };
}

/** When a meeting begins or has begun. */
function timeOf({ scheduledAt, startedAt, _creationTime }: Meeting): number {
  return scheduledAt ?? startedAt ?? _creationTime;
}

/** The planned time, which knows no seconds: the minute that is running is not past. */
function scheduledTime(given: string): number {
  const at = parseTime(given);
  const now = Date.now();
  return at > now - MINUTE_MS && at < now ? now : at;
}

/** More minutes for a meeting, as long as no meeting can be planned to be longer. */
export async function prolong(edit: MeetingEdit, minutes: number): Promise<void> {
  const duration = Math.min(MAX_DURATION_MS, edit.meeting.duration + minutes * MINUTE_MS);
  await updateMeeting(edit, { duration });
}

function ownMeeting(meeting: Meeting): Conference["meeting"] {
  const { tenantId } = meeting;
  if (tenantId === undefined) throw new Error(`Meeting ${meeting._id} is of no tenant`);
  return { ...meeting, tenantId };
}
