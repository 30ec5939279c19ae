/** The kinds of conversations, which are kinds of meetings. */
import type { Doc } from "../../_generated/dataModel";
import type { MeetingType } from "../../contract/meetings";
import type { MeetingEdit } from "../../model/meetingEdit";
import type { VolcengineCtx } from "./context";
import { refuse } from "./errors";
import { openConversation } from "./names";

type Meeting = Doc<"meetings">;

export const SINGLE = 1;
const GROUP = 2;
export const LIVE = 100;

/** What kind of meeting a conversation of a type is. */
export const meetingTypes: Record<number, MeetingType> = {
  [SINGLE]: "one-on-one",
  [GROUP]: "large-meeting",
  [LIVE]: "webinar",
};

/** What a meeting is here, whatever wire it was made by. */
export function typeOf({ meetingType }: Meeting): number {
  if (meetingType === "one-on-one") return SINGLE;
  return meetingType === "webinar" ? LIVE : GROUP;
}

/** InvalidParameter.IllegalConversationType for what is no live group. */
export function requireLive(meeting: Meeting): void {
  if (typeOf(meeting) !== LIVE) {
    refuse("InvalidParameter.IllegalConversationType", "The conversation is not a live group");
  }
}

/** A live group for changes. */
export async function openLive(ctx: VolcengineCtx, id: string): Promise<MeetingEdit> {
  const edit = await openConversation(ctx, id, "change");
  requireLive(edit.meeting);
  return edit;
}

/** A group whose members may change. */
export async function openGroup(ctx: VolcengineCtx, id: string): Promise<MeetingEdit> {
  const edit = await openConversation(ctx, id, "change");
  if (typeOf(edit.meeting) === SINGLE) {
    refuse(
      "InvalidParameter.IllegalConversationType",
      "The members of a one-to-one conversation stay as they are",
    );
  }
  return edit;
}
