import * as contract from "../contract/meetingsLobby";
import { authedQuery, moderatorMutation } from "../functions";
import { requireModerator } from "../model/access";
import { decideLobby } from "../model/lobby";
import { listParticipants } from "../model/meetingLists";

/** A page of who waits in the lobby, for hosts and co-hosts. */
export const listLobby = authedQuery(contract.listLobby, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireModerator(ctx.db, meetingId, ctx.user);
  return listParticipants(ctx.db, meeting._id, { presence: "waiting" }, paginationOpts);
});

/** Lets people in, for hosts and co-hosts. */
export const admitParticipants = moderatorMutation(
  contract.admitParticipants,
  "join",
  async (edit, { people }) => {
    const { changed: admitted, ...rest } = await decideLobby(edit, "admit", people);
    return { admitted, ...rest, success: true };
  },
);

/** Sends people away, for hosts and co-hosts. */
export const refuseParticipants = moderatorMutation(
  contract.refuseParticipants,
  "join",
  async (edit, { people }) => {
    const { changed: refused, ...rest } = await decideLobby(edit, "refuse", people);
    return { refused, ...rest, success: true };
  },
);
