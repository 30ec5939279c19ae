import * as contract from "../contract/guestsQueries";
import { authedQuery } from "../functions";
import { findGuest, listGuestsOf, tenantOfGuests } from "../model/guests";

/** A guest by id or external id; null if unknown. */
export const getGuest = authedQuery(contract.getGuest, async (ctx, { meetingId, ...named }) => {
  const tenant = await tenantOfGuests(ctx, meetingId);
  return tenant && findGuest(ctx.db, tenant._id, named);
});

/** A page of the guests of a tenant. */
export const listGuests = authedQuery(contract.listGuests, async (ctx, { meetingId, paginationOpts }) =>
  listGuestsOf(ctx.db, await tenantOfGuests(ctx, meetingId), paginationOpts),
);
