import type { UserIdentity } from "convex/server";
import type * as z from "zod";
import type { replaceParticipants as endpoint } from "../contract/meetingsBulk";
import { answerOf, withoutOrganizations } from "./addByRequest";
import { addParticipants } from "./addParticipants";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";
import { countHosts } from "./participants";
import { findPeople, keyOf, type Person } from "./people";
import { deleteParticipants } from "./removeParticipants";
import { allRows } from "./updateParticipants";
import { promoteWaiting } from "./waitlist";

type Args = z.output<typeof endpoint.args>;
type Answer = Omit<z.output<typeof endpoint.returns>, "success">;

/**
 * Makes the list of the people in a meeting what a request wishes. Who is not listed goes first, so that their places are there
 * for others, and hosts come before all others, so that one host can follow another.
 */
export async function replaceParticipants(
  edit: MeetingEdit,
  identity: UserIdentity,
  { participants, expectedVersion, onInvalid = "perItem", onFull = "perItem" }: Args,
): Promise<Answer> {
  const { ctx, meeting, tenant } = edit;
  const { version = 0 } = meeting;
  if (version !== expectedVersion) {
    fail("VERSION_CONFLICT", `The meeting is at version ${version}, not ${expectedVersion}`);
  }
  const wished = await withoutOrganizations(edit, identity, participants);
  const entries = wished.toSorted(
    (one, other) => Number(other.role === "host") - Number(one.role === "host"),
  );
  const [rows, people] = await Promise.all([allRows(edit), findPeople(ctx.db, tenant._id, entries)]);
  const listed = new Set(people.flatMap((person: Person) => (person.kind === "unknown" ? [] : [person.key])));
  const gone = rows.filter((row) => !listed.has(keyOf(row)));
  await deleteParticipants(edit, gone);
  const policy = { onExisting: "update", onInvalid, onFull } as const;
  const outcomes = await addParticipants(edit, entries, policy, people);
  if ((await countHosts(ctx.db, meeting._id, 1)) === 0)
    fail("LAST_HOST", "A meeting keeps at least one host");
  await promoteWaiting(edit, entries.length + gone.length);
  const { updated = [], ...answer } = answerOf(outcomes, policy);
  return { ...answer, updated, removed: gone.map(({ _id }) => _id), version: edit.meeting.version ?? 0 };
}
