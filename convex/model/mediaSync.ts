import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

/** Where the media server is, and how to speak to it. */
export interface LivekitSettings {
  url: string;
  apiKey: string;
  apiSecret: string;
}

/** How many people one action tells the media server of. */
const PEOPLE_PER_SYNC = 200;

/** The settings of the media server; null if the deployment has none. */
export function livekitSettings(): LivekitSettings | null {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = process.env;
  return url && apiKey && apiSecret ? { url, apiKey, apiSecret } : null;
}

/** The settings of the media server; NOT_CONFIGURED. */
export function requireLivekit(): LivekitSettings {
  return (
    livekitSettings() ??
    fail("NOT_CONFIGURED", "LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set")
  );
}

/** A person of whom the media server has to be told. `evict`: even if they may stay, they have to come in again. */
export interface PersonToSync {
  participantId: Id<"meetingParticipants">;
  evict: boolean;
}

/**
 * Has the media server told of people whose rights have changed or who are gone, and of the end of a meeting. What it is told
 * is looked up when it is told, so that orders which overtake each other do no harm.
 */
export async function scheduleRoomSync(
  ctx: MutationCtx,
  { _id: meetingId, state }: Doc<"meetings">,
  people: readonly PersonToSync[],
): Promise<void> {
  if (state !== "active" || !livekitSettings()) return;
  for (let start = 0; start < people.length; start += PEOPLE_PER_SYNC) {
    const page = people.slice(start, start + PEOPLE_PER_SYNC);
    await ctx.scheduler.runAfter(0, internal.livekit.syncPeople, { meetingId, people: page, attempt: 0 });
  }
}

/** Has the media server told that a meeting is over. */
export async function scheduleRoomClosing(ctx: MutationCtx, meetingId: Id<"meetings">): Promise<void> {
  if (livekitSettings())
    await ctx.scheduler.runAfter(0, internal.livekit.closeRoom, { meetingId, attempt: 0 });
}
