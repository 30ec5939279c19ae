import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { codeOf, newMeeting, signUp, signUpAll } from "./setup";

const { removeParticipant, updateParticipantRole, cancelMeeting } = api.meetings.lifecycle;

test("every role can be given", async () => {
  const { app, host, add, meetingId, rows } = await newMeeting();
  const ada = await signUp(app, "ada");
  await add([ada, "participant"]);
  for (const newRole of ["observer", "co-host", "host", "participant"] as const) {
    expect(await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole })).toBeNull();
    expect((await rows()).find(({ userId }) => userId === ada.id)?.role).toBe(newRole);
  }
});

test("removing a person frees the place", async () => {
  const { app, host, add, meeting, meetingId } = await newMeeting({ maxParticipants: 2 });
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await add([ada, "participant"]);
  expect(await host.as.mutation(removeParticipant, { meetingId, userId: ada.id })).toBeNull();
  expect((await meeting()).participantCount).toBe(1);
  expect((await add([bob, "participant"])).added).toHaveLength(1);
});

test("the last host stays, whoever wants otherwise; one of two may go", async () => {
  const { app, host, add, meetingId } = await newMeeting();
  const ada = await signUp(app, "ada");
  await add([ada, "co-host"]);
  const demote = (by: typeof host, of: typeof host) =>
    by.as.mutation(updateParticipantRole, { meetingId, userId: of.id, newRole: "participant" });
  const remove = (by: typeof host, of: typeof host) =>
    by.as.mutation(removeParticipant, { meetingId, userId: of.id });
  expect(await codeOf(demote(host, host))).toBe("LAST_HOST");
  expect(await codeOf(remove(host, host))).toBe("LAST_HOST");
  await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
  await demote(ada, host);
  expect(await codeOf(remove(ada, ada))).toBe("LAST_HOST");
  await ada.as.mutation(updateParticipantRole, { meetingId, userId: host.id, newRole: "host" });
  await remove(ada, ada);
  expect(await codeOf(demote(host, host))).toBe("LAST_HOST");
});

test("only a host of an open meeting changes people, and only those who are in it", async () => {
  const { app, host, add, meetingId } = await newMeeting();
  const [cohost, stranger] = await signUpAll(app, "cohost", "stranger");
  await add([cohost, "co-host"]);
  for (const change of [
    (by: typeof host, userId: Id<"users">) => by.as.mutation(removeParticipant, { meetingId, userId }),
    (by: typeof host, userId: Id<"users">) =>
      by.as.mutation(updateParticipantRole, { meetingId, userId, newRole: "observer" }),
  ]) {
    expect(await codeOf(change(cohost, cohost.id))).toBe("FORBIDDEN");
    expect(await codeOf(change(stranger, host.id))).toBe("FORBIDDEN");
    expect(await codeOf(change(host, stranger.id))).toBe("PARTICIPANT_NOT_FOUND");
    expect(await codeOf(change(host, "no id at all" as Id<"users">))).toBe("PARTICIPANT_NOT_FOUND");
  }
  await host.as.mutation(cancelMeeting, { meetingId });
  const closed = host.as.mutation(removeParticipant, { meetingId, userId: cohost.id });
  expect(await codeOf(closed)).toBe("MEETING_CLOSED");
});
