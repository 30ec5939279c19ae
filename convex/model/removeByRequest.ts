/** The public ways to remove many people, to keep them out, and to let them in again. */
import type { Doc, Id } from "../_generated/dataModel";
import type { PersonName, SkippedPerson } from "../contract/personNames";
import { banPeople, type BanTerms, deleteBans, findBan, isOver, requireAhead } from "./bans";
import type { MeetingEdit } from "./meetingEdit";
import { findNamed, known, onlyParticipants, skip, skippedOf, spareLastHost } from "./namedPeople";
import { refOf } from "./people";
import { removeParticipants } from "./removeParticipants";
import { removeWaiting, waitingPeople } from "./waitlist";

/** Removes who is in the meeting, but for the last host, and bans them if there are terms to do so. */
export async function removeSeveral(
  edit: MeetingEdit,
  names: readonly PersonName[],
  ban?: BanTerms,
): Promise<{ removed: Id<"meetingParticipants">[]; skipped: SkippedPerson[] }> {
  if (ban) requireAhead(ban);
  const named = onlyParticipants(names, await findNamed(edit, names));
  const found = await spareLastHost(edit, names, named);
  const rows = known(found).map(({ row }) => row);
  // The places go to those who wait and are not banned.
  const bans = ban ? rows.map((row) => ({ ref: refOf(row), terms: ban })) : [];
  await banPeople(edit, bans);
  await removeParticipants(edit, rows);
  return { removed: rows.map(({ _id }) => _id), skipped: skippedOf(found) };
}

/**
 * Bans people, whether they are in the meeting, wait for a place or are not there at all. The last host is not banned.
 * EXPIRES_IN_PAST, TOO_MANY_BANS.
 *
 * @param termsOf The terms of each, by the index of the name.
 */
export async function banSeveral(
  edit: MeetingEdit,
  names: readonly PersonName[],
  termsOf: (index: number) => BanTerms,
): Promise<{ banned: Id<"bans">[]; removed: Id<"meetingParticipants">[]; skipped: SkippedPerson[] }> {
  for (const index of names.keys()) requireAhead(termsOf(index));
  const found = await spareLastHost(edit, names, await findNamed(edit, names));
  const people = found.flatMap((one, index) =>
    one.kind === "known" ? [{ ...one, terms: termsOf(index) }] : [],
  );
  const banned = await banPeople(edit, people);
  const waiting = await waitingPeople(edit.ctx.db, edit.meeting);
  await removeWaiting(
    edit,
    people.flatMap(({ key }) => waiting.get(key) ?? []),
  );
  const rows = people.flatMap(({ row }) => row ?? []);
  await removeParticipants(edit, rows);
  return { banned, removed: rows.map(({ _id }) => _id), skipped: skippedOf(found) };
}

/** Lifts the bans of people. */
export async function unbanSeveral(
  edit: MeetingEdit,
  names: readonly PersonName[],
): Promise<{ unbanned: Id<"bans">[]; skipped: SkippedPerson[] }> {
  const found = await findNamed(edit, names);
  const outcomes = await Promise.all(
    found.map(async (one, index) => {
      if (one.kind === "skipped") return one;
      const ban = await findBan(edit.ctx.db, edit.meeting._id, one.ref);
      return ban && !isOver(ban)
        ? { kind: "banned" as const, ban }
        : skip(names[index] as PersonName, "not_banned");
    }),
  );
  const bans = outcomes.flatMap((outcome): Doc<"bans">[] => (outcome.kind === "banned" ? [outcome.ban] : []));
  await deleteBans(edit, bans);
  return { unbanned: bans.map(({ _id }) => _id), skipped: skippedOf(outcomes) };
}

/** Takes people off the waitlist by the ids of their entries. */
export async function removeWaitingByIds(
  edit: MeetingEdit,
  waitlistIds: readonly Id<"waitlist">[],
): Promise<{ removed: Id<"waitlist">[]; skipped: SkippedPerson[] }> {
  const { db } = edit.ctx;
  const found = await Promise.all(
    waitlistIds.map(async (given, index) => {
      if (waitlistIds.indexOf(given) !== index) return skip({ waitlistId: given }, "duplicate");
      const waitlistId = db.normalizeId("waitlist", given);
      const entry = waitlistId && (await db.get("waitlist", waitlistId));
      return entry?.meetingId === edit.meeting._id
        ? { kind: "waiting" as const, entry }
        : skip({ waitlistId: given }, "not_waiting");
    }),
  );
  const entries = found.flatMap((one): Doc<"waitlist">[] => (one.kind === "waiting" ? [one.entry] : []));
  await removeWaiting(edit, entries);
  return { removed: entries.map(({ _id }) => _id), skipped: skippedOf(found) };
}
