import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { codeOf, errorOf, newMeeting, signUp, signUpAll } from "./setup";

const addMany = api.meetings.lifecycle.addMultipleParticipants;

function codes(outcome: { skipped: { code: string }[] }): string[] {
  return outcome.skipped.map(({ code }) => code);
}

describe("addMultipleParticipants", () => {
  test("gives the participant ids in the order of the request, and counts once", async () => {
    const { app, add, meeting, rows } = await newMeeting();
    const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
    const { added, skipped, success } = await add([cyd, "observer"], [ada, "co-host"], [bob, "participant"]);
    const byId = new Map((await rows()).map((row) => [row._id, row]));
    expect(added.map((id) => byId.get(id)?.userId)).toEqual([cyd.id, ada.id, bob.id]);
    expect(added.map((id) => byId.get(id)?.role)).toEqual(["observer", "co-host", "participant"]);
    expect(added.map((id) => byId.get(id)?.presence)).toEqual(["invited", "invited", "invited"]);
    expect({ skipped, success }).toEqual({ skipped: [], success: true });
    expect((await meeting()).participantCount).toBe(4);
  });

  test("says of each person who is skipped why, in words and by a code", async () => {
    const { app, host, add, meetingId } = await newMeeting();
    const gone = await signUp(app, "gone");
    await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
    const unknown = { id: "no id at all" as Id<"users">, as: host.as };
    const foreign = { id: meetingId as string as Id<"users">, as: host.as };
    const ada = await signUp(app, "ada");
    const { skipped } = await add(
      [unknown, "participant"],
      [foreign, "participant"],
      [gone, "participant"],
      [ada, "participant"],
      [ada, "observer"],
      [host, "host"],
    );
    expect(skipped).toEqual([
      { userId: unknown.id, code: "user_not_found", reason: "User not found" },
      { userId: foreign.id, code: "user_not_found", reason: "User not found" },
      { userId: gone.id, code: "user_inactive", reason: "User is deactivated" },
      { userId: ada.id, code: "duplicate", reason: "Listed more than once in this request" },
      { userId: host.id, code: "already_participant", reason: "Already a participant" },
    ]);
  });

  test("looks at a person's own reasons before it looks for a place", async () => {
    const { app, host, add } = await newMeeting({ maxParticipants: 1 });
    const [ada, gone] = await signUpAll(app, "ada", "gone");
    await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
    const outcome = await add(
      [gone, "host"],
      [gone, "host"],
      [host, "host"],
      [host, "host"],
      [ada, "host"],
      [ada, "host"],
    );
    expect(codes(outcome)).toEqual([
      "user_inactive",
      "user_inactive",
      "already_participant",
      "duplicate",
      "meeting_full",
      "duplicate",
    ]);
  });

  test("fills the places that are left with those who come first", async () => {
    const { app, add, meeting } = await newMeeting({ maxParticipants: 3 });
    const people = await signUpAll(app, "ada", "bob", "cyd", "dee");
    const outcome = await add(...people.map((person) => [person, "participant"] as const));
    expect(outcome.added).toHaveLength(2);
    expect(outcome.skipped.map(({ userId }) => userId)).toEqual(people.slice(2).map(({ id }) => id));
    expect((await meeting()).participantCount).toBe(3);
  });

  test("has two places in a one-on-one meeting", async () => {
    const { app, add } = await newMeeting({ meetingType: "one-on-one" });
    const people = await signUpAll(app, "ada", "bob");
    const outcome = await add(...people.map((person) => [person, "participant"] as const));
    expect(codes(outcome)).toEqual(["one_on_one_full"]);
  });

  test("renews the row of a person who has left, also in a full meeting", async () => {
    const { app, add, meeting, meetingId, rows } = await newMeeting({ maxParticipants: 2 });
    const ada = await signUp(app, "ada");
    const first = await add([ada, "participant"]);
    await ada.as.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
    const again = await add([ada, "co-host"]);
    expect(again).toEqual(first);
    expect((await meeting()).participantCount).toBe(2);
    const row = (await rows()).find(({ userId }) => userId === ada.id);
    expect(row).toMatchObject({ role: "co-host", presence: "invited" });
    expect(row).not.toHaveProperty("leftAt");
  });

  test("gives a person who was removed a new row", async () => {
    const { app, host, add, meeting, meetingId } = await newMeeting();
    const ada = await signUp(app, "ada");
    const first = await add([ada, "participant"]);
    await host.as.mutation(api.meetings.lifecycle.removeParticipant, { meetingId, userId: ada.id });
    const again = await add([ada, "participant"]);
    expect(again.added).toHaveLength(1);
    expect(again.added).not.toEqual(first.added);
    expect((await meeting()).participantCount).toBe(2);
  });

  test("does not take the meeting's last host the role by renewing the row", async () => {
    const { host, add, meetingId } = await newMeeting();
    await host.as.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
    expect(codes(await add([host, "observer"]))).toEqual(["last_host"]);
    expect((await add([host, "host"])).added).toHaveLength(1);
  });

  test("takes nobody, and 1,000 people, but not 1,001", async () => {
    const { app, host, meetingId, meeting } = await newMeeting({ maxParticipants: 2000 });
    const participants = await app.run((ctx) =>
      Promise.all(
        Array.from({ length: 1000 }, async (_, index) => ({
          userId: await ctx.db.insert("users", {
            workosUserId: `w${index}`,
            email: `w${index}@example.com`,
            isActive: true,
          }),
          role: "participant" as const,
        })),
      ),
    );
    expect(await host.as.mutation(addMany, { meetingId, participants: [] })).toMatchObject({
      added: [],
      skipped: [],
    });
    expect((await host.as.mutation(addMany, { meetingId, participants })).added).toHaveLength(1000);
    expect((await meeting()).participantCount).toBe(1001);
    const tooMany = await errorOf(
      host.as.mutation(addMany, { meetingId, participants: [...participants, ...participants.slice(0, 1)] }),
    );
    expect(tooMany).toMatchObject({ code: "INVALID_ARGUMENT", issues: [{ path: "participants" }] });
  });

  test("is for hosts alone, of whom there may be several", async () => {
    const { app, add, meetingId } = await newMeeting();
    const [cohost, second, other] = await signUpAll(app, "cohost", "second", "other");
    await add([cohost, "co-host"], [second, "host"]);
    const participants = [{ userId: other.id, role: "participant" as const }];
    expect(await codeOf(cohost.as.mutation(addMany, { meetingId, participants }))).toBe("FORBIDDEN");
    expect(await codeOf(other.as.mutation(addMany, { meetingId, participants }))).toBe("FORBIDDEN");
    expect((await second.as.mutation(addMany, { meetingId, participants })).added).toHaveLength(1);
  });

  test("is still for a host who has left", async () => {
    const { app, host, add, meetingId } = await newMeeting();
    await host.as.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
    expect((await add([await signUp(app, "ada"), "participant"])).added).toHaveLength(1);
  });

  test("wants an open meeting that exists", async () => {
    const { host, add, meetingId } = await newMeeting();
    for (const unknown of ["no id at all", host.id]) {
      const call = host.as.mutation(addMany, {
        meetingId: unknown as string as typeof meetingId,
        participants: [],
      });
      expect(await codeOf(call)).toBe("MEETING_NOT_FOUND");
    }
    await host.as.mutation(api.meetings.lifecycle.cancelMeeting, { meetingId });
    expect(await codeOf(add())).toBe("MEETING_CLOSED");
  });
});

describe("addParticipant", () => {
  test("fails with the code that fits the reason, and changes nothing", async () => {
    const { app, host, meeting, meetingId } = await newMeeting({ maxParticipants: 2 });
    const [ada, bob, gone] = await signUpAll(app, "ada", "bob", "gone");
    await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
    const addOne = (userId: Id<"users">) =>
      host.as.mutation(api.meetings.lifecycle.addParticipant, { meetingId, userId, role: "co-host" });
    expect(await addOne(ada.id)).toEqual({ participantId: expect.any(String), success: true });
    expect(await codeOf(addOne("x" as Id<"users">))).toBe("USER_NOT_FOUND");
    expect(await codeOf(addOne(gone.id))).toBe("USER_INACTIVE");
    expect(await codeOf(addOne(ada.id))).toBe("ALREADY_PARTICIPANT");
    expect(await codeOf(addOne(bob.id))).toBe("MEETING_FULL");
    expect((await meeting()).participantCount).toBe(2);
  });

  test("knows when a one-on-one meeting has its two", async () => {
    const { app, host, add, meetingId } = await newMeeting({ meetingType: "one-on-one" });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    await add([ada, "participant"]);
    const call = host.as.mutation(api.meetings.lifecycle.addParticipant, {
      meetingId,
      userId: bob.id,
      role: "participant",
    });
    expect(await codeOf(call)).toBe("ONE_ON_ONE_FULL");
  });
});
