import { patchParticipants } from "../../model/participants";
import { updateCapabilitiesExcept as updateExcept } from "../../model/updateParticipants";
import { describeAttendees, open } from "./attendees";
import { capabilitiesProblem, toCore } from "./capabilities";
import type { Answer, ChimeCtx } from "./context";
import { refuse } from "./errors";
import { requireAttendee } from "./names";
import type { InputOf } from "./operations";
import type { MeetingFeatures, WireCapabilities } from "./wire";

/** UpdateAttendeeCapabilities. */
export async function updateCapabilities(
  ctx: ChimeCtx,
  input: InputOf<"UpdateAttendeeCapabilities">,
): Promise<Answer> {
  const { edit, features } = await open(ctx, input.MeetingId);
  requirePossible(input.Capabilities, features);
  const row = await requireAttendee(ctx, edit.meeting, input.AttendeeId);
  const capabilities = toCore(input.Capabilities);
  edit.event("participants.updated", await patchParticipants(edit, [{ row, fields: { capabilities } }]));
  await edit.save();
  const { attendees, bearers } = await describeAttendees(ctx, edit.meeting, [{ ...row, capabilities }]);
  return { body: { Attendee: attendees[0] }, bearers };
}

/** BatchUpdateAttendeeCapabilitiesExcept. NotFoundException if one of those who are named is not there: nobody is changed. */
export async function updateCapabilitiesExcept(
  ctx: ChimeCtx,
  input: InputOf<"BatchUpdateAttendeeCapabilitiesExcept">,
): Promise<Answer> {
  const { edit, features } = await open(ctx, input.MeetingId);
  requirePossible(input.Capabilities, features);
  const excluded = await Promise.all(
    input.ExcludedAttendeeIds.map(({ AttendeeId }) => requireAttendee(ctx, edit.meeting, AttendeeId)),
  );
  await updateExcept(
    edit,
    toCore(input.Capabilities),
    excluded.map(({ _id }) => _id),
  );
  await edit.save();
  return {};
}

function requirePossible(given: WireCapabilities, features: MeetingFeatures | undefined): void {
  const problem = capabilitiesProblem(given, features);
  if (problem !== null) refuse("BadRequestException", problem);
}
