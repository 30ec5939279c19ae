import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { EventActor, EventChange, EventType } from "../contract/events";
import { scheduleEmptyCheck } from "./emptyMeetings";
import { partsOf } from "./eventParts";
import { scheduleRoomSync } from "./mediaSync";
import { announceEvents } from "./webhookQueue";

/** Fields to change; `undefined` removes one that is optional. */
export type Patch<Document> = {
  [Field in keyof Document]?: object extends Pick<Document, Field>
    ? Document[Field] | undefined
    : Document[Field];
};

/**
 * What one request does to a meeting. The meeting's own fields and the events are collected here and written once by
 * {@link save}; all else is written at once. Nothing else writes meetings that exist, so that every change has its event,
 * but for two of which nobody need be told: `ensureTenantOf` gives a meeting the tenant that it lacks, and `noteUse` puts off
 * its end.
 */
export class MeetingEdit {
  #meeting: Doc<"meetings">;
  readonly #changed: Patch<Doc<"meetings">> = {};
  readonly #toSync = new Map<Id<"meetingParticipants">, boolean>();
  readonly #events: { type: EventType; changes: EventChange[] }[] = [];

  constructor(
    readonly ctx: MutationCtx,
    meeting: Doc<"meetings">,
    readonly tenant: Doc<"tenants">,
    readonly actor: EventActor,
  ) {
    this.#meeting = meeting;
  }

  /** The meeting with all that has been {@link set} so far. */
  get meeting(): Doc<"meetings"> {
    return this.#meeting;
  }

  /** Changes fields of the meeting. */
  set(fields: Patch<Doc<"meetings">>): void {
    this.#meeting = { ...this.#meeting, ...fields } as Doc<"meetings">;
    Object.assign(this.#changed, fields);
  }

  /** Notes what has happened; nothing if nothing was changed. */
  event(type: EventType, changes: readonly EventChange[]): void {
    for (const part of partsOf(changes)) this.#events.push({ type, changes: part });
  }

  /**
   * Has the media server told that a person may do something else in the room now, or has no business there any more.
   *
   * @param evict The person has to come in again, even if they may stay.
   */
  syncMedia(participantId: Id<"meetingParticipants">, { evict }: { evict: boolean }): void {
    this.#toSync.set(participantId, evict || this.#toSync.get(participantId) === true);
  }

  /** Writes the meeting and its events. To be called once, when all is done. */
  async save(): Promise<void> {
    if (this.#events.length === 0 && Object.keys(this.#changed).length === 0) return;
    const { _id: meetingId, eventSequence = 0 } = this.#meeting;
    const emptyCheckAt = await scheduleEmptyCheck(this.ctx, this.#meeting, this.tenant);
    if (emptyCheckAt !== this.#meeting.emptyCheckAt) this.set({ emptyCheckAt });
    await Promise.all([
      ...(this.#events.length > 0
        ? [announceEvents(this.ctx, this.tenant, meetingId, eventSequence + 1)]
        : []),
      scheduleRoomSync(
        this.ctx,
        this.#meeting,
        Array.from(this.#toSync, ([participantId, evict]) => ({ participantId, evict })),
      ),
      this.ctx.db.patch("meetings", meetingId, {
        eventSequence: eventSequence + this.#events.length,
        updatedAt: Date.now(),
        // What is spread comes last, for the reason given in `functions.ts`.
        ...this.#changed,
      }),
      ...this.#events.map(({ type, changes }, index) =>
        this.ctx.db.insert("meetingEvents", {
          meetingId,
          sequence: eventSequence + index + 1,
          type,
          actor: this.actor,
          changes,
        }),
      ),
    ]);
  }
}
