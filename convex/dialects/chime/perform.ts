import { v } from "convex/values";
import { internalMutation } from "../../_generated/server";
import { once } from "../../model/idempotency";
import { takeToken } from "../../model/rateLimit";
import * as attendees from "./attendees";
import type { Answer, ChimeCtx } from "./context";
import * as meetings from "./meetings";
import { createMeetingWithAttendees } from "./meetingWithAttendees";
import { type InputOf, type OperationName, operations } from "./operations";
import { listTags, tagResource, untagResource } from "./tags";
import { startTranscription, stopTranscription } from "./transcription";
import { updateCapabilities, updateCapabilitiesExcept } from "./updateCapabilities";

const handlers: { [Name in OperationName]: (ctx: ChimeCtx, input: InputOf<Name>) => Promise<Answer> } = {
  CreateMeeting: meetings.createMeeting,
  CreateMeetingWithAttendees: createMeetingWithAttendees,
  GetMeeting: meetings.getMeeting,
  DeleteMeeting: meetings.deleteMeeting,
  CreateAttendee: attendees.createAttendee,
  BatchCreateAttendee: attendees.batchCreateAttendee,
  ListAttendees: attendees.listAttendees,
  GetAttendee: attendees.getAttendee,
  DeleteAttendee: attendees.deleteAttendee,
  UpdateAttendeeCapabilities: updateCapabilities,
  BatchUpdateAttendeeCapabilitiesExcept: updateCapabilitiesExcept,
  StartMeetingTranscription: startTranscription,
  StopMeetingTranscription: stopTranscription,
  ListTagsForResource: listTags,
  TagResource: tagResource,
  UntagResource: untagResource,
};

/**
 * Does what a request asks for, in one transaction. One that writes and is sent again gets the answer of the first time.
 *
 * @param input As {@link operations} has parsed it.
 */
export const perform = internalMutation({
  args: {
    principal: v.object({ tenantId: v.id("tenants"), accessKeyId: v.string() }),
    operation: v.string(),
    // Its shape is the operation's, by which it has been parsed; nobody but the HTTP action calls this.
    input: v.any(),
    repetitionKey: v.string(),
  },
  handler: async (ctx, { principal, operation, input, repetitionKey }): Promise<Answer> => {
    await takeToken(ctx, principal.accessKeyId);
    const name = operation as OperationName;
    const handle = handlers[name] as (ctx: ChimeCtx, input: unknown) => Promise<Answer>;
    const run = () => handle({ ...ctx, principal }, input);
    if (operations[name].method === "GET") return run();
    const scope = `chime ${principal.accessKeyId}`;
    return once(ctx, { scope, key: repetitionKey, args: { operation, input } }, run);
  },
});
