import type { Id } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import type { Principal } from "../../model/accessKeys";

/** A transaction for an application of a tenant. */
export type ChimeCtx = MutationCtx & { principal: Principal };

/** Of whom the attendees of an answer are, in their order. */
export interface Bearers {
  meetingId: Id<"meetings">;
  participantIds: Id<"meetingParticipants">[];
}

/** What an operation answers. Attendees get their join tokens afterwards, which are kept nowhere. */
export interface Answer {
  body?: Record<string, unknown>;
  bearers?: Bearers;
}
