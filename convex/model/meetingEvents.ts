import type { PaginationOptions } from "convex/server";
import type { Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import type { EventType } from "../contract/events";
import { shortPage } from "./pages";

/** A page of the events of a meeting: one index range, whatever is asked for. */
export function listEvents(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  wanted: { type?: EventType; order?: "asc" | "desc"; fromSequence?: number },
  paginationOpts: PaginationOptions,
) {
  const { type, order = "asc", fromSequence } = wanted;
  const first = order === "asc" ? (fromSequence ?? 0) : 0;
  const last = order === "desc" ? (fromSequence ?? Infinity) : Infinity;
  const table = db.query("meetingEvents");
  const events = type
    ? table.withIndex("by_meeting_and_type_and_sequence", (q) =>
        q.eq("meetingId", meetingId).eq("type", type).gte("sequence", first).lte("sequence", last),
      )
    : table.withIndex("by_meeting_and_sequence", (q) =>
        q.eq("meetingId", meetingId).gte("sequence", first).lte("sequence", last),
      );
  return events.order(order).paginate(shortPage(paginationOpts));
}
