/** How far members have read. */
import type { Doc, Id } from "../../_generated/dataModel";
import { setReadIndex } from "../../model/history";
import type { MeetingEdit } from "../../model/meetingEdit";
import type { Result, VolcengineCtx } from "./context";
import { refuse } from "./errors";
import { allRows } from "./memberLists";
import { findMembers, namesOf, openConversation, requireConversation, requirePerson } from "./names";
import { nameFields } from "./people";
import type { RequestOf } from "./wire";

/** Whose names one transaction can look up. */
const MAX_READERS = 1000;

/** GetParticipantReadIndex, of those who have read something. */
export async function getReadIndexes(
  ctx: VolcengineCtx,
  { ConversationShortId }: RequestOf<"GetParticipantReadIndex">,
): Promise<Result> {
  const rows = await allRows(ctx.db, await requireConversation(ctx, ConversationShortId));
  const readers = rows.filter(({ readIndex = 0 }) => readIndex > 0);
  if (readers.length > MAX_READERS) {
    refuse("InvalidParameter.SizeOverLimit", `More than ${MAX_READERS} members who have read are not listed`);
  }
  const names = await namesOf(ctx, readers);
  return {
    ReadIndexes: names.map((name, index) => ({ ...nameFields(name), ReadIndex: readers[index]?.readIndex })),
  };
}

/** ModifyParticipantReadIndex, which goes forward only. */
export async function modifyReadIndex(
  ctx: VolcengineCtx,
  request: RequestOf<"ModifyParticipantReadIndex">,
): Promise<Result> {
  const person = requirePerson(request.ParticipantUserId, request.ParticipantUserIdStr, "ParticipantUserId");
  const edit = await openConversation(ctx, request.ConversationShortId, "change");
  const [row = null] = await findMembers(ctx, edit.meeting, [person]);
  if (!row) refuse("InvalidParameter.NotExistParticipant", "ParticipantUserId is not in the conversation");
  if (request.ReadIndex <= (row.readIndex ?? 0)) {
    refuse("InvalidParameter", `ReadIndex: Must be greater than ${row.readIndex ?? 0}, which it is now`);
  }
  await setReadIndex(edit, row, request.ReadIndex);
  await edit.save();
  return undefined;
}

/** Notes how far newcomers have read; it goes forward only. */
export async function noteReadIndexes(
  edit: MeetingEdit,
  readIndexes: readonly (number | undefined)[],
  added: readonly (Id<"meetingParticipants"> | null)[],
): Promise<void> {
  await Promise.all(
    readIndexes.map(async (readIndex = 0, index) => {
      const participantId = added[index];
      if (readIndex === 0 || !participantId) return;
      const row = (await edit.ctx.db.get("meetingParticipants", participantId)) as Doc<"meetingParticipants">;
      if (readIndex > (row.readIndex ?? 0)) await setReadIndex(edit, row, readIndex);
    }),
  );
}
