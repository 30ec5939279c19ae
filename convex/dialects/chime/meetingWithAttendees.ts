import { addAttendees } from "./attendees";
import type { Answer, ChimeCtx } from "./context";
import { describeMeeting, oncePerToken, openNewMeeting } from "./meetings";
import type { InputOf } from "./operations";

/** CreateMeetingWithAttendees: both in one transaction. ConflictException, LimitExceededException. */
export function createMeetingWithAttendees(
  ctx: ChimeCtx,
  input: InputOf<"CreateMeetingWithAttendees">,
): Promise<Answer> {
  return oncePerToken(ctx, input, async () => {
    const edit = await openNewMeeting(ctx, input);
    const { body, ...rest } = await addAttendees(ctx, edit, input.MeetingFeatures, input.Attendees);
    await edit.save();
    return { body: { Meeting: await describeMeeting(ctx, edit.meeting), ...body }, ...rest };
  });
}
