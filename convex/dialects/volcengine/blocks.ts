/** Who may send nothing in a live group, or may not be in it. */
import type { Doc } from "../../_generated/dataModel";
import { findBan, isOver } from "../../model/bans";
import type { MeetingEdit } from "../../model/meetingEdit";
import { patchParticipants } from "../../model/participants";
import { refOf } from "../../model/people";
import { banSeveral, unbanSeveral } from "../../model/removeByRequest";
import type { Result, VolcengineCtx } from "./context";
import { refuse } from "./errors";
import { openLive, requireLive } from "./kinds";
import {
  findMembers,
  findRefs,
  namedBy,
  namesOf,
  type PersonId,
  type PersonName,
  requireConversation,
} from "./names";
import { pageOf } from "./pages";
import { failedAs, nameFields, nameKey, peopleOf } from "./people";
import type { RequestOf } from "./shapes";
import { seconds } from "./times";

const BAN = 1;
const MAX_LISTED = 16_000;

/** BatchAddBlockParticipants. Only people whom the tenant knows can be kept out, and only members silenced. */
export async function batchAddBlocks(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchAddBlockParticipants">,
): Promise<Result> {
  const terms = termsOf(request);
  const people = terms.map(({ person }) => person);
  const edit = await openLive(ctx, request.ConversationShortId);
  const now = Date.now();
  const failed: PersonId[] = [];
  if (request.BlockAction === BAN) {
    // One after the other, since each changes who is in the meeting.
    for (const duration of new Set(terms.map((one) => one.duration))) {
      const group = terms.flatMap((one) => (one.duration === duration ? [one.person] : []));
      failed.push(...(await ban(ctx, edit, group, now + duration * 1000)));
    }
  } else {
    const rows = await findMembers(ctx, edit.meeting, people);
    const patches = rows.flatMap((row, index) => {
      const { duration = 0 } = terms[index] ?? {};
      return row ? [{ row, fields: { blockedUntil: now + duration * 1000 } }] : [];
    });
    edit.event("participants.updated", await patchParticipants(edit, patches));
    failed.push(...people.filter((_, index) => !rows[index]));
  }
  await edit.save();
  return failedAs("FailedParticipantUserIds", failed);
}

/** Bans people, and gives those who are not known, or the last host. */
async function ban(
  ctx: VolcengineCtx,
  edit: MeetingEdit,
  people: readonly PersonId[],
  expiresAt: number,
): Promise<PersonId[]> {
  const names = await Promise.all(people.map((person) => namedBy(ctx, person)));
  const { skipped } = await banSeveral(edit, names, { expiresAt });
  const spared = new Set(skipped.map(nameKey));
  return people.filter((_, index) => spared.has(nameKey(names[index] ?? {})));
}

function termsOf({
  ParticipantBlockInfos,
  ParticipantBlockInfosStr,
}: RequestOf<"BatchAddBlockParticipants">): { person: PersonId; duration: number }[] {
  if (ParticipantBlockInfos === undefined && ParticipantBlockInfosStr === undefined) {
    refuse("MissingParameter", "The request is missing ParticipantBlockInfos parameter.");
  }
  const byStr = ParticipantBlockInfosStr ?? [];
  if (byStr.length > 0) return byStr.map(([str, duration]) => ({ person: { str }, duration }));
  return (ParticipantBlockInfos ?? []).map(([id, duration]) => ({
    person: { id: String(BigInt(id)) },
    duration,
  }));
}

/** BatchDeleteBlockParticipants. */
export async function batchDeleteBlocks(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchDeleteBlockParticipants">,
): Promise<Result> {
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const edit = await openLive(ctx, request.ConversationShortId);
  const isBan = request.BlockAction === BAN;
  const failed: PersonId[] = [];
  if (isBan) {
    const refs = await findRefs(ctx, people);
    const bans = await Promise.all(refs.map(async (ref) => ref && findBan(ctx.db, edit.meeting._id, ref)));
    const banned = people.filter((_, index) => bans[index] && !isOver(bans[index]));
    failed.push(...people.filter((person) => !banned.includes(person)));
    await unbanSeveral(edit, await Promise.all(banned.map((person) => namedBy(ctx, person))));
  } else {
    const rows = await findMembers(ctx, edit.meeting, people);
    failed.push(...people.filter((_, index) => !rows[index]));
    const patches = rows.flatMap((row) => (row ? [{ row, fields: { blockedUntil: undefined } }] : []));
    edit.event("participants.updated", await patchParticipants(edit, patches));
  }
  await edit.save();
  return failedAs("FailedParticipantUserIds", failed);
}

/** BatchGetBlockParticipants. */
export async function batchGetBlocks(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchGetBlockParticipants">,
): Promise<Result> {
  const meeting = await requireConversation(ctx, request.ConversationShortId);
  requireLive(meeting);
  const blocks = request.BlockAction === BAN ? await bansOf(ctx, meeting) : await silencedOf(ctx, meeting);
  const { page, ...next } = pageOf(blocks, request);
  const names = await namesOf(
    ctx,
    page.map(({ row }) => refOf(row)),
  );
  return {
    ...next,
    Participants: page.map(({ row, until, data }, index) => ({
      ...nameFields(names[index] as PersonName),
      NickName: data?.nickname ?? data?.displayName ?? "",
      AvatarUrl: "",
      Ext: data?.attributes ?? {},
      Marks: [],
      // Since when somebody may send nothing is not kept.
      CreateTime: data ? 0 : seconds(row._creationTime),
      BlockTime: seconds(until),
    })),
  };
}

interface Block {
  row: Doc<"meetingParticipants"> | Doc<"bans">;
  /** Milliseconds since the epoch; 0: for ever. */
  until: number;
  data?: Doc<"meetingParticipants">;
}

async function silencedOf({ db }: VolcengineCtx, { _id }: Doc<"meetings">): Promise<Block[]> {
  const rows = await db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", _id))
    .take(MAX_LISTED);
  const now = Date.now();
  return rows.flatMap((row) =>
    (row.blockedUntil ?? 0) > now ? [{ row, until: row.blockedUntil ?? 0, data: row }] : [],
  );
}

async function bansOf({ db }: VolcengineCtx, { _id }: Doc<"meetings">): Promise<Block[]> {
  const bans = await db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", _id))
    .take(MAX_LISTED);
  return bans.flatMap((row) => (isOver(row) ? [] : [{ row, until: row.expiresAt ?? 0 }]));
}
