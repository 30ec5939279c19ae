import * as contract from "../contract/meetingsHistory";
import { moderatorMutation, participantMutation, participantQuery } from "../functions";
import * as history from "../model/history";

/** Sets a marker, for hosts and co-hosts. */
export const addMarker = moderatorMutation(contract.addMarker, "change", (edit, { text }) =>
  history.addMarker(edit, text),
);

/** A page of the markers that the caller may see. */
export const listMarkers = participantQuery(
  contract.listMarkers,
  ["historyFrom"],
  ({ db, ...place }, { paginationOpts }) => history.visibleMarkers(db, place, paginationOpts),
);

/** Notes how far the caller has read. */
export const setReadIndex = participantMutation(
  contract.setReadIndex,
  async (edit, participant, { readIndex }) => {
    await history.setReadIndex(edit, participant, readIndex);
    return null;
  },
);
