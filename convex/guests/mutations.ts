import * as contract from "../contract/guestsMutations";
import { authedMutation } from "../functions";
import * as guests from "../model/guests";

/** Makes a guest of the caller's own tenant, for its admins, or of that of a meeting, for its hosts; gives the guest's id. */
export const createGuest = authedMutation(contract.createGuest, (ctx, args) => guests.createGuest(ctx, args));

/** Changes a guest, for admins of the tenant. */
export const updateGuest = authedMutation(contract.updateGuest, async (ctx, args) => {
  await guests.updateGuest(ctx, args);
  return null;
});
