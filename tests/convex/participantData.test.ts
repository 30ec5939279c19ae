import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, type Person, signUpAll } from "./setup";

const { updateParticipant, updateMultipleParticipants, updateCapabilitiesExcept, endMeeting, startMeeting } =
  api.meetings.lifecycle;

type Changes = Omit<(typeof updateParticipant)["_args"], "meetingId">;
type Entries = (typeof updateMultipleParticipants)["_args"]["participants"];

/** A meeting with Ada, a participant, and Bob, a co-host. */
async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId, add } = setting;
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await add([ada, "participant"], [bob, "co-host"]);
  const rowOf = async ({ id }: Person) => {
    const row = (await setting.rows()).find(({ userId }) => userId === id);
    if (!row) throw new Error("Not in the meeting");
    return row;
  };
  const update = (by: Person, changes: Changes) =>
    by.as.mutation(updateParticipant, { meetingId, ...changes });
  const updateAll = (...participants: Entries) =>
    host.as.mutation(updateMultipleParticipants, { meetingId, participants });
  return { ...setting, ada, bob, rowOf, update, updateAll };
}

describe("one person", () => {
  test("changes their own names, and nothing else and nobody else's", async () => {
    const { ada, bob, update, rowOf } = await stage();
    await update(ada, { nickname: "Countess", displayName: "Ada L." });
    expect(await rowOf(ada)).toMatchObject({ nickname: "Countess", displayName: "Ada L." });
    await update(ada, { userId: ada.id, nickname: null });
    expect(await rowOf(ada)).not.toHaveProperty("nickname");
    for (const [by, changes] of [
      [ada, { role: "host" }],
      [ada, { nickname: "A", level: 3 }],
      [ada, { capabilities: { audio: "SendReceive" } }],
      [ada, { blockedUntil: null }],
      [bob, { userId: ada.id, nickname: "A" }],
      [bob, { externalId: "unknown", nickname: "A" }],
    ] as [Person, Changes][]) {
      expect(await codeOf(update(by, changes))).toBe("FORBIDDEN");
    }
  });

  test("is changed by a host in all that there is, and null removes", async () => {
    const { host, ada, update, rowOf } = await stage();
    const everything: Changes = {
      userId: ada.id,
      role: "observer",
      displayName: "A",
      nickname: "B",
      attributes: { team: "red" },
      level: -3,
      department: "Sales",
      blockedUntil: 5,
      capabilities: { audio: "None" },
    };
    await update(host, everything);
    expect(await rowOf(ada)).toMatchObject({
      role: "observer",
      attributes: { team: "red" },
      level: -3,
      department: "Sales",
      blockedUntil: 5,
      capabilities: { audio: "None", video: "SendReceive", content: "SendReceive" },
    });
    const names = ["displayName", "nickname", "attributes", "level", "department"] as const;
    const nothing = Object.fromEntries(names.map((name) => [name, null]));
    await update(host, { userId: ada.id, ...nothing, blockedUntil: null, capabilities: null });
    const row = await rowOf(ada);
    expect([...names, "blockedUntil", "capabilities"].filter((name) => name in row)).toEqual([]);
    expect(row.role).toBe("observer");
  });

  test("is not changed in a way that cannot be", async () => {
    const { host, ada, update, meetingId } = await stage();
    expect(await codeOf(update(host, { role: "observer" }))).toBe("LAST_HOST");
    expect(await codeOf(update(host, { userId: "nobody" as never, level: 1 }))).toBe("PARTICIPANT_NOT_FOUND");
    const two = { userId: ada.id, email: "ada@example.com", level: 1 };
    expect(await codeOf(update(host, two))).toBe("INVALID_ARGUMENT");
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`a${index}`, "x"]));
    expect(await codeOf(update(host, { userId: ada.id, attributes: many }))).toBe("INVALID_ARGUMENT");
    await host.as.mutation(startMeeting, { meetingId });
    await host.as.mutation(endMeeting, { meetingId });
    expect(await codeOf(update(ada, { nickname: "Late" }))).toBe("MEETING_CLOSED");
  });
});

describe("capabilities", () => {
  test("are checked together, whichever of them changes", async () => {
    const { host, ada, update, rowOf } = await stage();
    const change = (capabilities: Changes["capabilities"]) =>
      update(host, { userId: ada.id, capabilities: capabilities as never });
    expect(await codeOf(change({ video: "Send" }))).toBe("INVALID_CAPABILITIES");
    expect(await codeOf(change({ video: "None", content: "Receive" }))).toBe("INVALID_CAPABILITIES");
    await change({ video: "None", content: "Send" });
    expect(await codeOf(change({ content: "SendReceive" }))).toBe("INVALID_CAPABILITIES");
    await change({ video: "Receive" });
    await change({ content: "SendReceive" });
    expect((await rowOf(ada)).capabilities).toEqual({
      audio: "SendReceive",
      video: "Receive",
      content: "SendReceive",
    });
  });

  test("of everybody change but those of the excepted, and tokens issued before die", async () => {
    const { host, ada, bob, meetingId, rowOf } = await stage();
    const capabilities = { audio: "Receive", video: "Receive", content: "Receive" } as const;
    const except = (...exceptParticipantIds: string[]) =>
      host.as.mutation(updateCapabilitiesExcept, {
        meetingId,
        capabilities,
        exceptParticipantIds: exceptParticipantIds as never[],
      });
    const { updated } = await except((await rowOf(host))._id);
    expect(new Set(updated)).toEqual(new Set([(await rowOf(ada))._id, (await rowOf(bob))._id]));
    expect(await rowOf(host)).not.toHaveProperty("capabilities");
    expect(await rowOf(ada)).toMatchObject({ capabilities, tokenVersion: 1 });
    expect(await codeOf(except("nobody"))).toBe("PARTICIPANT_NOT_FOUND");
  });
});

test("several people are changed at once, each with a reason if not", async () => {
  const { host, ada, bob, updateAll, rowOf, meeting } = await stage();
  const before = (await meeting()).version ?? 0;
  const { updated, skipped } = await updateAll(
    { userId: ada.id, role: "host", level: 1 },
    { email: "nobody@example.com", level: 1 },
    { userId: bob.id, capabilities: { video: "Send" } },
    { userId: host.id, role: "participant" },
    { participantId: (await rowOf(ada))._id, role: "observer" },
  );
  expect(updated).toEqual([(await rowOf(ada))._id, (await rowOf(host))._id]);
  expect(skipped.map(({ code }) => code)).toEqual([
    "participant_not_found",
    "invalid_capabilities",
    "duplicate",
  ]);
  expect([(await rowOf(ada)).role, (await rowOf(host)).role]).toEqual(["host", "participant"]);
  expect((await meeting()).version).toBe(before + 1);
});

test("of the hosts who are to become something less the last one stays", async () => {
  const { host, ada, updateAll } = await stage();
  await updateAll({ userId: ada.id, role: "host" });
  const { skipped } = await updateAll(
    { userId: host.id, role: "participant" },
    { userId: ada.id, role: "participant" },
  );
  expect(skipped).toMatchObject([{ userId: ada.id, code: "last_host" }]);
});
