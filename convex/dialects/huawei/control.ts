/** What can be done to a meeting that is on, with its control token. */
import type { Doc } from "../../_generated/dataModel";
import type { Capabilities } from "../../contract/capabilities";
import { receives } from "../../contract/capabilities";
import type { ParticipantRole } from "../../contract/participants";
import { fail } from "../../model/errors";
import { decideLobby } from "../../model/lobby";
import type { MeetingEdit, Patch } from "../../model/meetingEdit";
import { endMeeting } from "../../model/meetings";
import { patchParticipants, requireOtherHost } from "../../model/participants";
import { act } from "../../model/presence";
import { removeParticipants } from "../../model/removeParticipants";
import { updateMeeting } from "../../model/updateMeeting";
import { allRowsOf, findByNumbers, HAND, inviteAttendees, isMuted, rowsOf, show } from "./attendees";
import { prolong, type Conference } from "./conferences";
import { isHostPassword } from "./conferences";
import { refuse } from "./errors";
import type { operationsBy, Parsed } from "./operations";
import type { Naming } from "./wire";

type Row = Doc<"meetingParticipants">;
export type ControlName = keyof (typeof operationsBy)["withControlToken"];

const DEFAULT_MINUTES = 15;
const EVERYTHING: Capabilities = { audio: "SendReceive", video: "SendReceive", content: "SendReceive" };

type Handler<Name extends ControlName> = (
  edit: MeetingEdit,
  request: Parsed<Name>,
  conference: Conference,
) => Promise<unknown>;

/** What each operation does; what it gives is the answer. The edit is saved afterwards. */
export const controlHandlers: { [Name in ControlName]: Handler<Name> } = {
  InviteParticipant: (edit, { body }) => inviteAttendees(edit, body.attendees),

  DeleteAttendees: async (edit, { body }) => {
    await removeParticipants(edit, unique(await requireNamed(edit, body.bulkDelAttendInfo)));
  },

  HangUp: async (edit, { body }) => {
    const rows = unique(await requireRows(edit, body.bulkHangUpParticipants));
    await act(edit, rows, "leave");
    for (const { _id } of rows) edit.syncMedia(_id, { evict: true });
  },

  SetRole: async (edit, { query, body }, conference) => {
    const row = await requireRow(edit, query.participantID);
    if (body.chairmanPwd && !(await isHostPassword(conference, body.chairmanPwd))) {
      refuse("insufficientPermissions", "The host password is incorrect");
    }
    if (body.applyChair === 1) await changeRole(edit, row, "host");
    else if (row.role === "host") await changeRole(edit, row, "participant");
  },

  SetCohost: async (edit, { query, body }) => {
    const row = await requireRow(edit, query.participantID);
    if (row.role === "host")
      fail("INVALID_ARGUMENT", "A host is more than a co-host: release the role of host first");
    if (body.isCohost === 1) await changeRole(edit, row, "co-host");
    else if (row.role === "co-host") await changeRole(edit, row, "participant");
  },

  RenameParticipant: async (edit, { body }) => {
    await change(edit, await requireNamed(edit, [body]), () => ({ displayName: body.newName }));
  },

  MuteParticipant: async (edit, { query, body }) => {
    await change(edit, [await requireRow(edit, query.participantID)], body.isMute === 1 ? muted : unmuted);
  },

  MuteMeeting: async (edit, { body }) => {
    const rows = (await allRowsOf(edit)).filter(({ role }) => role !== "host");
    await change(edit, rows, body.isMute === 1 ? muted : unmuted);
  },

  RollcallParticipant: async (edit, { query }) => {
    const called = await requireRow(edit, query.participantID);
    const rows = (await allRowsOf(edit)).filter(({ _id, role }) => _id === called._id || role !== "host");
    await change(edit, rows, (row) => (row._id === called._id ? unmuted(row) : muted(row)));
  },

  LockMeeting: async (edit, { body }) => {
    await updateMeeting(edit, { locked: body.isLock === 1 });
  },

  ProlongMeeting: (edit, { body }) => prolong(edit, body.duration ?? DEFAULT_MINUTES),

  StopMeeting: async (edit) => {
    await endMeeting(edit);
  },

  Hand: async (edit, { query, body }) => {
    await change(edit, [await requireRow(edit, query.participantID)], handOf(body.handsState));
  },

  BatchHand: async (edit, { body }) => {
    const rows = body.pids ? unique(await requireRows(edit, body.pids)) : await allRowsOf(edit);
    await change(edit, rows, handOf(body.handsState));
  },

  AllowWaitingParticipant: async (edit, { body }) => {
    const { participantID } = body;
    if (!participantID) {
      await decideLobby(edit, "admit", undefined);
      return;
    }
    const row = await requireRow(edit, participantID);
    const { skipped } = await decideLobby(edit, "admit", [{ participantId: row._id }]);
    if (skipped[0]) fail("INVALID_ARGUMENT", skipped[0].reason);
  },

  MoveToWaitingRoom: (edit, { body }) => moveToWaitingRoom(edit, [body.participantID]),

  BatchMoveToWaitingRoom: (edit, { body }) => moveToWaitingRoom(edit, body.batchParticipants),

  ShowRealTimeInfoOfMeeting: async ({ ctx, meeting }) => {
    const people = await show(ctx.db, await rowsOf(ctx.db, meeting));
    const present = people.filter(({ row }) => row.presence !== "left");
    const idsOf = (wanted: ParticipantRole) =>
      people.flatMap(({ row }) => (row.role === wanted ? [row._id] : []));
    return {
      attendees: people.map(({ accountId, userUUID, name, phone }) => ({
        accountID: accountId,
        userUUID,
        name,
        phone,
      })),
      participants: present.map(({ row, name, phone }) => ({
        pid: row._id,
        name,
        phone,
        state: row.presence === "joined" ? 0 : row.presence === "waiting" ? 2 : 1,
        video: 0,
        mute: isMuted(row) ? 1 : 0,
        hand: row.attributes?.[HAND] === "1" ? 1 : 0,
      })),
      confInfo: { chairID: idsOf("host")[0] ?? "", coHosts: idsOf("co-host") },
    };
  },
};

async function moveToWaitingRoom(edit: MeetingEdit, participantIds: readonly string[]): Promise<void> {
  if (edit.meeting.lobby !== true) fail("INVALID_ARGUMENT", "The meeting has no waiting room");
  const rows = unique(await requireRows(edit, participantIds));
  if (rows.some(({ role }) => role === "host")) fail("INVALID_ARGUMENT", "A host does not wait");
  await act(edit, rows, "hold");
  for (const { _id } of rows) edit.syncMedia(_id, { evict: true });
}

async function changeRole(edit: MeetingEdit, row: Row, role: ParticipantRole): Promise<void> {
  if (row.role === "host" && role !== "host") await requireOtherHost(edit.ctx.db, edit.meeting._id, [row]);
  await change(edit, [row], () => ({ role }));
}

async function change(
  edit: MeetingEdit,
  rows: readonly Row[],
  fieldsOf: (row: Row) => Patch<Row>,
): Promise<void> {
  const patches = rows.map((row) => ({ row, fields: fieldsOf(row) }));
  edit.event("participants.updated", await patchParticipants(edit, patches));
}

/** Who is muted may send no sound; what they may hear stays. */
function muted({ capabilities = EVERYTHING }: Row): Patch<Row> {
  return { capabilities: { ...capabilities, audio: receives(capabilities.audio) ? "Receive" : "None" } };
}

function unmuted({ capabilities }: Row): Patch<Row> {
  if (!capabilities) return {};
  return { capabilities: { ...capabilities, audio: receives(capabilities.audio) ? "SendReceive" : "Send" } };
}

function handOf(state: 0 | 1): (row: Row) => Patch<Row> {
  return ({ attributes = {} }) => {
    const { [HAND]: _, ...others } = attributes;
    if (state === 1) return { attributes: { ...others, [HAND]: "1" } };
    return attributes[HAND] === undefined ? {} : { attributes: others };
  };
}

/** The row of a participant id; PARTICIPANT_NOT_FOUND. */
async function requireRow({ ctx, meeting }: MeetingEdit, given: string): Promise<Row> {
  const participantId = ctx.db.normalizeId("meetingParticipants", given);
  const row = participantId && (await ctx.db.get("meetingParticipants", participantId));
  if (row?.meetingId !== meeting._id) fail("PARTICIPANT_NOT_FOUND", "The participant is not in the meeting");
  return row;
}

function requireRows(edit: MeetingEdit, given: readonly string[]): Promise<Row[]> {
  return Promise.all(given.map((participantId) => requireRow(edit, participantId)));
}

/** The rows of people who are named by a participant id or else a number, in any order; PARTICIPANT_NOT_FOUND. */
async function requireNamed(edit: MeetingEdit, named: readonly Naming[]): Promise<Row[]> {
  const ids = named.flatMap(({ participantID }) => participantID || []);
  const numbers = named.flatMap(({ participantID, number = "" }) => (participantID ? [] : [number]));
  const byNumber = await findByNumbers(edit, numbers);
  return [
    ...(await requireRows(edit, ids)),
    ...byNumber.map((row) => row ?? fail("PARTICIPANT_NOT_FOUND", "No participant has this number")),
  ];
}

/** Each row once. */
function unique(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row._id, row])).values()];
}
