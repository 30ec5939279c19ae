/** The public ways to add people, over the one core. */
import type { UserIdentity } from "convex/server";
import type * as z from "zod";
import type { Id } from "../_generated/dataModel";
import type { addPolicy, ParticipantEntry, ParticipantsEntry, SkippedEntry } from "../contract/entries";
import type { addMultipleParticipants } from "../contract/meetingsLifecycle";
import { MAX_BATCH } from "../contract/participants";
import { addParticipants, type AddPolicy, type ItemOutcome } from "./addParticipants";
import { organizationOf } from "./caller";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";

/** Adds one person; fails with the reason if that cannot be. */
export async function addOne(edit: MeetingEdit, entry: ParticipantEntry): Promise<Id<"meetingParticipants">> {
  const policy = { onExisting: "fail", onInvalid: "failAll", onFull: "failAll" } as const;
  const [outcome] = await addParticipants(edit, [entry], policy);
  return outcome?.kind === "added" ? outcome.participantId : fail("INTERNAL_ERROR", "Nobody was added");
}

type Args = z.output<typeof addMultipleParticipants.args>;
type Answer = Omit<z.output<typeof addMultipleParticipants.returns>, "success">;

/** Adds people as a request says. */
export async function addSeveral(edit: MeetingEdit, identity: UserIdentity, args: Args): Promise<Answer> {
  const policy = policyOf(edit, args);
  const entries = await withoutOrganizations(edit, identity, args.participants);
  return answerOf(await addParticipants(edit, entries, policy), policy);
}

/** The policy that a request asks for, with what the tenant or the system wants where it says nothing. */
export function policyOf(
  { tenant }: MeetingEdit,
  { onExisting, onInvalid, onFull }: Pick<Args, keyof typeof addPolicy>,
) {
  return {
    onExisting: onExisting ?? tenant.config.duplicatePolicy ?? "skip",
    onInvalid: onInvalid ?? "perItem",
    onFull: onFull ?? "perItem",
  } satisfies AddPolicy;
}

/** What the caller is told; lists that the policy makes impossible are left out. */
export function answerOf(
  outcomes: readonly ItemOutcome[],
  policy: { onExisting: string; onFull: string },
): Answer {
  const ids: Record<"added" | "updated" | "existing", Id<"meetingParticipants">[]> = {
    added: [],
    updated: [],
    existing: [],
  };
  const waitlisted: Id<"waitlist">[] = [];
  const skipped: SkippedEntry[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind === "skipped") skipped.push(outcome.skipped);
    else if (outcome.kind === "waitlisted") waitlisted.push(outcome.waitlistId);
    else ids[outcome.kind].push(outcome.participantId);
  }
  return {
    added: ids.added,
    skipped,
    ...(policy.onExisting === "update" && { updated: ids.updated }),
    ...(policy.onExisting === "return" && { existing: ids.existing }),
    ...(policy.onFull === "waitlist" && { waitlisted }),
  };
}

/** Puts the active people of an organization in the place of its entry. FORBIDDEN, ORGANIZATION_TOO_LARGE. */
export async function withoutOrganizations(
  { ctx }: MeetingEdit,
  identity: UserIdentity,
  entries: readonly ParticipantsEntry[],
): Promise<readonly ParticipantEntry[]> {
  const ownOrgId = organizationOf(identity).orgId;
  const organizations = entries.filter(({ orgId }) => orgId !== undefined);
  if (organizations.length === 0) return entries;
  if (organizations.some(({ orgId }) => orgId !== ownOrgId)) {
    fail("FORBIDDEN", "Only the organization of the caller's token can be added");
  }
  const members = await ctx.db
    .query("users")
    .withIndex("by_org_and_active", (q) => q.eq("orgId", ownOrgId).eq("isActive", true))
    .take(MAX_BATCH + 1);
  const people = entries.flatMap(({ orgId, ...entry }): ParticipantEntry[] =>
    orgId === undefined ? [entry] : members.map(({ _id: userId }) => ({ ...entry, userId })),
  );
  if (people.length > MAX_BATCH) {
    fail("ORGANIZATION_TOO_LARGE", `One request adds at most ${MAX_BATCH} people`);
  }
  return people;
}
