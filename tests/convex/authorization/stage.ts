import { api } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";
import type { ErrorCode } from "../../../convex/contract/errors";
import { type App, type Caller, newApp, type Person, signUp } from "../setup";

/** Who may try a function. All who are signed up are of the organization whose tenant has the meeting, but for the outsider. */
export const roles = [
  /** Without a token. */
  "nobody",
  /** With a token, but not signed up. */
  "stranger",
  /** A host of the meeting, but deactivated. */
  "deactivated",
  "observer",
  "participant",
  "co-host",
  "host",
  /** Host of another meeting of the tenant. */
  "other host",
  /** Admin of the organization, in none of its meetings. */
  "admin",
  /** Admin of another organization and host of its meeting. */
  "outsider",
] as const;
export type Role = (typeof roles)[number];

/** What each role meets: nothing wrong, or a code. */
export type Expected = Readonly<Record<Role, "ok" | ErrorCode>>;

const anonymous = {
  nobody: "UNAUTHENTICATED",
  stranger: "USER_NOT_PROVISIONED",
  deactivated: "USER_DEACTIVATED",
} as const;

/** For whoever is signed up and active. */
export const users: Expected = {
  ...anonymous,
  observer: "ok",
  participant: "ok",
  "co-host": "ok",
  host: "ok",
  "other host": "ok",
  admin: "ok",
  outsider: "ok",
};

/** For the admins of any organization, with effect in their own. */
export const allAdmins: Expected = {
  ...users,
  observer: "FORBIDDEN",
  participant: "FORBIDDEN",
  "co-host": "FORBIDDEN",
  host: "FORBIDDEN",
  "other host": "FORBIDDEN",
};

/** For everybody in the meeting. */
export const participants: Expected = {
  ...users,
  "other host": "FORBIDDEN",
  admin: "FORBIDDEN",
  outsider: "FORBIDDEN",
};

/** For hosts and co-hosts of the meeting. */
export const coHosts: Expected = { ...participants, observer: "FORBIDDEN", participant: "FORBIDDEN" };

/** For hosts of the meeting. */
export const hosts: Expected = { ...coHosts, "co-host": "FORBIDDEN" };

/** A scheduled meeting, and everybody who may try to do something to it. */
export interface Stage {
  app: App;
  meetingId: Id<"meetings">;
  host: Person;
  /** A participant to whom things may be done. */
  target: Person;
  /** Signed up, and in no meeting. */
  newcomer: Person;
  /** A guest of the tenant. */
  guestId: Id<"guests">;
  admin: Person;
  callers: Readonly<Record<Role, Caller>>;
}

/** One function and how it answers. */
export interface Row {
  expected: Expected;
  args: (stage: Stage) => Record<string, unknown>;
  /** Brings the stage into the state in which the function can be called. */
  prepare?: (stage: Stage) => Promise<unknown>;
}

/** The functions of one module, by their paths. */
export type Rows = Readonly<Record<string, Row>>;

const ours = { org_id: "org_ours", role: "member" };

export async function setStage(): Promise<Stage> {
  const app = newApp();
  const signUpOurs = (name: string) => signUp(app, name, ours);
  const [host, gone, coHost, participant, observer] = await Promise.all([
    signUpOurs("host"),
    signUpOurs("gone"),
    signUpOurs("coHost"),
    signUpOurs("participant"),
    signUpOurs("observer"),
  ]);
  const [target, newcomer, otherHost, admin, outsider] = await Promise.all([
    signUpOurs("target"),
    signUpOurs("newcomer"),
    signUpOurs("otherHost"),
    signUp(app, "admin", { ...ours, role: "admin" }),
    signUp(app, "outsider", { org_id: "org_theirs", role: "admin" }),
  ]);
  const [meetingId] = await Promise.all([
    newMeetingOf(host),
    newMeetingOf(otherHost),
    newMeetingOf(outsider),
  ]);
  const people = [
    { userId: gone.id, role: "host" as const },
    { userId: coHost.id, role: "co-host" as const },
    { userId: participant.id, role: "participant" as const },
    { userId: observer.id, role: "observer" as const },
    { userId: target.id, role: "participant" as const },
  ];
  await host.as.mutation(api.meetings.lifecycle.addMultipleParticipants, { meetingId, participants: people });
  await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
  return {
    app,
    meetingId,
    host,
    target,
    newcomer,
    guestId: await admin.as.mutation(api.guests.mutations.createGuest, { externalId: "crm-1" }),
    admin,
    callers: {
      nobody: app,
      stranger: app.withIdentity({ subject: "stranger" }),
      deactivated: gone.as,
      observer: observer.as,
      participant: participant.as,
      "co-host": coHost.as,
      host: host.as,
      "other host": otherHost.as,
      admin: admin.as,
      outsider: outsider.as,
    },
  };
}

async function newMeetingOf({ as }: Person): Promise<Id<"meetings">> {
  const { meetingId } = await as.mutation(api.meetings.lifecycle.createMeeting, { title: "Planning" });
  return meetingId;
}
