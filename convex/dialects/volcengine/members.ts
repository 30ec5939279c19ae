/** Members are added, changed and removed. */
import type { ParticipantEntry } from "../../contract/entries";
import type { ParticipantChange } from "../../contract/participantChanges";
import type { ParticipantRole } from "../../contract/participants";
import { addParticipants } from "../../model/addParticipants";
import type { MeetingEdit } from "../../model/meetingEdit";
import { removeSeveral } from "../../model/removeByRequest";
import { updateSeveral } from "../../model/updateParticipants";
import type { Result, VolcengineCtx } from "./context";
import { findOwner } from "./details";
import { openGroup } from "./kinds";
import { everyNameOf, namedBy, openConversation, type PersonId, requirePerson } from "./names";
import { failedAs, nameKey, peopleOf, personKey } from "./people";
import { noteReadIndexes } from "./readIndexes";
import { MANAGER, type MemberToAdd, type MemberToModify, OWNER, type RequestOf, type Role } from "./wire";

/** BatchAddConversationParticipant. Who is there already is overwritten; the owner stays the owner. */
export async function batchAddParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchAddConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const items = lastOfEach(request.ParticipantInfos.map(withPerson));
  const edit = await openGroup(ctx, request.ConversationShortId);
  const named = await Promise.all(items.map(({ person }) => namedBy(ctx, person)));
  const isOwner = await ownerTest(ctx, edit);
  const allowed = items.map(({ person, info }) => mayBe(person) && (info.Role !== OWNER || isOwner(person)));
  const wanted = items.map((_, index) => index).filter((index) => allowed[index]);
  const entries = wanted.map((index): ParticipantEntry => {
    const { person, info } = items[index] as Item<MemberToAdd>;
    return {
      ...(named[index] as ParticipantEntry),
      role: isOwner(person) ? "host" : roleOf(info.Role),
      ...dataOf(info),
      ...(request.Barrier === true && { hideHistory: true }),
    };
  });
  const outcomes = await addParticipants(edit, entries, {
    onExisting: "update",
    onInvalid: "perItem",
    onFull: "perItem",
  });
  const added = outcomes.map((outcome) => ("participantId" in outcome ? outcome.participantId : null));
  await noteReadIndexes(
    edit,
    wanted.map((index) => (items[index] as Item<MemberToAdd>).info.ReadIndex),
    added,
  );
  await edit.save();
  const failed = new Set(wanted.filter((_, at) => added[at] === null));
  return failedUsers(
    items.flatMap(({ person }, index) => (!allowed[index] || failed.has(index) ? [person] : [])),
  );
}

/** BatchModifyConversationParticipant. The owner stays the owner. */
export async function batchModifyParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchModifyConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const items = lastOfEach(request.ParticipantInfos.map(withPerson));
  const edit = await openConversation(ctx, request.ConversationShortId, "change");
  const isOwner = await ownerTest(ctx, edit);
  const changes = await Promise.all(
    items.map(async ({ person, info }): Promise<ParticipantChange | null> => {
      const owns = isOwner(person);
      if (info.Role === OWNER && !owns) return null;
      const role = owns ? "host" : roleOf(info.Role);
      return {
        ...(await namedBy(ctx, person)),
        ...(info.Role !== undefined && { role }),
        ...dataOf(info),
        ...blockOf(info),
      };
    }),
  );
  const { skipped } = await updateSeveral(
    edit,
    changes.filter((change) => change !== null),
  );
  await edit.save();
  const unchanged = new Set(skipped.map(nameKey));
  return failedUsers(
    items.flatMap(({ person }, index) => {
      const change = changes[index];
      return !change || unchanged.has(nameKey(change)) ? [person] : [];
    }),
  );
}

/** BatchDeleteConversationParticipant. The last host stays. */
export async function batchDeleteParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchDeleteConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const edit = await openGroup(ctx, request.ConversationShortId);
  const named = await Promise.all(people.map((person) => namedBy(ctx, person)));
  const { skipped } = await removeSeveral(edit, named);
  await edit.save();
  const stay = new Set(skipped.filter(({ code }) => code !== "duplicate").map(nameKey));
  return failedUsers(people.filter((_, index) => stay.has(nameKey(named[index] ?? {}))));
}

/** Tells whether a conversation is a person's, who may be named in any way and need not be a member. */
async function ownerTest(
  ctx: VolcengineCtx,
  { meeting }: MeetingEdit,
): Promise<(person: PersonId) => boolean> {
  const owner = await findOwner(ctx, meeting);
  const names = new Set(owner ? await everyNameOf(ctx, owner) : []);
  return (person) => names.has(personKey(person));
}

interface Item<Info> {
  person: PersonId;
  info: Info;
}

function withPerson<Info extends MemberToAdd | MemberToModify>(info: Info): Item<Info> {
  const { ParticipantUserId, ParticipantUserIdStr } = info;
  return { person: requirePerson(ParticipantUserId, ParticipantUserIdStr, "ParticipantUserId"), info };
}

/** Who is named more than once is overwritten by what comes later. */
function lastOfEach<Info extends object>(items: readonly Item<Info>[]): Item<Info>[] {
  const byPerson = new Map<string, Item<Info>>();
  for (const { person, info } of items) {
    const before = byPerson.get(personKey(person))?.info;
    byPerson.set(personKey(person), { person, info: { ...before, ...info } });
  }
  return [...byPerson.values()];
}

/** Numbers have to be greater than 0. */
function mayBe({ id, str }: PersonId): boolean {
  return str !== undefined || BigInt(id ?? 0) > 0n;
}

function roleOf(role: Role | undefined): ParticipantRole {
  return role === MANAGER ? "co-host" : "participant";
}

function dataOf({
  NickName,
  Level,
  Ext,
}: MemberToAdd | MemberToModify): Pick<ParticipantEntry, "nickname" | "level" | "attributes"> {
  const nickname = NickName?.trim();
  return {
    ...(nickname && { nickname }),
    ...(Level !== undefined && { level: Level }),
    ...(Ext !== undefined && { attributes: Ext }),
  };
}

function blockOf({ BlockTime }: MemberToModify): Pick<ParticipantChange, "blockedUntil"> {
  if (BlockTime === undefined) return {};
  return { blockedUntil: BlockTime === 0 ? null : BlockTime * 1000 };
}

function failedUsers(people: readonly PersonId[]): Result {
  return failedAs("FailedUserIds", people);
}
