/** Who may send nothing in a live group, or may not be in it. */
import type { Doc } from "../../_generated/dataModel";
import { deleteBans, isOver } from "../../model/bans";
import { patchParticipants } from "../../model/participants";
import { keyOf, refOf } from "../../model/people";
import { banSeveral } from "../../model/removeByRequest";
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
import type { RequestOf } from "./wire";
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
  const untilOf = (index: number) => now + (terms[index]?.duration ?? 0) * 1000;
  const failed: PersonId[] = [];
  if (request.BlockAction === BAN) {
    const names = await Promise.all(people.map((person) => namedBy(ctx, person)));
    const { skipped } = await banSeveral(edit, names, (index) => ({ expiresAt: untilOf(index) }));
    const spared = new Set(skipped.map(nameKey));
    failed.push(...people.filter((_, index) => spared.has(nameKey(names[index] ?? {}))));
  } else {
    const rows = await findMembers(ctx, edit.meeting, people);
    const patches = rows.flatMap((row, index) =>
      row ? [{ row, fields: { blockedUntil: untilOf(index) } }] : [],
    );
    edit.event("participants.updated", await patchParticipants(edit, patches));
    failed.push(...people.filter((_, index) => !rows[index]));
  }
  await edit.save();
  return failedAs("FailedParticipantUserIds", failed);
}

function termsOf({
  ParticipantBlockInfos,
  ParticipantBlockInfosStr,
}: RequestOf<"BatchAddBlockParticipants">): { person: PersonId; duration: number }[] {
  if (ParticipantBlockInfos === undefined && ParticipantBlockInfosStr === undefined) {
    refuse("MissingParameter", "The request is missing ParticipantBlockInfos parameter.");
  }
  const byStr = ParticipantBlockInfosStr ?? [];
  if (byStr.length > 0) return byStr.map(({ name, duration }) => ({ person: { str: name }, duration }));
  return (ParticipantBlockInfos ?? []).map(({ name, duration }) => ({ person: { id: name }, duration }));
}

/** BatchDeleteBlockParticipants. */
export async function batchDeleteBlocks(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchDeleteBlockParticipants">,
): Promise<Result> {
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const edit = await openLive(ctx, request.ConversationShortId);
  const failed: PersonId[] = [];
  if (request.BlockAction === BAN) {
    const bans = new Map((await bansOf(ctx, edit.meeting)).map((ban) => [keyOf(ban), ban]));
    const refs = await findRefs(ctx, people);
    const found = refs.map((ref) => ref && bans.get(keyOf(ref)));
    failed.push(...people.filter((_, index) => !found[index]));
    // Two names may be one person's.
    await deleteBans(edit, [...new Set(found.flatMap((ban) => ban ?? []))]);
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
  const blocks =
    request.BlockAction === BAN
      ? (await bansOf(ctx, meeting)).map((row) => ({ row, until: row.expiresAt ?? 0 }))
      : await silencedOf(ctx, meeting);
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

/** The bans that are not over. */
async function bansOf({ db }: VolcengineCtx, { _id }: Doc<"meetings">): Promise<Doc<"bans">[]> {
  const bans = await db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", _id))
    .take(MAX_LISTED);
  return bans.filter((ban) => !isOver(ban));
}
