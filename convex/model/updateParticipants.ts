/** The public ways to change people who are in a meeting. */
import type { Doc, Id } from "../_generated/dataModel";
import { type Capabilities, fitTogether } from "../contract/capabilities";
import type { ErrorCode } from "../contract/errors";
import type { ParticipantChange, ParticipantChanges } from "../contract/participantChanges";
import { MAX_AT_ONCE } from "../contract/participants";
import { type ChangeSkipCode, type PersonName, type SkippedPerson, waysUsed } from "../contract/personNames";
import { requireWritable } from "./attributesSize";
import { EVERYTHING } from "./capabilities";
import { fail } from "./errors";
import type { MeetingEdit, Patch } from "./meetingEdit";
import { findNamed, known, type Named, onlyParticipants, skip, skippedOf } from "./namedPeople";
import { countHosts, patchParticipants } from "./participants";
import { nextState } from "./meetingStates";

type Row = Doc<"meetingParticipants">;

type Participant = Named & { row: Row };

/** Of the 16 MiB that a transaction may read: these rows may be read again to find who is named, and once more to be changed. */
const MAX_ROWS_BYTES = 5 * 1024 * 1024;

const errorOf: Partial<Record<ChangeSkipCode, ErrorCode>> = {
  last_host: "LAST_HOST",
  invalid_capabilities: "INVALID_CAPABILITIES",
};

/** Changes people as a host wishes. */
export async function updateSeveral(
  edit: MeetingEdit,
  changes: readonly ParticipantChange[],
): Promise<{ updated: Id<"meetingParticipants">[]; skipped: SkippedPerson[] }> {
  const names = changes.map(nameOf);
  const found = onlyParticipants(names, await findNamed(edit, names));
  const isDemoted = (one: (typeof found)[number], index: number) =>
    one.kind === "known" && one.row.role === "host" && (changes[index]?.role ?? "host") !== "host";
  const demoted = found.filter(isDemoted).length;
  let hosts = demoted === 0 ? 0 : await countHosts(edit.ctx.db, edit.meeting._id, demoted + 1);

  const decided = found.map((one, index) => {
    if (one.kind === "skipped") return one;
    const change = changes[index] as ParticipantChange;
    const name = names[index] as PersonName;
    const role = change.role ?? one.row.role;
    const capabilities = capabilitiesAfter(one.row, change);
    if (capabilities && !fitTogether(capabilities)) return skip(name, "invalid_capabilities");
    if (isDemoted(one, index) && hosts === 1) return skip(name, "last_host");
    hosts += Number(role === "host") - Number(one.row.role === "host");
    return { ...one, fields: fieldsOf(change, capabilities) };
  });
  const patches = known<Participant & { fields: Patch<Row> }>(decided);
  requireWritable(patches.map(({ row, fields }) => ({ after: fields.attributes, before: row.attributes })));
  edit.event("participants.updated", await patchParticipants(edit, patches));
  return { updated: patches.map(({ row }) => row._id), skipped: skippedOf(decided) };
}

/** Changes one person: for a host anybody, for others their own names alone. FORBIDDEN, or why it cannot be. */
export async function updateOne(
  edit: MeetingEdit,
  caller: Row,
  change: ParticipantChange,
): Promise<Id<"meetingParticipants">> {
  nextState(edit.meeting.state, "change");
  const target = waysUsed(change) === 0 ? { ...change, participantId: caller._id } : change;
  if (caller.role !== "host") {
    const { displayName: _, nickname: __, ...others } = changesOf(change);
    const [found] = await findNamed(edit, [nameOf(target)]);
    const isSelf = found?.kind === "known" && found.row?._id === caller._id;
    if (!isSelf || Object.values(others).some((value) => value !== undefined)) {
      fail("FORBIDDEN", "Only hosts change more than their own names");
    }
  }
  const { updated, skipped } = await updateSeveral(edit, [target]);
  const [reason] = skipped;
  if (reason) fail(errorOf[reason.code] ?? "PARTICIPANT_NOT_FOUND", reason.reason);
  return updated[0] as Id<"meetingParticipants">;
}

/** Gives all but the excepted the same capabilities. PARTICIPANT_NOT_FOUND, MEETING_TOO_LARGE. */
export async function updateCapabilitiesExcept(
  edit: MeetingEdit,
  capabilities: Capabilities,
  exceptParticipantIds: readonly Id<"meetingParticipants">[],
): Promise<Id<"meetingParticipants">[]> {
  const rows = await allRows(edit);
  const excepted = new Set<string>(exceptParticipantIds);
  const changed = rows.filter(({ _id }) => !excepted.has(_id));
  if (rows.length - changed.length < excepted.size) {
    fail("PARTICIPANT_NOT_FOUND", "Somebody who is excepted is not in the meeting");
  }
  const patches = changed.map((row) => ({ row, fields: { capabilities } }));
  edit.event("participants.updated", await patchParticipants(edit, patches));
  return changed.map(({ _id }) => _id);
}

/** Everybody in the meeting; MEETING_TOO_LARGE if they are more, or more is said of them, than one request can see to. */
export async function allRows({ ctx, meeting }: MeetingEdit): Promise<Row[]> {
  if (meeting.participantCount > MAX_AT_ONCE) {
    fail("MEETING_TOO_LARGE", `Only for meetings of up to ${MAX_AT_ONCE} people`);
  }
  const { page, isDone } = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .paginate({ numItems: MAX_AT_ONCE + 1, cursor: null, maximumBytesRead: MAX_ROWS_BYTES });
  if (!isDone) {
    const limit = `${MAX_ROWS_BYTES} bytes of attributes`;
    fail("MEETING_TOO_LARGE", `Only for meetings whose people have up to ${limit} together`);
  }
  return page;
}

function nameOf({ participantId, userId, guestId, externalId, email }: ParticipantChange): PersonName {
  if (participantId !== undefined) return { participantId };
  if (userId !== undefined) return { userId };
  if (guestId !== undefined) return { guestId };
  if (externalId !== undefined) return { externalId };
  return email === undefined ? {} : { email };
}

function changesOf(change: ParticipantChange): ParticipantChanges {
  const { role, displayName, nickname, capabilities, attributes, level, department, blockedUntil } = change;
  return {
    role,
    displayName,
    nickname,
    capabilities,
    attributes,
    level,
    department,
    blockedUntil,
  } as ParticipantChanges;
}

/** The capabilities that a person would have of their own; undefined if they stay or go. */
function capabilitiesAfter(row: Row, { capabilities }: ParticipantChanges): Capabilities | undefined {
  return capabilities ? { ...EVERYTHING, ...row.capabilities, ...capabilities } : undefined;
}

function fieldsOf(change: ParticipantChange, capabilities: Capabilities | undefined): Patch<Row> {
  const fields = { ...changesOf(change), ...(capabilities && { capabilities }) };
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, value === null ? undefined : value]),
  );
}
