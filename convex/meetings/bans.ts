import * as contract from "../contract/meetingsBans";
import { authedQuery, hostMutation } from "../functions";
import { requireHost } from "../model/access";
import { bansPage } from "../model/bans";
import { banSeveral, unbanSeveral } from "../model/removeByRequest";

/**
 * Bans up to 1,000 people, for a host, and removes those of them who are in the meeting. Fails with MEETING_NOT_FOUND,
 * FORBIDDEN, MEETING_CLOSED, EXPIRES_IN_PAST or TOO_MANY_BANS.
 */
export const banParticipants = hostMutation(
  contract.banParticipants,
  "change",
  async (edit, { people, expiresAt, reason }) => ({
    ...(await banSeveral(edit, people, () => ({ expiresAt, reason }))),
    success: true,
  }),
);

/** Lifts bans, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN or MEETING_CLOSED. */
export const unbanParticipants = hostMutation(
  contract.unbanParticipants,
  "change",
  async (edit, { people }) => ({ ...(await unbanSeveral(edit, people)), success: true }),
);

/** A page of who is banned, for a host. Fails with MEETING_NOT_FOUND or FORBIDDEN. */
export const listBans = authedQuery(contract.listBans, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return bansPage(ctx.db, meeting._id, paginationOpts);
});
