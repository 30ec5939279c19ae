import * as contract from "../contract/meetingsBans";
import { authedQuery, hostMutation } from "../functions";
import { requireHost } from "../model/access";
import { bansPage } from "../model/bans";
import { banSeveral, unbanSeveral } from "../model/removeByRequest";

/** Bans up to 1,000 people, for a host, and removes those of them who are in the meeting. */
export const banParticipants = hostMutation(
  contract.banParticipants,
  "change",
  async (edit, { people, expiresAt, reason }) => ({
    ...(await banSeveral(edit, people, () => ({ expiresAt, reason }))),
    success: true,
  }),
);

/** Lifts bans, for a host. */
export const unbanParticipants = hostMutation(
  contract.unbanParticipants,
  "change",
  async (edit, { people }) => ({ ...(await unbanSeveral(edit, people)), success: true }),
);

/** A page of who is banned, for a host. */
export const listBans = authedQuery(contract.listBans, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return bansPage(ctx.db, meeting._id, paginationOpts);
});
