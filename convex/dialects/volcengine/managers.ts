/** The managers of live groups: co-hosts. */
import type { ParticipantRole } from "../../contract/participants";
import { patchParticipants } from "../../model/participants";
import type { Result, VolcengineCtx } from "./context";
import { openLive } from "./kinds";
import { findMembers, requirePerson } from "./names";
import { failedAs, peopleOf } from "./people";
import type { RequestOf } from "./wire";

/** BatchAddManager. The owner, and who is not a member, cannot be made one. */
export function batchAddManagers(ctx: VolcengineCtx, request: RequestOf<"BatchAddManager">): Promise<Result> {
  return changeManagers(ctx, request, (role) => (role === "host" ? null : "co-host"));
}

/** BatchRemoveManager: managers become ordinary members. */
export function batchRemoveManagers(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchRemoveManager">,
): Promise<Result> {
  return changeManagers(ctx, request, (role) => (role === "co-host" ? "participant" : null));
}

async function changeManagers(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchAddManager" | "BatchRemoveManager">,
  nextRole: (role: ParticipantRole) => ParticipantRole | null,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const people = peopleOf(request.ManagerUserIds, request.ManagerUserIdsStr, "ManagerUserIds");
  const edit = await openLive(ctx, request.ConversationShortId);
  const rows = await findMembers(ctx, edit.meeting, people);
  const roles = rows.map((row) => row && nextRole(row.role));
  const patches = new Map(
    rows.flatMap((row, index) => {
      const role = roles[index];
      return row && role ? [[row._id, { row, fields: { role } }] as const] : [];
    }),
  );
  edit.event("participants.updated", await patchParticipants(edit, [...patches.values()]));
  await edit.save();
  const failed = people.filter((_, index) => !roles[index]);
  return failedAs("FailedManagerUserIds", failed);
}
