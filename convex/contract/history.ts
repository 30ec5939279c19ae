import * as z from "zod";
import { eventActor } from "./events";
import { id } from "./ids";
import { text } from "./text";

/** Fields of the table `historyMarkers`. */
export const historyMarkerFields = {
  meetingId: id("meetings"),
  number: z.int().min(1).describe("1 for the first marker of the meeting, then one more each"),
  text: text().trim().min(1).max(2000),
  author: eventActor,
};

export const historyMarker = z.strictObject({
  _id: id("historyMarkers"),
  _creationTime: z.number(),
  ...historyMarkerFields,
});
