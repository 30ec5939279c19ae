/** What becomes of a tenant's meetings when its settings change. */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { TenantConfig } from "../contract/tenants";
import { endsAt } from "./emptyMeetings";

/** The states of meetings that go on. */
export type OpenState = Extract<Doc<"meetings">["state"], "scheduled" | "active">;

const openStates: readonly OpenState[] = ["scheduled", "active"];

/** How many meetings one transaction looks at, for each of which two functions may be scheduled. */
const MEETINGS_AT_ONCE = 200;

/** Has a tenant's meetings looked at, if its settings have changed how many places these have or when they end by themselves. */
export async function scheduleRefit(
  { scheduler }: MutationCtx,
  tenantId: Id<"tenants">,
  before: TenantConfig,
  after: TenantConfig,
): Promise<void> {
  const isSame =
    before.maxParticipantsPerMeeting === after.maxParticipantsPerMeeting &&
    before.emptyTimeoutMs === after.emptyTimeoutMs;
  if (isSame) return;
  await Promise.all(
    openStates.map((state) => scheduler.runAfter(0, internal.tenants.meetings.refit, { tenantId, state })),
  );
}

/**
 * Gives new places to those who wait for one, and has empty meetings end at their new time. What one transaction does not take is
 * scheduled.
 *
 * @param after creation time of the last meeting that has been seen to
 */
export async function refitMeetings(
  { db, scheduler }: MutationCtx,
  { tenantId, state, after = 0 }: { tenantId: Id<"tenants">; state: OpenState; after?: number },
): Promise<void> {
  const tenant = await db.get("tenants", tenantId);
  if (!tenant) return;
  const meetings = await db
    .query("meetings")
    .withIndex("by_tenant_and_state", (q) =>
      q.eq("tenantId", tenantId).eq("state", state).gt("_creationTime", after),
    )
    .take(MEETINGS_AT_ONCE);
  for (const meeting of meetings) {
    const { _id: meetingId, waitlistCount = 0, emptyCheckAt = Infinity } = meeting;
    if (waitlistCount > 0) await scheduler.runAfter(0, internal.waitlist.promoteRest, { meetingId });
    const due = endsAt(meeting, tenant);
    if (due !== null && due < emptyCheckAt) {
      await scheduler.runAfter(0, internal.cleanUp.endIfEmpty, { meetingId });
    }
  }
  const last = meetings.at(-1);
  if (last && meetings.length === MEETINGS_AT_ONCE) {
    const rest = { tenantId, state, after: last._creationTime };
    await scheduler.runAfter(0, internal.tenants.meetings.refit, rest);
  }
}
